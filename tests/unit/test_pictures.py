"""How a panel is drawn: the format of values, units, axes, colours, texts of tables."""

import math

import pytest

from observability.pictures import axes, units
from observability.pictures.axes import Ends
from observability.pictures.series import legend
from observability.pictures.theme import shortened, width


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0, "short", "0"),
        (7, "short", "7"),
        (0.0123456, "short", "0.0123"),
        (1.5, "short", "1.5"),
        (999, "short", "999"),
        (1000, "short", "1 K"),
        (1234567, "short", "1.23 Mil"),
        (0.0567, "percentunit", "5.67%"),
        (1, "percentunit", "100%"),
        (0.0000005, "s", "500 ns"),
        (0.25, "s", "250 ms"),
        (59, "s", "59 s"),
        (90, "s", "1.5 mins"),
        (7200, "s", "2 hours"),
        (172800, "s", "2 days"),
        (1209600, "s", "2 weeks"),
        (1024, "bytes", "1 KiB"),
        (1536 * 1024, "bytes", "1.5 MiB"),
        (1500, "decbytes", "1.5 kB"),
        (2_500_000, "Bps", "2.5 MB/s"),
        (1200, "reqps", "1.2K req/s"),
        (0.5, "cps", "0.5 c/s"),
        (1234, "currencyUSD", "$1.23K"),
        (1, "bool_on_off", "On"),
        (math.nan, "short", "NaN"),
        (math.inf, "s", "∞"),
    ],
)
def test_a_value_is_written_as_grafana_writes_it(value: float, unit: str, words: str) -> None:
    assert units.text(value, unit) == words


def test_configured_decimals_are_kept() -> None:
    assert units.text(0.5, "short", 2) == "0.50"


@pytest.mark.parametrize(
    ("apart", "words"),
    [
        (10, "a few seconds ago"),
        (80, "a minute ago"),
        (900, "15 minutes ago"),
        (3600, "an hour ago"),
        (7 * 3600, "7 hours ago"),
        (3 * 86400, "3 days ago"),
        (-2 * 86400, "in 2 days"),
    ],
)
def test_a_timestamp_is_shown_as_a_relative_time(apart: float, words: str) -> None:
    assert units.ago(1_000_000 - apart, 1_000_000) == words


def test_a_legend_is_filled_from_the_labels() -> None:
    assert legend("{{route}} {{ status }}", "x", {"route": "/a", "status": "200"}, []) == "/a 200"


def test_a_missing_label_is_empty_in_a_legend() -> None:
    assert legend("{{reason}}", "x", {}, []) == ""


def test_without_a_legend_the_value_of_a_single_label_is_written() -> None:
    assert legend("__auto", "x", {"route": "/a"}, [{"route": "/a"}, {"route": "/b"}]) == "/a"


def test_without_a_legend_several_labels_are_all_written() -> None:
    labels = {"__name__": "x", "route": "/a", "system": "b"}
    assert legend("__auto", "x", labels, [labels]) == 'x{route="/a", system="b"}'


def test_without_labels_a_series_is_named_by_its_query() -> None:
    assert legend("__auto", "sum(x)", {}, [{}]) == "sum(x)"


def test_an_axis_goes_from_its_fixed_end_to_a_tenth_beyond_the_values() -> None:
    assert axes.span([3, 87], Ends(least=0)) == pytest.approx((0, 96))


def test_an_axis_of_zero_values_goes_to_100() -> None:
    assert axes.span([0, 0], Ends(least=0)) == (0, 100)


def test_a_soft_end_applies_until_a_value_exceeds_it() -> None:
    assert axes.span([0, 0], Ends(least=0, soft_most=1)) == (0, 1)
    assert axes.span([0, 20], Ends(least=0, soft_most=1)) == pytest.approx((0, 22))


def test_a_fixed_end_cuts_off_values_beyond_it() -> None:
    assert axes.span([0.2, 1.7], Ends(least=0, most=1)) == (0, 1)


def test_axis_marks_are_round_and_not_too_close() -> None:
    assert axes.marks(0, 96, 150) == [0, 20, 40, 60, 80]


def test_marks_of_bytes_are_powers_of_two() -> None:
    assert axes.marks(0, 5 * 2**20, 100, binary=True) == [0, 2 * 2**20, 4 * 2**20]


def test_times_of_an_hour_are_round_minutes() -> None:
    assert [words for _, words in axes.moments(36000, 39600, 240)] == ["10:00", "10:15", "10:30", "10:45", "11:00"]


def test_times_of_a_week_are_days() -> None:
    start = 1_700_000_000
    assert [words for _, words in axes.moments(start, start + 7 * 86400, 200)] == ["11/15", "11/17", "11/19", "11/21"]


def test_text_that_is_too_long_ends_in_an_ellipsis_and_fits() -> None:
    cut = shortened("Lines Not Understood in an Hour", 100, 11)
    assert cut.endswith("…")
    assert width(cut, 11) <= 100
