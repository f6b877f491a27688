"""The summaries of firing alerts, restored from the rules' templates by value mappings."""

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import state
from dashboards.summaries import SEPARATOR, UNKNOWN, Meaning, Summaries
from observability.check.promql import parse
from observability.pictures.fields import field
from tests.unit.conftest import FULL, stack_config

ALL = Summaries.of(stack_config("prod", FULL))


@functools.cache
def table() -> dict[str, Any]:
    panel = state.firing_alerts('system="depot"', ALL, None).build()
    made: dict[str, Any] = json.loads(json.dumps(panel, cls=JSONEncoder))
    return made


def shown(component: str, alert: str, labels: Mapping[str, str], value: str = "", severity: str = "warning") -> str:
    """The summary that the table shows for an alert."""
    fields = [component, alert, severity, *(labels.get(label, "") for label in ALL.identity), value]
    return field(table(), "summary").word(SEPARATOR.join(fields))


def test_a_summary_contains_the_labels_and_the_present_value() -> None:
    found = shown("application", "HighResponseTime", {"system": "depot", "route": "/pay", "instance": "a:80"}, "7.5")
    assert found == "depot: 7.5 % of requests to /pay are slow"


def test_an_unknown_value_is_marked_in_the_summary() -> None:
    found = shown("host", "HighMemoryUsage", {"system": "depot", "instance": "a"})
    assert found == f"Host a of depot uses {UNKNOWN} of its memory"


def test_an_alert_of_the_same_name_has_the_summary_of_its_component() -> None:
    labels = {"system": "depot", "instance": "a"}
    assert shown("host", "HighMemoryUsage", labels, "91") == "Host a of depot uses 91 % of its memory"
    assert shown("application", "HighMemoryUsage", labels, "91") == "depot: a process uses 91 % of its memory"


def test_kinds_of_servers_that_share_an_alert_are_named_by_their_component() -> None:
    found = shown("database", "DatabaseDown", {"system": "depot", "instance": "a:1"}, severity="critical")
    assert found == "Database at a:1 of depot is down"


def test_a_summary_that_differs_by_severity_is_that_of_the_severity() -> None:
    labels = {"system": "depot", "reason": "rate_limited"}
    assert shown("logs", "LokiIngestFailing", labels) == "Loki discards log lines: rate_limited"
    assert shown("logs", "LokiIngestFailing", labels, severity="critical") == "Loki cannot write to its store"


def test_an_alert_without_a_rule_here_is_shown_by_its_name() -> None:
    assert shown("tape", "TapeWorn", {"system": "depot"}) == "TapeWorn"


@pytest.mark.parametrize("meaning", ALL.meanings, ids=lambda one: f"{one.component}/{one.alert}/{one.severity}")
def test_every_summary_is_restored_without_templates_and_with_its_labels(meaning: Meaning) -> None:
    labels = {label: f"<{label}>" for label in ALL.identity}
    for value in ("12.3", "") if meaning.value else ("",):
        found = shown(meaning.component, meaning.alert, labels, value, meaning.severity)
        assert "{" not in found
        assert "$" not in found
        assert set(re.findall(r"<(\w+)>", found)) == set(re.findall(r"\{\{ \$labels\.(\w+) \}\}", meaning.summary))
        assert (
            (value in found) if value else (UNKNOWN in found) == bool(re.search(r"\$value|\| value", meaning.summary))
        )


def test_the_query_of_values_is_valid_promql() -> None:
    query = ALL.values()
    assert query is not None
    parse(query)


def value_of(component: str, alert: str) -> tuple[str, str] | None:
    return next(one.value for one in ALL.meanings if (one.component, one.alert) == (component, alert))


def test_a_value_is_that_of_the_compared_series_in_the_summarys_unit() -> None:
    assert value_of("application", "HighErrorRate") == ("round(100 * app:http_errors:ratio_rate5m, 0.1)", " %")
    assert value_of("application", "EventLoopBlocked") == ("round(app:event_loop_lag:seconds, 0.01)", " s")
    assert value_of("endpoint", "CertificateExpiring") == (
        "round(instance_probe:certificate_validity:seconds / 86400, 0.1)",
        " days",
    )


def test_an_alert_that_compares_no_recorded_series_has_no_value() -> None:
    assert value_of("database", "DatabaseDeadlocks") is None


def test_only_rules_that_the_stack_loads_have_summaries() -> None:
    less = Summaries.of(stack_config("dev", {"nodeExporter": {"enabled": False}}))
    assert "host" in {one.component for one in ALL.meanings}
    assert "host" not in {one.component for one in less.meanings}


def test_the_alerts_can_be_limited_by_component() -> None:
    assert "monitoring" not in {one.component for one in ALL.without("monitoring").meanings}
    assert {one.component for one in ALL.only("monitoring", "logs").meanings} == {"monitoring", "logs"}


def test_firing_alerts_are_sorted_by_severity_and_the_oldest_comes_first() -> None:
    panel = table()
    (target,) = panel["targets"]
    assert target["expr"].startswith("sort(min by (rank, severity, system, alertname, summary)")
    order = next(one["options"] for one in panel["transformations"] if one["id"] == "sortBy")
    assert order["sort"] == [{"field": "rank", "desc": False}]
    assert re.findall(r'"rank", "(\d)", "severity", "(\w+)"', target["expr"]) == [
        ("1", "critical"),
        ("2", "warning"),
        ("3", "info"),
    ]


def test_firing_alerts_show_severity_start_and_summary_but_no_column_of_ones() -> None:
    organize = next(one["options"] for one in table()["transformations"] if one["id"] == "organize")
    assert organize["renameByName"] == {"Value": "since"}
    assert organize["excludeByName"]["rank"]
    assert organize["excludeByName"]["Time"]
    assert sorted(organize["indexByName"], key=organize["indexByName"].get) == [
        "severity",
        "Value",
        "system",
        "alertname",
        "summary",
    ]


def test_the_cell_of_a_severity_has_its_colour() -> None:
    look = field(table(), "severity")
    assert len({look.paint(name) for name in ("critical", "warning", "info")} - {None}) == 3


def test_an_empty_table_says_that_no_alert_fires() -> None:
    assert table()["fieldConfig"]["defaults"]["noValue"] == "No alert fires"
