"""Alerts on endpoints that are probed less often than Prometheus looks back: they neither end between two probes nor
miss one."""

from functools import cache
from typing import Any, Final

import pytest
import yaml

from dashboards.linked_rules import files
from observability.core.documents import load_yaml
from rules import load
from tests.rules.test_alerts import asked_for
from tests.tools import run_tool
from tests.unit.conftest import stack_config

HOURLY: Final = "https://reports.example.com/health"
JSON: Final = "https://reports.example.com/json"
FIVE: Final = "https://shop.example.com/slow"

PROBES: Final = [
    {"name": "hourly", "url": HOURLY, "interval": "1h"},
    {"name": "json", "url": JSON, "interval": "1h", "json": {"status": "ok"}},
    {"name": "five", "url": FIVE, "interval": "5m"},
    {"name": "often", "url": "https://shop.example.com/", "interval": "2m"},
]


def series(name: str, probe: str, url: str, values: str) -> dict[str, str]:
    return {"series": f'{name}{{job="blackbox", system="depot", instance="{url}", probe="{probe}"}}', "values": values}


def alert(probe: str, url: str, severity: str, condition: str, summary: str, description: str) -> dict[str, Any]:
    labels = {
        "severity": severity,
        "component": "endpoint",
        "condition": condition,
        "system": "depot",
        "team": "depot",
        "instance": url,
        "probe": probe,
    }
    told = {"summary": summary, "description": description}
    if condition == "response_time":
        told["impact"] = "degraded"
    return {"exp_labels": labels, "exp_annotations": told}


def at(time: str, name: str, *alerts: dict[str, Any]) -> dict[str, Any]:
    return {"eval_time": time, "alertname": name, "exp_alerts": list(alerts)}


DOWN: Final = alert(
    "hourly",
    HOURLY,
    "critical",
    "down",
    f"{HOURLY} of depot is down",
    "It returns status 503. Its users are affected.",
)
FIVE_DOWN: Final = alert(
    *("five", FIVE, "critical", "down", f"{FIVE} of depot is down"),
    "It is not reachable: DNS, connection, certificate or timeout. Its users are affected.",
)
MISSING: Final = alert(
    *("json", JSON, "critical", "keyword", f"{JSON} of depot does not return its keyword"),
    "The response does not contain the keyword or the JSON value that the probe json demands: the service is "
    "unhealthy, or another page is served.",
)

