"""Metrics by OTLP in the pinned collector and the pinned Prometheus: names, labels, and the limit of a system."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
import yaml

from observability.collector import otlp
from observability.core import http
from observability.core.documents import load_yaml
from observability.parts import traces
from observability.scrape import prometheus
from tests.ports import free_port
from tests.servers.collector_run import Running, collector, ready, started
from tests.servers.otlp_metrics import Metric, counter, differences, durations, gauge, send
from tests.unit.conftest import SENT, stack_config
from tests.waits import until

LIMIT: Final = 100
CONFIG: Final = stack_config(
    "dev",
    {
        "otlpMetrics": {"series": LIMIT},
        "systems": {"foundry": {"traces": {"services": ["foundry-api"]}, "otlpMetrics": {"series": 1000}}},
    },
    SENT,
)

HTTP: Final = "http.server.request.duration"
REQUEST: Final[dict[str, str | int]] = {"http.request.method": "GET", "http.route": "/castings/{id}"}
FORGED: Final[dict[str, str | int]] = {"system": "depot", "job": "backend", "instance": "elsewhere", "service": "x"}
INSTANCE: Final[dict[str, str | int]] = {"service.instance.id": "foundry-1", "host.name": "web-1", "process.pid": 7}

SENT_METRICS: Final[list[Metric]] = [
    durations(HTTP, {0.03: 90, 0.8: 10}, {**REQUEST, "http.response.status_code": 200}),
    durations(HTTP, {0.03: 5}, {**REQUEST, "http.response.status_code": 500}),
    durations("db.client.operation.duration", {0.004: 20}, {"db.operation.name": "SELECT"}),
    durations("db.client.operation.duration", {0.5: 2}, {"db.operation.name": "SELECT", "error.type": "timeout"}),
    gauge("jvm.memory.used", 4e8, "By", {"jvm.memory.type": "heap", "jvm.memory.pool.name": "Eden"}),
    gauge("process.memory.usage", 1e8, "By"),
    gauge("nodejs.eventloop.delay.p99", 0.02, "s"),
    gauge("go.goroutine.count", 12, "{goroutine}"),
    gauge("db.client.connection.count", 3, "{connection}", {"db.client.connection.state": "used"}),
    counter("castings", 41, FORGED),
    gauge("up", 0),
    gauge("app:threshold:error_ratio", 1),
]

Series = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A Prometheus that has scraped what the collector took."""

    running: Running
    api: str

    def found(self, query: str) -> list[tuple[dict[str, str], float]]:
        """Labels, without the name, and value of what a query finds."""
        answer = http.get(f"{self.api}/query", params={"query": query}, timeout=30, trust_env=False)
        results = answer.raise_for_status().json()["data"]["result"]
        return [
            ({key: value for key, value in one["metric"].items() if key != "__name__"}, float(one["value"][1]))
            for one in results
        ]

    def send(self, service: str, metrics: list[Metric], resource: dict[str, str | int] | None = None) -> None:
        """Send metrics of a service."""
        assert send(self.running.spans[traces.HTTP], service, metrics, resource) == 200


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("prometheus")
    folder.chmod(0o777)
    with collector(CONFIG, tmp_path_factory.mktemp("collector")) as running:
        written = load_yaml(prometheus.files(CONFIG, {})["prometheus.yaml"])
        jobs = [job for job in written["scrape_configs"] if job["job_name"].startswith("otlp-")]
        internal = {f"collector:{port}": f"127.0.0.1:{running.spans[port]}" for port in otlp.ports(CONFIG).values()}
        for job in jobs:
            job |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
            (static,) = job["static_configs"]
            static["targets"] = [internal[one] for one in static["targets"]]
        (folder / "prometheus.yaml").write_text(yaml.safe_dump({"scrape_configs": jobs}))
        port = free_port()
        arguments = [
            f"--config.file={folder}/prometheus.yaml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with started(folder, "prometheus", arguments) as program:
            ready(f"http://127.0.0.1:{port}/-/ready", program)
            made = Outcome(running=running, api=f"http://127.0.0.1:{port}/api/v1")
            made.send("foundry-api", SENT_METRICS, INSTANCE)
            until(lambda: made.found("castings_total"))
            yield made


def test_a_series_has_the_name_that_prometheus_makes_of_the_convention(outcome: Outcome) -> None:
    declared = set(CONFIG.systems["foundry"].series)
    own = {"process_memory_usage_bytes", "nodejs_eventloop_delay_p99_seconds", "go_goroutine_count", "castings_total"}
    names = {f"{name}_count" if name.endswith("duration_seconds") else name for name in own}
    for name in names | {"jvm_memory_used_bytes", "db_client_connection_count"}:
        assert outcome.found(f'{name}{{system="foundry"}}'), name
    assert {"jvm_memory_used_bytes", "db_client_connection_count"} <= declared


def test_a_histogram_has_the_labels_and_bounds_that_the_systems_file_declares(outcome: Outcome) -> None:
    system = CONFIG.systems["foundry"]
    (spec,) = [spec for name, spec in system.series.items() if name == "http_server_request_duration_seconds"]
    found = outcome.found('http_server_request_duration_seconds_bucket{http_response_status_code="200"}')
    assert {float(labels["le"]) for labels, _ in found} == {*spec.bounds, float("inf")}
    (labels, *_), *_ = found
    assert labels.keys() == {*spec.labels, "le", "system", "job", "instance", "service"}
    (within,) = outcome.found('http_server_request_duration_seconds_bucket{http_response_status_code="200",le="0.05"}')
    assert within[1] == 90


def test_a_call_that_failed_is_told_from_one_that_succeeded(outcome: Outcome) -> None:
    name = "db_client_operation_duration_seconds_count"
    assert [value for _, value in outcome.found(f'{name}{{error_type=""}}')] == [20]
    assert [value for _, value in outcome.found(f'{name}{{error_type!=""}}')] == [2]


def test_the_labels_of_the_system_are_those_of_its_resource(outcome: Outcome) -> None:
    ((labels, value),) = outcome.found("castings_total")
    assert value == 41
    assert labels == {"system": "foundry", "job": "otlp", "instance": "foundry-1", "service": "foundry-api"}


def test_a_program_cannot_write_series_of_prometheus_or_of_rules(outcome: Outcome) -> None:
    # The first scrape of each page is within a second.
    until(lambda: len(outcome.found("up")) == 2)
    assert {labels["system"]: value for labels, value in outcome.found("up")} == {"foundry": 1, "unassigned": 1}
    assert not outcome.found("app:threshold:error_ratio")
    assert not outcome.found("app_threshold_error_ratio")


def test_without_an_instance_the_host_and_the_process_tell_two_apart(outcome: Outcome) -> None:
    for pid in (7, 8):
        outcome.send("foundry-api", [gauge("furnaces", pid)], {"host.name": "web-1", "process.pid": pid})
    found = until(lambda: len(all_of := outcome.found("furnaces")) == 2 and all_of)
    assert {labels["instance"] for labels, _ in found} == {"foundry-api-web-1-7", "foundry-api-web-1-8"}


def test_a_counter_that_is_sent_as_differences_is_added_up(outcome: Outcome) -> None:
    for one in differences("pours", [5, 4, 6]):
        outcome.send("foundry-api", [one], INSTANCE)
    until(lambda: [value for _, value in outcome.found("pours_total")] == [15])


def test_a_system_over_its_limit_is_down_and_others_are_not(outcome: Outcome) -> None:
    outcome.send("stranger", [gauge("few", 1)])
    until(lambda: [labels["system"] for labels, _ in outcome.found("few")] == ["unassigned"])
    outcome.send("stranger", [gauge("many", number, labels={"number": number}) for number in range(LIMIT + 1)])
    until(lambda: {labels["system"]: value for labels, value in outcome.found("up")}["unassigned"] == 0)
    assert [value for labels, value in outcome.found("up") if labels["system"] == "foundry"] == [1]
    assert not outcome.found("many")
