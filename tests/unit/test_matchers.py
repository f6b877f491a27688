"""What a user writes for an alert's labels, and which alerts it matches."""

import pytest

from observability.alerting.matchers import parse_labels, parse_matchers
from observability.core.errors import ConfigError

LABELS = {"alertname": "HighErrorRate", "system": "depot", "route": 'a "b" \\ c'}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("severity=critical,component=database", {"severity": "critical", "component": "database"}),
        ('{severity="critical", component="database"}', {"severity": "critical", "component": "database"}),
        (" system = depot , ", {"system": "depot"}),
        ('route="/a,b={c}"', {"route": "/a,b={c}"}),
        (r'route="say \"hi\" \\ there"', {"route": r'say "hi" \ there'}),
        ("instance=db-1:5432", {"instance": "db-1:5432"}),
        ("host=", {"host": ""}),
    ],
)
def test_labels_are_read_with_and_without_quotes_and_braces(text: str, labels: dict[str, str]) -> None:
    assert parse_labels(text) == labels


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("severity=critical,database", "'database' is not a pair", "severity=critical"),
        ("severity==critical", "'severity==critical' is not a pair", "severity=critical"),
        ("a=b c=d", "'a=b c=d' is not a pair", "severity=critical"),
        ('route="/a', "a quotation mark is not closed", "severity=critical"),
        ("=critical", "'=critical' is not a pair", "severity=critical"),
        ('""=yes', "the name of the label is empty", "like system"),
        ("severity!=critical", 'severity!="critical": an alert\'s label has one value', "for silences"),
        ("system=a,system=b", "the label system is given twice", "once"),
        ("", "no label is given", "alertname=HighErrorRate"),
        ("{}", "no label is given", "alertname=HighErrorRate"),
    ],
)
def test_an_invalid_matcher_is_refused_with_the_fix(text: str, what: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_labels(text)
    assert what in caught.value.what
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("HighErrorRate", {"alertname": "HighErrorRate"}),
        ("HighErrorRate, system=depot", {"alertname": "HighErrorRate", "system": "depot"}),
        ("{HighErrorRate}", {"alertname": "HighErrorRate"}),
        ('"High error rate"', {"alertname": "High error rate"}),
        ('"my label"="x"', {"my label": "x"}),
        ("5xx=yes", {"5xx": "yes"}),
        ('"a\\u00e9"="\\x41"', {"a\u00e9": "A"}),
        ("route=GET /a", {"route": "GET /a"}),
        ("url=http://x/?a=b", {"url": "http://x/?a=b"}),
        (r'path="C:\temp\new"', {"path": "C:\\temp\new"}),
    ],
)
def test_a_bare_name_is_an_alert_name_and_values_are_read_as_by_alertmanager(text: str, pairs: dict[str, str]) -> None:
    assert parse_labels(text) == pairs


@pytest.mark.parametrize(
    ("text", "fits", "fits_not"),
    [
        (r'instance=~"web-\d+:9100"', ["web-1:9100", "web-22:9100"], ["web-d:9100", "web-:9100"]),
        (r'instance=~"10\.0\.0\.5:.*"', ["10.0.0.5:9100"], ["10a0b0c5:9100"]),
        (r'instance=~"10\\.0\\.0\\.5:.*"', ["10.0.0.5:9100"], ["10a0b0c5:9100"]),
        (r"instance=~web-\d+:9100", ["web-1:9100"], ["web-d:9100"]),
        (r'route=~"/a\n?"', ["/a", "/a\n"], ["/an"]),
        ("route=~.*", ["", "a"], ["a\nb"]),
        (r'route=~"[[:digit:]]+|\Q.*\E"', ["12", ".*"], ["x"]),
        ("route=~a|b", ["a", "b"], ["ab"]),
    ],
)
def test_an_escape_stays_in_an_expression(text: str, fits: list[str], fits_not: list[str]) -> None:
    (matcher,) = parse_matchers(text)
    assert [matcher.holds_of(value) for value in (*fits, *fits_not)] == [True] * len(fits) + [False] * len(fits_not)
    assert parse_matchers(str(matcher)) == (matcher,)


@pytest.mark.parametrize(
    ("expression", "reason", "position"),
    [
        ("(High", "a parenthesis is not closed: it opens", 1),
        ("[(]a(b", "a parenthesis is not closed: it opens", 5),
        (r"a\(b)", "a parenthesis closes nothing", 5),
        ("web-(?=1)", "RE2 has no look-ahead: (?=", 5),
        ("(?<!a)b", "RE2 has no negative look-behind: (?<!", 1),
        (r"(a)\1", r"RE2 has no backreferences: \1", 4),
        ("a**", "bad repetition operator: **", 2),
        ("a{2000}", "invalid repetition size: {2000}", 2),
        ("x[b-a]", "invalid character class range: b-a", 3),
        (r"a\Z", r"invalid escape sequence: \Z", 2),
        ("ab[c", "missing ]: [c", 3),
    ],
)
def test_an_expression_that_re2_refuses_is_refused_with_its_position(
    expression: str, reason: str, position: int
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_matchers(f"alertname=~{expression}")
    assert f"not a regular expression of RE2: {reason} at character {position}" in caught.value.what


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("system=depot", True),
        ("system=erp", False),
        ("system!=depot", False),
        ("system=~dep.*", True),
        ("system=~erp", False),
        ("system!~erp", True),
        ("host=", True),
        ("host!=", False),
        ("host!=a", True),
        ("host=~.*", True),
        ("host=~.+", False),
    ],
)
def test_an_absent_label_is_empty_and_a_pattern_matches_the_whole_value(text: str, fits: bool) -> None:
    (matcher,) = parse_matchers(text)
    assert matcher.holds(LABELS) is fits
