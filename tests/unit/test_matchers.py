"""What a person writes for an alert's labels, and which alerts it fits."""

import pytest

from observability.alerting.matchers import parse_labels, parse_matchers
from observability.core.errors import ConfigError

LABELS = {"alertname": "HighErrorRate", "system": "erpgo", "route": 'a "b" \\ c'}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("severity=critical,component=database", {"severity": "critical", "component": "database"}),
        ('{severity="critical", component="database"}', {"severity": "critical", "component": "database"}),
        (" system = erpgo , ", {"system": "erpgo"}),
        ('route="/a,b={c}"', {"route": "/a,b={c}"}),
        (r'route="say \"hi\" \\ there"', {"route": r'say "hi" \ there'}),
        ("instance=db-1:5432", {"instance": "db-1:5432"}),
        ("host=", {"host": ""}),
    ],
)
def test_labels_are_read_with_and_without_quotes_and_braces(text: str, labels: dict[str, str]) -> None:
    assert parse_labels(text) == labels


@pytest.mark.parametrize(
    ("text", "what", "mend"),
    [
        ("severity", "'severity' is not a pair", "severity=critical"),
        ("severity=critical,database", "'database' is not a pair", "severity=critical"),
        ("severity==critical", "'severity==critical' is not a pair", "severity=critical"),
        ("a=b c=d", "'a=b c=d' is not a pair", "severity=critical"),
        ('route="/a', "a quotation mark is not closed", "severity=critical"),
        ("=critical", "'' is not the name of a label", "like system"),
        ("5xx=yes", "'5xx' is not the name of a label", "like system"),
        ("severity!=critical", 'severity!="critical": an alert\'s label has one value', "for silences"),
        ("system=a,system=b", "the label system is given twice", "once"),
        ("", "no label is given", "alertname=HighErrorRate"),
        ("{}", "no label is given", "alertname=HighErrorRate"),
    ],
)
def test_what_is_no_label_is_refused_with_the_mend(text: str, what: str, mend: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_labels(text)
    assert what in caught.value.what
    assert mend in caught.value.mend


def test_a_regular_expression_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="not a regular expression"):
        parse_matchers('alertname=~"(High"')


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("system=erpgo", True),
        ("system=erp", False),
        ("system!=erpgo", False),
        ("system=~erp.*", True),
        ("system=~erp", False),
        ("system!~erp", True),
        ("host=", True),
        ("host!=", False),
        ("host!=a", True),
        ("host=~.*", True),
        ("host=~.+", False),
    ],
)
def test_an_absent_label_is_empty_and_a_pattern_stands_for_the_whole_value(text: str, fits: bool) -> None:
    (matcher,) = parse_matchers(text)
    assert matcher.holds(LABELS) is fits
