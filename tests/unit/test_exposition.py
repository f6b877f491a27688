"""A page of metrics read as Prometheus 3.15 reads it; `tests/servers/test_scrape.py` compares with the real one."""

import pytest

from observability.systems.exposition import RefusedError, Sample, bound, read, saved

TEXT = "text/plain; version=0.0.4"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def samples(text: str, content_type: str = TEXT) -> list[Sample]:
    return read(text.encode(), content_type).samples


def stored(text: str, content_type: str = TEXT) -> list[tuple[str, dict[str, str], float, int | None]]:
    """Name, labels, value and time of each sample."""
    return [(one.name, dict(one.labels), one.value, one.time) for one in samples(text, content_type)]


def reason(text: str, content_type: str = TEXT) -> str:
    with pytest.raises(RefusedError) as caught:
        read(text.encode(), content_type)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a 1", ("a", {}, 1.0, None)),
        ("a 1\n", ("a", {}, 1.0, None)),
        ("a\t1 1700000000000\n", ("a", {}, 1.0, 1_700_000_000_000)),
        ('a{b="c",} +Inf\n', ("a", {"b": "c"}, float("inf"), None)),
        ('a{ b = "c" , d="e" } .5\n', ("a", {"b": "c", "d": "e"}, 0.5, None)),
        ('a{b="c" d="e"} 5.\n', ("a", {"b": "c", "d": "e"}, 5.0, None)),
        (r'a{b="c\"d\\e\nf\g"} 1e3', ("a", {"b": 'c"d\\e\nf\\g'}, 1000.0, None)),
        ('a{b=""} 1', ("a", {}, 1.0, None)),
        ('{"http.server.requests","http.route"="/"} 1', ("http.server.requests", {"http.route": "/"}, 1.0, None)),
        ('a{job="x",instance="y"} 1', ("a", {"exported_job": "x", "exported_instance": "y"}, 1.0, None)),
        ("  a 1", ("  a", {}, 1.0, None)),
    ],
)
def test_a_line_of_text_is_stored_as_prometheus_stores_it(
    text: str, expected: tuple[str, dict[str, str], float, int | None]
) -> None:
    assert stored(text) == [expected]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# TYPE a counter\r\na 1\r\n", "line 1: the lines end in CRLF"),
        ("a 1\r\n", "line 1: the lines end in CRLF"),
        ("a 1\n\r\n", "line 2: the lines end in CRLF"),
        ("# TYPE a count\n", "'count' is no type"),
        ("# TYPE a.b counter\n", "'b counter' is no type"),
        ("# TYPE a  counter\n", "' counter' is no type"),
        ("a.b 1\n", "'.b' is not a number"),
        ("a-b 1\n", "'-b' is not a number"),
        ("a\n", "expected a value"),
        ("a one\n", "'one' is not a number"),
        ("a 1_000\n", "'1_000' is not a number"),
        ("a 1e999\n", "'1e999' is not a number"),
        ("a 0x10\n", "'0x10' is not a number"),
        ("a 1 1700000000.5\n", "whole milliseconds"),
        ("a 1 -5\n", "whole milliseconds"),
        ('a{b="c} 1\n', "expected a value in quotes"),
        ("a{b='c'} 1\n", "expected a value in quotes"),
        ('a{b.c="d"} 1\n', "expected = after the label"),
        ('a{b="c",b="d"} 1\n', "the label 'b' is there twice"),
        ('{b="c"} 1\n', "a sample without a name"),
        ('a{"b"} 1\n', "given twice"),
        ("ü 1\n", "expected the name of a series"),
    ],
)
def test_a_line_that_prometheus_refuses_makes_the_whole_page_invalid(text: str, why: str) -> None:
    assert why in reason(f"ok 1\n{text}".replace("ok 1\n", "", 1))


def test_the_reason_names_the_line_and_shows_it() -> None:
    assert reason("a 1\n\n# a comment\nb ,5\n") == "line 4: ',5' is not a number: 'b ,5'"


def test_a_label_value_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(RefusedError, match="the value of 'b' is not UTF-8"):
        read(b'a{b="\xfc"} 1\n', TEXT)


def test_bounds_and_quantiles_are_normalised_according_to_the_type() -> None:
    histogram = '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="0.50"} 1\nh_bucket{le="1000000"} 1\n'
    assert [dict(one.labels)["le"] for one in samples(histogram)] == ["1.0", "0.5", "1e+06"]
    assert dict(samples('# TYPE s summary\ns{quantile="1"} 1\n')[0].labels) == {"quantile": "1.0"}
    assert dict(samples('h_bucket{le="1"} 1\n')[0].labels) == {"le": "1"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (1.0, "1.0"),
        (0.005, "0.005"),
        (100000.0, "100000.0"),
        (1e6, "1e+06"),
        (2147483648.0, "2.147483648e+09"),
        (1e-5, "1e-05"),
        (float("inf"), "+Inf"),
    ],
)
def test_a_bound_has_the_form_that_go_writes(value: float, text: str) -> None:
    assert bound(value) == text


def test_open_metrics_has_exemplars_times_in_seconds_and_an_end() -> None:
    text = (
        "# HELP a Things.\n# TYPE a counter\n# UNIT a_seconds seconds\n"
        'a_total{b="c"} 1.0 1700000000.5 # {trace_id="x"} 0.3 1700000000\na_created{b="c"} 1.6e9\n# EOF\n'
    )
    assert stored(text, OPEN_METRICS) == [
        ("a_total", {"b": "c"}, 1.0, 1_700_000_000_500),
        ("a_created", {"b": "c"}, 1.6e9, None),
    ]
    assert read(text.encode(), OPEN_METRICS).kinds == {"a": "counter"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a 1\n", "does not end in # EOF"),
        ("a 1\n# EOF\nb 1\n", "there is more after # EOF"),
        ("\n# EOF\n", "no empty lines"),
        ("# a comment\n# EOF\n", "no comments"),
        ("a  1\n# EOF\n", "expected one blank and a value"),
        ('a{b="c", d="e"} 1\n# EOF\n', "expected a label's name"),
        ("# TYPE a untyped\n# EOF\n", "'untyped' is no type"),
        ("# UNIT a seconds\n# EOF\n", "the unit 'seconds' is not what the name"),
    ],
)
def test_open_metrics_that_prometheus_refuses_is_refused(text: str, why: str) -> None:
    assert why in reason(text, OPEN_METRICS)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "TEXT/PLAIN;version=1.0.0"],
)
def test_the_text_format_is_read_without_a_warning(content_type: str) -> None:
    assert read(b"a 1\n", content_type).doubts == []


@pytest.mark.parametrize(
    "content_type", [None, "", "text/html; charset=utf-8", "application/json", "text", "application/octet-stream"]
)
def test_any_other_content_type_is_text_only_by_the_fallback_of_the_job(content_type: str | None) -> None:
    page = read(b"a 1\n", content_type)
    assert len(page.samples) == 1
    assert "Prometheus 3 refuses that unless the job has a fallback_scrape_protocol" in page.doubts[0]
    with pytest.raises(RefusedError, match="no fallback_scrape_protocol"):
        read(b"a 1\n", content_type, fallback=None)


def test_protobuf_that_was_not_requested_is_refused() -> None:
    with pytest.raises(RefusedError, match="protobuf"):
        read(b"\x00", "application/vnd.google.protobuf; encoding=delimited")


def test_the_format_of_a_saved_page_is_detected_from_its_end() -> None:
    assert saved(b"# TYPE a counter\na_total 1\n# EOF\n").form == "openmetrics"
    assert saved(b"# TYPE a_total counter\na_total 1\n").form == "text"
