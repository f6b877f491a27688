"""What every alert has in addition to its own texts: its start, the first step, the context of its system."""

import re
from typing import Any

import pytest
import yaml

from dashboards.linked_rules import files
from observability.core.alert import ALSO_SEEN, FIRST, SINCE
from observability.core.documents import load_yaml
from rules.context import annotations, first_step
from tests.rules.harness import EVERYTHING
from tests.tools import run_tool
from tests.unit.conftest import stack_config

UP = ("pg_up", "redis_up")
PAGE = "# Broken\n\nFirst: Read the log of {{ it }}.\n\n## Diagnosis\nFirst: not this one.\n"


def rule(name: str, expr: str, severity: str = "critical", **labels: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expr,
        "for": "5m",
        "labels": {"severity": severity, "component": "application", **labels},
    }


BROKEN = rule("Broken", "errors > 0")
OTHER = rule("Other", "others > 0", "warning")
FIXED = rule("Fixed", "max(errors) > 0", system="shop")

SERIES = {
    'errors{system="shop",path="/a\\"b"}': "0 0 1x20",
    'others{system="shop"}': "1x22",
    'others{system="erp"}': "1x22",
    'pg_up{system="shop",job="postgres",instance="db:5432"}': "0x22",
    'redis_up{system="shop",job="redis",instance="cache:6379"}': "1x22",
    'redis_up{system="erp",job="redis",instance="erp:6379"}': "0x22",
    'container_start_time_seconds{system="shop",name="web"}': "60x22",
    'container_start_time_seconds{system="shop",name="old"}': "-9000x22",
    'container_start_time_seconds{system="erp",name="erp"}': "60x22",
}


def judged(made: list[dict[str, Any]], alert: str, labels: dict[str, str], told: dict[str, str]) -> str:
    """promtool's result for the alert after ten minutes; `told` are all its annotations."""
    test = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in SERIES.items()],
                "alert_rule_test": [
                    {
                        "eval_time": "10m",
                        "alertname": alert,
                        "exp_alerts": [{"exp_labels": labels, "exp_annotations": told}],
                    }
                ],
            }
        ],
    }
    written = {
        "rules.yaml": yaml.safe_dump({"groups": [{"name": "test", "rules": made}]}),
        "test.yaml": yaml.safe_dump(test),
    }
    done = run_tool("prometheus", ["/bin/promtool", "test", "rules", "test.yaml"], written)
    return "" if done.code == 0 else done.output


def told(one: dict[str, Any], page: str = "") -> dict[str, Any]:
    """The rule with the annotations that are added to it."""
    return {**one, "annotations": annotations(one, UP, page)}


LABELS = {"severity": "critical", "component": "application", "system": "shop"}
ALSO = "Down: postgres db:5432. Also firing: Other. Started in the last hour: web. "


def test_an_alert_has_its_start_and_the_context_of_its_system() -> None:
    expected = {
        FIRST: "Read the log of { { it }}.",
        SINCE: "1970-01-01 00:02:00",
        ALSO_SEEN: ALSO,
    }
    assert judged([told(OTHER), told(BROKEN, PAGE)], "Broken", {**LABELS, "path": '/a"b'}, expected) == ""


def test_the_system_may_be_a_label_of_the_rule() -> None:
    assert judged([told(OTHER), told(FIXED)], "Fixed", LABELS, {SINCE: "1970-01-01 00:02:00", ALSO_SEEN: ALSO}) == ""


def test_without_a_system_there_is_no_context() -> None:
    alone = rule("Alone", "max(errors) > 0")
    labels = {"severity": "critical", "component": "application"}
    assert judged([told(OTHER), told(alone)], "Alone", labels, {SINCE: "1970-01-01 00:02:00", ALSO_SEEN: ""}) == ""


def test_the_first_step_is_the_first_step_line_of_the_runbook() -> None:
    assert first_step(PAGE) == "Read the log of { { it }}."
    assert first_step("# Broken\n") == ""


@pytest.mark.parametrize(
    "labels",
    [{}, {"severity": "critical"}, {"severity": "critical", "component": "monitoring"}],
    ids=["none", "upstream form", "the stack itself"],
)
def test_alerts_in_upstream_form_and_of_the_stack_itself_are_unchanged(labels: dict[str, str]) -> None:
    assert annotations({"alert": "Up", "expr": "up == 0", "labels": labels}, UP, PAGE) == {}


def stores_of(name: str, values: dict[str, Any]) -> set[str]:
    """The series of data stores that the alerts on applications read."""
    document = load_yaml(files(stack_config(name, values))["applications.yaml"])
    alerts = [one for group in document["groups"] for one in group["rules"] if "alert" in one]
    (found,) = {tuple(re.findall(r'__name__=~"([^"]*)"', one["annotations"][ALSO_SEEN])) for one in alerts}
    return set("|".join(found).split("|")) - {""}


def test_the_stores_are_those_that_the_stack_reads() -> None:
    assert stores_of("dev", EVERYTHING) >= {"nginx_up", "pg_up", "probe_success", "redis_up"}
    assert "pg_up" not in stores_of("dev", {**EVERYTHING, "postgresExporter": {"enabled": False}})
    assert stores_of("staging", {"systems": {"depot": {}}, "blackboxExporter": {"enabled": False}}) == set()
