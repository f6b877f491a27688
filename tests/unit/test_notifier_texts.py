"""The texts of the notifier: annotations, values in the units of an alert, and which alerts have such a value."""

import pytest

from dashboards.linked_rules import files
from observability.alerting.causes import Cause, Layer, Lines
from observability.notifier.levels import levels
from observability.notifier.texts import LONGEST, annotations
from observability.notifier.worse import Level, much_worse, written
from tests.unit.conftest import stack_config

TIMES = "\N{MULTIPLICATION SIGN}"
HIGH = Level(high=True, form="humanize")
LOW = Level(high=False, form="humanize")


def cause(what: str, *evidence: str) -> Cause:
    return Cause(what=what, evidence=evidence, layer=Layer.HOST, rank=())


def lines(service: str, count: int, text: str, place: int) -> Lines:
    return Lines(service=service, count=count, text=text, place=place)


def test_the_first_cause_has_its_evidence_and_the_next_ones_are_named() -> None:
    found = [cause("A is down", "one", "two", "three"), cause("B", "four"), cause("C"), cause("D")]
    assert annotations(found, []) == {"cause": "A is down (one; two). Also possible: B; C"}


def test_an_alert_without_evidence_has_no_annotations() -> None:
    assert annotations([], []) == {}


def test_the_three_newest_kinds_of_lines_are_named_with_their_counts() -> None:
    groups = [lines("api", 90, "old", 3), lines("api", 2, "newest", 0), lines("web", 1, "next", 1)]
    assert annotations([], [*groups, lines("web", 7, "third", 2)]) == {
        "line_1": f"2 {TIMES} api: newest",
        "line_2": "web: next",
        "line_3": f"7 {TIMES} web: third",
    }


@pytest.mark.parametrize("text", ["x" * 5000, "a\n\r\t" * 2000, "\x1b[31m" * 1000, "\u202eabc" * 1000, "😀" * 5000])
def test_a_hostile_line_is_one_short_line_without_control_characters(text: str) -> None:
    found = annotations([cause(text, text)], [lines("api", 1, text, 0)])
    for one in found.values():
        assert len(one) <= LONGEST
        assert one.isprintable()


@pytest.mark.parametrize(
    ("level", "told", "now", "worse"),
    [
        (HIGH, 0.12, 0.24, True),
        (HIGH, 0.12, 0.23, False),
        (HIGH, 0.12, 0.01, False),
        (HIGH, 0, 5, False),
        (HIGH, 1, float("nan"), False),
        (LOW, 100, 50, True),
        (LOW, 100, 51, False),
        (LOW, 100, 0, True),
        (LOW, 100, -1, False),
        (LOW, -5, -10, False),
    ],
)
def test_much_worse_is_twice_the_value_or_half_of_it(level: Level, told: float, now: float, worse: bool) -> None:
    assert much_worse(level, told, now) is worse


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("humanizePercentage", 0.4512, "45.12%"),
        ("humanizeDuration", 0.25, "250ms"),
        ("humanizeDuration", 12.5, "12.5s"),
        ("humanizeDuration", 3725, "1h 2m 5s"),
        ("humanizeDuration", 90000, "1d 1h 0m 0s"),
        ("humanize1024", 5 * 1024**3, "5Gi"),
        ("humanize", 12345, "12.35k"),
        ("humanize", 0.5, "0.5"),
        ("%.0f", 12.4, "12"),
        ("%.3g", 0.0123, "0.0123"),
        ("%s", 1.5, "1.5"),
        ("%.1f%%", 1.5, "1.5"),
    ],
)
def test_a_value_is_written_in_the_format_of_the_alert(form: str, value: float, text: str) -> None:
    assert written(form, value) == text


RULE = """
groups:
  - name: one
    rules:
      - alert: A
        expr: {expr}
        labels: {{severity: {severity}}}
        annotations: {{summary: '{summary}'}}
"""


@pytest.mark.parametrize(
    ("expr", "summary", "severity", "found"),
    [
        ("a > 1", "{{ $value | humanize }}", "warning", {"A/warning": HIGH}),
        ("a < 1", "{{ $value | humanize }}", "critical", {"A/critical": LOW}),
        ("(a > on (b) c) and on (b) d < 3", "{{ $value | humanize }}", "warning", {"A/warning": HIGH}),
        ("(a > 1) or (b < 1)", "{{ $value | humanize }}", "warning", {}),
        ("a == 1", "{{ $value | humanize }}", "warning", {}),
        ("(a > 1) * b", "{{ $value | humanize }}", "warning", {}),
        ("a > bool 1", "{{ $value | humanize }}", "warning", {}),
        ("1 < a", "{{ $value | humanize }}", "warning", {}),
        ("time() - a > 1", "{{ $value | humanize }}", "warning", {}),
        ("a > 1", "it is high", "warning", {}),
        ("a > 1", "{{ $value | humanize }}", "info", {}),
    ],
)
def test_an_alert_has_a_level_if_it_compares_a_value_and_states_it(
    expr: str, summary: str, severity: str, found: dict[str, Level]
) -> None:
    assert levels({"one.yaml": RULE.format(expr=expr, summary=summary, severity=severity)}) == found


def test_an_alert_of_two_rules_that_differ_has_no_level() -> None:
    texts = [
        RULE.format(expr=expr, summary="{{ $value | humanize }}", severity="warning") for expr in ("a > 1", "a < 1")
    ]
    assert levels({str(number): text for number, text in enumerate(texts)}) == {}


def test_the_alerts_of_a_stack_on_shares_have_levels() -> None:
    found = levels(files(stack_config("dev")))
    assert found["CriticalErrorRate/critical"] == Level(high=True, form="humanizePercentage")
    assert found["LowCacheHitRate/warning"] == Level(high=False, form="humanizePercentage")
    assert not {name for name in found if name.partition("/")[0] in ("HostDown", "ServiceDown", "Watchdog")}