CASES: Final[dict[str, dict[str, Any]]] = {
    "an hourly probe that fails twice is one alert from the first failure to the next success": {
        "interval": "1h",
        "input_series": [
            series("probe_success", "hourly", HOURLY, "1 0 0 1 1"),
            series("probe_http_status_code", "hourly", HOURLY, "200 503 503 200 200"),
            series("probe_failed_due_to_regex", "hourly", HOURLY, "0 0 0 0 0"),
        ],
        "alert_rule_test": [
            *(at(time, "EndpointDown") for time in ("30m", "59m50s", "60m50s", "3h2m", "3h30m", "4h4m")),
            *(at(time, "EndpointDown", DOWN) for time in ("61m20s", "67m", "90m", "2h", "2h20s", "2h30m", "3h")),
        ],
    },
    "between two probes the last value is known, and it ends five minutes after one that is missing": {
        "interval": "1h",
        "input_series": [series("probe_success", "hourly", HOURLY, "1 1")],
        "promql_expr_test": [
            {
                "expr": "instance_probe:probe_success:last",
                "eval_time": time,
                "exp_samples": [{"labels": sample, "value": 1}] if there else [],
            }
            for sample in [
                f'instance_probe:probe_success:last{{job="blackbox",system="depot",instance="{HOURLY}",probe="hourly"}}'
            ]
            for time, there in (("30m", True), ("59m", True), ("90m", True), ("2h4m30s", True), ("2h5m20s", False))
        ],
    },
    "a value of JSON that is missing every hour is EndpointKeywordMissing and not EndpointDown": {
        "interval": "1h",
        "input_series": [
            series("probe_success", "json", JSON, "0 0 1"),
            series("probe_failed_due_to_cel", "json", JSON, "1 1 0"),
        ],
        "alert_rule_test": [
            *(at(time, "EndpointDown") for time in ("2m", "30m", "90m")),
            *(at(time, "EndpointKeywordMissing", MISSING) for time in ("2m", "30m", "90m")),
            at("2h2m", "EndpointKeywordMissing"),
        ],
    },
    "a probe every five minutes is down until its next success": {
        "interval": "5m",
        "input_series": [
            series("probe_success", "five", FIVE, "1 0 1 1"),
            series("probe_http_status_code", "five", FIVE, "200 0 200 200"),
        ],
        "alert_rule_test": [
            *(at(time, "EndpointDown") for time in ("4m50s", "5m50s", "11m20s", "15m")),
            *(at(time, "EndpointDown", FIVE_DOWN) for time in ("6m20s", "8m", "10m")),
        ],
    },
    "a slow response of an hourly probe is EndpointSlow until the next probe": {
        "interval": "1h",
        "input_series": [
            series("probe_success", "hourly", HOURLY, "1 1 1"),
            series("probe_duration_seconds", "hourly", HOURLY, "0.1 2.5 0.1"),
        ],
        "alert_rule_test": [
            *(at(time, "EndpointSlow") for time in ("50m", "64m", "2h2m")),
            *(
                at(
                    time,
                    "EndpointSlow",
                    alert(
                        *("hourly", HOURLY, "warning", "response_time", f"{HOURLY} of depot takes 2.5s to respond"),
                        "Its probes take longer than 2s, including DNS and connection.",
                    ),
                )
                for time in ("66m", "90m", "119m")
            ),
        ],
    },
    "the certificate of an hourly probe is judged between two probes": {
        "interval": "1h",
        "input_series": [series("probe_ssl_earliest_cert_expiry", "hourly", HOURLY, "172800 172800")],
        "promql_expr_test": [
            {
                "expr": "instance_probe:certificate_validity:seconds",
                "eval_time": "40m",
                "exp_samples": [
                    {
                        "labels": 'instance_probe:certificate_validity:seconds{system="depot",'
                        f'instance="{HOURLY}",probe="hourly"}}',
                        "value": 172800 - 2400,
                    }
                ],
            }
        ],
    },
}


def generated() -> dict[str, str]:
    """The rule files of a stack with these probes."""
    return files(stack_config("dev", {"systems": {"depot": {"probes": PROBES}}}))


@cache
def verdicts() -> dict[str, str]:
    """promtool's result for each case: one container for all of them."""
    own = generated()
    endpoints = load()["endpoints.yaml"].text
    rules = {
        "thresholds.yaml": asked_for(own["thresholds.yaml"], f"{endpoints} depot"),
        "probes.yaml": own["probes.yaml"],
        "endpoints.yaml": endpoints,
    }
    written = {f"rules/{name}": text for name, text in rules.items()}
    groups = ["thresholds-depot", "probes", "endpoints"]
    for number, (name, case) in enumerate(CASES.items()):
        document = {
            "rule_files": [f"rules/{file}" for file in rules],
            "evaluation_interval": "10s",
            "group_eval_order": groups,
            "tests": [{"name": name, **case}],
        }
        written[f"{number}.yaml"] = yaml.safe_dump(document)
    each = "for file in [0-9]*.yaml; do echo file: $file; promtool test rules $file || failed=1; done; exit $failed"
    said = run_tool("prometheus", ["sh", "-c", f"exec 2>&1; {each}"], written).output.split("file: ")[1:]
    found = dict(one.split("\n", 1) for one in said)
    return {name: found[f"{number}.yaml"] for number, name in enumerate(CASES)}


@pytest.mark.parametrize("name", CASES)
def test_promtool_passes(name: str) -> None:
    said = verdicts()[name]
    assert "SUCCESS" in said, said
    assert "FAILED" not in said, said


def test_only_probes_that_are_slower_than_the_lookback_are_recorded() -> None:
    (group,) = load_yaml(generated()["probes.yaml"])["groups"]
    (success,) = (rule["expr"] for rule in group["rules"] if rule["record"] == "instance_probe:probe_success:last")
    assert "[600s]" in success
    assert "[3900s]" in success
    assert 'probe="five"' in success
    assert 'probe=~"hourly|json"' in success
    assert "often" not in success


def test_a_stack_without_slow_probes_records_none() -> None:
    probes = [{"name": "often", "url": "https://shop.example.com/", "interval": "2m"}]
    assert "probes.yaml" not in files(stack_config("dev", {"systems": {"depot": {"probes": probes}}}))
