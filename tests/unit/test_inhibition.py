"""Which alerts mute others, by Alertmanager's own algorithm on its generated rules."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from observability.alerting import alertmanager
from observability.alerting.matchers import parse_matchers
from observability.core.documents import load_yaml
from observability.core.expressions import compiled
from observability.scrape.jobs import jobs
from observability.scrape.prometheus import HOST_OF_INSTANCE, files, host_names, host_of
from tests.unit.conftest import stack_config

Labels = dict[str, str]

RULES: Sequence[Mapping[str, Any]] = load_yaml(alertmanager.files(stack_config())["alertmanager.yaml"])[
    "inhibit_rules"
]


def holds(matchers: Sequence[str], labels: Labels) -> bool:
    return all(matcher.holds(labels) for text in matchers for matcher in parse_matchers(text))


def mutes(source: Labels, target: Labels) -> list[str]:
    """Names of the rules by which an alert mutes another, as in `inhibit.Inhibitor.Mutes`."""
    return [
        rule["name"]
        for rule in RULES
        if holds(rule["target_matchers"], target)
        and holds(rule["source_matchers"], source)
        # An absent label equals an absent one.
        and all(source.get(label, "") == target.get(label, "") for label in rule["equal"])
        # An alert on both sides of a rule is not muted by others on both sides.
        and not (holds(rule["source_matchers"], target) and holds(rule["target_matchers"], source))
    ]


def alert(name: str, severity: str = "critical", component: str = "application", **more: str) -> Labels:
    return {"alertname": name, "severity": severity, "component": component, "system": "depot", **more}


ERRORS = alert("CriticalErrorRate", condition="error_rate")
SLOW = alert("CriticalResponseTime", condition="response_time", route="/a")
BUDGET = alert("SLOErrorBudgetBurn", condition="error_budget", slo="availability")
SLOW_BUDGET = alert("SLOErrorBudgetBurn", condition="error_budget", slo="latency")
ENDPOINT = alert("EndpointDown", component="endpoint", condition="down", instance="https://shop/", probe="shop")
DATABASE = alert("DatabaseDown", component="database", condition="down", instance="db-1:5432", host="db-1")
REDIS = alert("RedisDown", component="cache", condition="down", instance="cache-1:6379", host="cache-1")
NGINX = alert("NginxDown", component="proxy", condition="down", instance="web-1:8081", host="web-1")
HOST = alert("HostDown", component="host", condition="down", instance="db-1:9100", host="db-1")
SILENT = alert("HostSilent", component="host", condition="silent", instance="db-1", host="db-1")
STALLED = alert("TransactionsStalled", component="business", condition="transactions")
ALL_DOWN = alert("ServiceDown", component="service", condition="down", instance="app-1:8080", page="yes")
ONE_DOWN = {**ALL_DOWN, "page": "no"}
EXPORTER = alert("ServiceDown", component="monitoring", condition="down", instance="db-1:5432", job="postgres")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (ERRORS, alert("HighErrorRate", "warning", condition="error_rate")),
        (SLOW, alert("HighResponseTime", "warning", condition="response_time", route="/a")),
        (HOST, DATABASE),
        (SILENT, DATABASE),
        (SILENT, HOST),
        (SILENT, EXPORTER | {"host": "db-1"}),
        (HOST, alert("HighCPUUsage", "warning", "host", condition="cpu_usage", host="db-1")),
        (DATABASE, EXPORTER),
        (DATABASE, alert("SlowDatabaseQueries", "warning", "database", condition="db_query_time")),
        (DATABASE, alert("DatabasePoolExhausted", component="database", condition="db_pool")),
        (DATABASE, alert("ReplicationLag", "warning", "database", condition="replication_lag", instance="db-2:5432")),
        (DATABASE, ERRORS),
        (DATABASE, SLOW),
        (DATABASE, BUDGET),
        (DATABASE, ENDPOINT),
        (DATABASE, STALLED),
        (REDIS, SLOW),
        (REDIS, alert("CriticalCacheHitRate", component="cache", condition="cache_hit_rate")),
        (NGINX, ENDPOINT),
        (ALL_DOWN, ENDPOINT),
        ({name: value for name, value in ALL_DOWN.items() if name != "page"}, ENDPOINT),
        (ALL_DOWN, BUDGET),
        (ALL_DOWN, STALLED),
        (ERRORS, BUDGET),
        (ERRORS, SLOW),
        (ERRORS, ENDPOINT),
        (ERRORS, STALLED),
        (SLOW, SLOW_BUDGET),
        (SLOW, alert("EndpointSlow", "warning", "endpoint", condition="response_time", instance="https://shop/")),
        (ENDPOINT, BUDGET),
    ],
    ids=lambda one: one["alertname"],
)
def test_the_cause_mutes_its_effects(source: Labels, target: Labels) -> None:
    assert mutes(source, target)
    assert not mutes(target, source)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (HOST, ENDPOINT | {"host": "db-1"}),
        (HOST, {**DATABASE, "host": "db-2"}),
        (HOST, SILENT),
        (SILENT, {**SILENT, "host": "db-2", "instance": "db-2"}),
        (SILENT, ENDPOINT | {"host": "db-1"}),
        (DATABASE, {**DATABASE, "instance": "db-2:5432", "host": "db-2"}),
        (DATABASE, alert("DatabaseWraparound", component="database", condition="wraparound", instance="db-2:5432")),
        (DATABASE, {**ERRORS, "system": "studio"}),
        (DATABASE, REDIS),
        (DATABASE, ALL_DOWN),
        (DATABASE, alert("SuspiciousActivity", component="security", condition="suspicious_activity")),
        (DATABASE, alert("CertificateExpiring", component="endpoint", condition="certificate", instance="https://a/")),
        (DATABASE, alert("LowInventory", "warning", "business", condition="inventory")),
        (REDIS, ERRORS),
        (ONE_DOWN, ERRORS),
        (ERRORS, alert("CriticalMemoryUsage", condition="memory_usage", instance="app-1:8080")),
        (SLOW, {**SLOW, "route": "/b"}),
        (SLOW, alert("HighResponseTime", "warning", condition="response_time", route="/b")),
        (SLOW, BUDGET),
        (ERRORS | {"obs_test": "1"}, BUDGET),
        (HOST, DATABASE | {"cause_silenced": "HostDown"}),
    ],
    ids=lambda one: one["alertname"],
)
def test_an_independent_alert_is_not_muted(source: Labels, target: Labels) -> None:
    assert mutes(source, target) == []


def recently(cause: Labels, window: str = "5m") -> Labels:
    """The alert that repeats a critical one."""
    moved = {"alertname": "cause", "component": "cause_component", "page": "cause_page"}
    copied = {moved.get(name, name): value for name, value in cause.items()}
    fixed = {"alertname": "RecentlyCritical", "severity": "info", "component": "monitoring", "page": "no"}
    return copied | fixed | {"window": window}


@pytest.mark.parametrize(
    ("cause", "effect"),
    [
        (ERRORS, alert("HighErrorRate", "warning", condition="error_rate")),
        (ERRORS, alert("LogErrorBurst", "warning", "logs", condition="log_errors", service="app")),
        (DATABASE, ERRORS),
        (DATABASE, ENDPOINT),
        (REDIS, SLOW),
        (NGINX, ENDPOINT),
        (ALL_DOWN, ERRORS),
        (ENDPOINT, BUDGET),
    ],
    ids=lambda one: one["alertname"],
)
def test_a_cause_that_has_ended_mutes_its_effects_and_no_others(cause: Labels, effect: Labels) -> None:
    assert mutes(recently(cause), effect)
    assert not mutes(recently(cause), cause)
    assert not mutes(recently(cause), {**effect, "system": "studio"})


def test_a_host_that_was_down_mutes_what_is_on_it_afterwards() -> None:
    assert mutes(recently(HOST), DATABASE)
    assert not mutes(recently(HOST), {**DATABASE, "host": "db-2"})


def test_an_outage_mutes_the_error_budget_for_half_an_hour_and_nothing_else() -> None:
    for cause in (ERRORS, DATABASE, ALL_DOWN, ENDPOINT):
        assert mutes(recently(cause, "30m"), BUDGET)
        assert mutes(recently(cause, "30m"), SLOW_BUDGET)
        assert not mutes(recently(cause, "30m"), ERRORS)
    assert not mutes(recently(alert("SuspiciousActivity", component="security"), "30m"), BUDGET)


def test_one_instance_that_was_down_mutes_nothing_afterwards() -> None:
    assert not mutes(recently(ONE_DOWN), ERRORS)


def test_alertmanager_names_a_cause_that_fires_before_one_that_has_ended() -> None:
    names = [rule["name"] for rule in RULES]
    afterwards = [number for number, name in enumerate(names) if name.endswith(", afterwards")]
    assert afterwards == list(range(len(names) // 2, len(names)))


BARE: Labels = {"alertname": "Foreign", "severity": "warning"}


@pytest.mark.parametrize(
    "name", [*("HostDown", "HostSilent", "DatabaseDown", "RedisDown", "NginxDown", "EndpointDown", "ServiceDown")]
)
@pytest.mark.parametrize("component", ["application", "database", "cache", "proxy", "endpoint", "business", "host"])
def test_alerts_that_lack_a_label_never_mute_one_another(name: str, component: str) -> None:
    source = {"alertname": name, "severity": "critical", "component": component}
    targets = [{**BARE, "component": component, "condition": condition} for condition in ("error_budget", "down", "")]
    assert [mutes(source, target) for target in targets] == [[], [], []]


def test_a_critical_without_condition_or_system_mutes_no_warning() -> None:
    for labels in ({}, {"condition": "cpu_usage"}, {"system": "depot"}, {"instance": "a:9100"}):
        assert mutes({"alertname": "A", "severity": "critical", **labels}, {**BARE, **labels}) == []
    both = {"condition": "cpu_usage", "system": "depot"}
    assert mutes({"alertname": "A", "severity": "critical", **both}, {**BARE, **both}) == ["critical over warning"]


def host(relabelling: Sequence[Mapping[str, Any]], labels: Labels) -> str:
    """The label `host` of an alert after Prometheus' relabelling."""
    found = dict(labels)
    for rule in relabelling:
        joined = rule.get("separator", ";").join(found.get(name, "") for name in rule["source_labels"])
        if match := compiled(rule["regex"]).search(joined):
            found["host"] = rule["replacement"].replace("$1", match[1] if match.groups() else "")
    return found.get("host", "")


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"instance": "web-1"}, "web-1"),
        ({"instance": "10.0.0.5:8080"}, "web-1"),
        ({"instance": "http://10.0.0.5:8080/health"}, "web-1"),
        ({"instance": "10.0.0.50:8080"}, "10.0.0.50"),
        ({"instance": "10.0.0.5:8080", "host": "other"}, "other"),
        ({"host": "10.0.0.5"}, "web-1"),
        ({"instance": "[2001:db8::5]:9100"}, "[2001:db8::5]"),
        ({"alertname": "HighErrorRate"}, ""),
    ],
)
def test_an_alert_names_its_host_whether_by_its_address_or_by_its_name(labels: Labels, name: str) -> None:
    config = stack_config(
        "dev",
        {
            "systems": {
                "depot": {
                    "instances": {"static": ["10.0.0.5:8080"]},
                    "hosts": [{"address": "10.0.0.5:9100", "name": "web-1"}],
                }
            },
        },
    )
    document = load_yaml(files(config, {})["prometheus.yaml"])
    relabelling = document["alerting"]["alert_relabel_configs"]
    assert relabelling[0] == HOST_OF_INSTANCE
    assert host(relabelling, labels) == name
    assert host_names(jobs(config))["10.0.0.5"] == "web-1"


def test_the_host_of_an_address_is_the_one_that_relabelling_extracts() -> None:
    addresses = ["a:1", "a", "https://a.example.com:8443/x", "[::1]:9100", "tcp://b:5"]
    assert [host_of(one) for one in addresses] == ["a", "a", "a.example.com", "[::1]", "b"]
