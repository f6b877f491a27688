"""What is recorded for a system unlike any of ours: history and objectives, checked by promtool."""

from typing import Any

import yaml

from observability.check.promtool import in_order
from observability.systems.model import System
from rules import history, slo
from tests.tools import run_tool


def system(name: str = "sixth", **more: Any) -> System:  # noqa: ANN401
    """A system that counts its requests in a histogram, and its errors in two counters."""
    series = {
        "request_seconds": {"kind": "histogram", "labels": ["page", "code"], "buckets": "http", "help": "Time."},
        "db_errors_total": {"kind": "counter", "labels": ["class"], "help": "Errors of the database."},
        "mail_errors_total": {"kind": "counter", "labels": ["class"], "help": "Errors of the mail."},
    }
    return System.model_validate(
        {"name": name, "title": "Sixth", "team": "six", "scrape": {"port": 80}, "series": series, **more}
    )


def recorded(made: System, series: dict[str, str], expected: dict[str, dict[str, float]]) -> None:
    """The history of a system has these samples after ten minutes: expression → labels → value."""
    checks = [
        {
            "expr": expr,
            "eval_time": "10m",
            "exp_samples": [{"labels": at, "value": value} for at, value in samples.items()],
        }
        for expr, samples in expected.items()
    ]
    inputs = [
        {"series": name.replace("{", '{system="sixth",job="backend",'), "values": values}
        for name, values in series.items()
    ]
    case: dict[str, Any] = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m"}
    case |= {"tests": [{"interval": "1m", "input_series": inputs, "promql_expr_test": checks}]}
    rules = {"rules.yaml": yaml.safe_dump({"groups": history.groups(made)}, sort_keys=False)}
    written = rules | {"case.yaml": in_order(yaml.safe_dump(case), rules)}
    result = run_tool("prometheus", ["promtool", "test", "rules", "case.yaml"], written)
    assert result.code == 0, result.output


def test_two_counters_of_errors_are_distinguished_and_summed() -> None:
    both = [{"series": f"{what}_errors_total", "type": "class"} for what in ("db", "mail")]
    recorded(
        system(signals={"errorTypes": both}),
        {'db_errors_total{class="lost"}': "0x20", 'mail_errors_total{class="lost"}': "3x20"},
        {
            "app:error_series:count": {'app:error_series:count{system="sixth",kind="type",name="lost"}': 3},
            "app:system:present": {'app:system:present{system="sixth"}': 1},
        },
    )


def test_routes_with_5xx_are_found_in_a_histogram_of_requests() -> None:
    requests = {"series": "request_seconds", "route": "page", "status": "code"}
    recorded(
        system(signals={"httpRequests": requests, "newRoutes": True}),
        {'request_seconds_count{page="/a",code="200"}': "9x20", 'request_seconds_count{page="/b",code="502"}': "2x20"},
        {"app:error_series:count": {'app:error_series:count{system="sixth",kind="route",name="/b"}': 2}},
    )


def test_a_system_without_signals_has_neither_history_nor_objectives() -> None:
    assert history.groups(system()) == []
    assert slo.groups(system()) == []


def test_no_two_systems_have_a_group_of_the_same_name() -> None:
    objectives = {
        "signals": {"httpRequests": {"series": "request_seconds", "route": "page", "status": "code"}},
        "slos": {"availability": {"objective": "99.9%"}},
    }
    names = [group["name"] for name in ("six", "six-days") for group in slo.groups(system(name, **objectives))]
    assert len(names) == len(set(names)) == 4


def test_with_only_a_latency_objective_no_other_is_recorded() -> None:
    made = system(
        signals={"httpLatency": {"series": "request_seconds", "route": "page"}},
        slos={"latency": {"objective": "95%", "target": "250ms"}},
    )
    objectives = {
        rule["labels"]["slo"]: rule["expr"]
        for group in slo.groups(made)
        for rule in group["rules"]
        if rule["record"] == "slo:error_budget:ratio"
    }
    assert objectives == {"latency": "vector(0.05)"}
