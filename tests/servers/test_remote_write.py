"""Remote write from the pinned Prometheus to another one, through a double that checks credentials and fails."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any, Final, cast

import docker
import httpx
import pytest
import yaml
from docker.models.containers import Container

from dashboards.linked_rules import files as rule_files
from observability.core import http
from observability.core.documents import load_yaml
from observability.operations import loaded, remote_write
from observability.parts.images import PINS
from observability.parts.prometheus import LOADED
from observability.scrape import prometheus
from observability.settings.load import StackConfig
from observability.settings.new_relic import METRICS, SECRET
from tests.ports import free_port
from tests.tools import archive
from tests.unit.conftest import stack_config
from tests.waits import until

HOST: Final = "receiver.example.com"
PASSWORD, TOKEN, KEY, LICENSE = "pass word", "right-token", "right-key", "right-license-key"
SECRETS: Final = {
    "filteredRemoteWritePassword": PASSWORD,
    "secondRemoteWriteToken": TOKEN,
    "secondRemoteWriteHeaderXApiKey": KEY,
    "refusedRemoteWriteToken": "wrong-token",
    SECRET: "wrong-license-key",
}
COMMAND: Final = ("--enable-feature=metadata-wal-records", "--storage.tsdb.retention.time=1d")
SMALL: Final = {"capacity": 100, "maxSamplesPerSend": 100, "maxShards": 1, "maxBackoff": "1s"}
"""A queue that is full at the first scrape."""

WANTED: Final[dict[str, dict[str, str]]] = {
    "filtered": {"Authorization": "Basic ZmlsdGVyZWQtdXNlcjpwYXNzIHdvcmQ=", "X-Scope-Orgid": "a"},
    "second": {"Authorization": f"Bearer {TOKEN}", "X-Api-Key": KEY},
    "refused": {"Authorization": f"Bearer {TOKEN}"},
    "failing": {},
    "limited": {},
    "prometheus": {
        "Authorization": f"Bearer {LICENSE}",
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    },
}
"""The headers that the double demands, by receiver; `prometheus` is the first part of the path at New Relic."""

DENIED: Final = {"prometheus": (403, b"Invalid license key")}
"""The answer to a wrong credential, where it is another than 401."""


@dataclass
class Double:
    """A receiver that checks headers, answers as the test says, and passes on what it takes."""

    behind: str
    port: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    seen: dict[str, dict[str, str]] = field(default_factory=dict)
    """Headers of the last request, by receiver."""
    paths: dict[str, str] = field(default_factory=dict)
    """Path and query of the last request, by receiver."""

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        """The status and the headers of the response to a request."""
        name = path.split("/")[1]
        self.seen[name], self.paths[name] = headers, path
        if any(headers.get(header) != value for header, value in WANTED[name].items()):
            return DENIED.get(name, (401, b""))[0], {}
        if name in self.statuses:
            return self.statuses[name], {"Retry-After": "1"} if self.statuses[name] == 429 else {}
        kept = {key: value for key, value in headers.items() if key.startswith(("Content-", "X-Prometheus"))}
        answer = http.post(f"{self.behind}/api/v1/write", content=body, headers=kept, timeout=30, trust_env=False)
        # By these a receiver of version 2 says how many samples it has stored.
        return answer.status_code, {k: v for k, v in answer.headers.items() if k.startswith("x-prometheus")}


@contextmanager
def serving(double: Double) -> Iterator[Double]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            own = {name.title(): value for name, value in self.headers.items()}
            status, headers = double.answer(self.path, own, body)
            text = {401: b"no such token", **dict(DENIED.values())}.get(status, b"")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    double.port = server.server_port
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()


def config(port: int) -> StackConfig:
    """A stack with a receiver of every kind."""
    url = f"http://{HOST}:{port}"
    receivers: list[dict[str, Any]] = [
        {
            "name": "filtered",
            "url": f"{url}/filtered/write",
            "basicAuthUser": "filtered-user",
            "headers": {"X-Scope-OrgID": "a"},
            "keep": [{"metrics": ["up"]}, {"metrics": ["go_.+"], "labels": {"environment": "dev"}}],
            "drop": [{"metrics": ["go_gc.+"]}],
        },
        {
            "name": "second",
            "url": f"{url}/second/write",
            "bearerToken": True,
            "secretHeaders": ["X-Api-Key"],
            "protocol": "v2",
            "keep": [{"metrics": ["process_.+"]}],
        },
        {"name": "refused", "url": f"{url}/refused/write", "bearerToken": True, "keep": [{"metrics": ["net_.+"]}]},
        {"name": "failing", "url": f"{url}/failing/write", "queue": SMALL},
        {"name": "limited", "url": f"{url}/limited/write", "keep": [{"metrics": ["promhttp_.+"]}]},
    ]
    lag = {"platform": {"thresholds": {"remoteWriteLag": {"warning": "15s"}}}}
    quick = {"scrapeInterval": "1s", "evaluationInterval": "1s"}
    new_relic = {"keep": [{"metrics": ["prometheus_tsdb_.+"]}]}
    return stack_config("dev", {"remoteWrite": receivers, "newRelic": new_relic, "systems": lag, "prometheus": quick})


@dataclass(frozen=True, kw_only=True)
class Running:
    """The sender with its stack and its files, the double, and the receiver behind it."""

    config: StackConfig
    files: dict[str, str]
    sender: Container
    url: str
    receiver: str
    double: Double

    def get(self, _: str, path: str, **params: str) -> Any:  # noqa: ANN401 - JSON
        """The sender's response, as `verify` asks for it."""
        return http.get(f"{self.url}{path}", params=params, timeout=30, trust_env=False).raise_for_status().json()

    def received(self, query: str) -> list[dict[str, str]]:
        """The series that the receiver has."""
        answer = http.get(f"{self.receiver}/api/v1/query", params={"query": query}, timeout=30, trust_env=False)
        return [one["metric"] for one in answer.raise_for_status().json()["data"]["result"]]

    def row(self, name: str) -> tuple[str, str]:
        """The verdict and the detail of the row of `verify`."""
        program = SimpleNamespace(containers=SimpleNamespace(get=lambda _: self.sender))
        rows = remote_write.targets(self.config, cast("Any", program), self.get, lambda condition: condition())
        return {check: (verdict, detail) for check, verdict, detail in rows}[f"remote write {name}"]

    def alerts(self) -> set[tuple[str, str]]:
        """Alerts that are pending or fire, with the receiver."""
        found = self.get("", "/api/v1/alerts")["data"]["alerts"]
        return {(one["labels"]["alertname"], one["labels"].get("remote_name", "")) for one in found}

    def replace(self, path: str, text: str) -> None:
        """Another content of a file of the sender."""
        self.sender.put_archive("/", archive({path: text}))


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with ExitStack() as held:
        port, own = free_port(), free_port()
        flags = ("--web.enable-remote-write-receiver",)
        held.enter_context(_prometheus(port, {"prometheus.yaml": "global: {}\n"}, flags))
        receiver = f"http://127.0.0.1:{port}"
        double = held.enter_context(serving(Double(behind=receiver, statuses={"failing": 500, "limited": 429})))
        stack = config(double.port)
        files = _files(stack, own, f"http://{HOST}:{double.port}")
        secrets = {path: SECRETS[name] for path, name in prometheus.secret_files(stack).items() if name in SECRETS}
        sender = held.enter_context(_prometheus(own, {**files, **secrets}, COMMAND))
        yield Running(
            config=stack,
            files=files,
            sender=sender,
            url=f"http://127.0.0.1:{own}",
            receiver=receiver,
            double=double,
        )


def _files(stack: StackConfig, port: int, double: str) -> dict[str, str]:
    """Prometheus' files of the stack; of the scrape jobs only that of Prometheus itself. New Relic is the double."""
    rules = rule_files(stack)
    written = prometheus.files(stack, {name: rules[name] for name in ("thresholds.yaml", "prometheus.yaml")})
    document = load_yaml(written["prometheus.yaml"])
    (job,) = (one for one in document["scrape_configs"] if one["job_name"] == "prometheus")
    job["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"]
    document["scrape_configs"], document["alerting"] = [job], {}
    (new_relic,) = (one for one in document["remote_write"] if one["name"] == "new-relic")
    assert new_relic["url"].startswith(METRICS["us"])
    new_relic["url"] = double + new_relic["url"].removeprefix("https://metric-api.newrelic.com")
    return {
        "prometheus.yaml": yaml.safe_dump(document, sort_keys=False),
        **{path: text for path, text in written.items() if path.startswith("rules/")},
    }


@contextmanager
def _prometheus(port: int, files: dict[str, str], flags: tuple[str, ...]) -> Iterator[Container]:
    container = docker.from_env().containers.create(
        PINS["prometheus"],
        [
            "--config.file=/given/prometheus.yaml",
            "--storage.tsdb.path=/tmp/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.enable-lifecycle",
            *flags,
        ],
        network_mode="host",
        extra_hosts={HOST: "127.0.0.1"},
        user="65534",
    )
    try:
        container.put_archive("/", archive(files))
        container.start()
        until(lambda: _ready(port))
        yield container
    finally:
        print(container.logs(tail=40).decode()[-4000:])  # noqa: T201 - shown by pytest where a test fails
        container.remove(force=True, v=True)


def _ready(port: int) -> bool:
    try:
        return http.get(f"http://127.0.0.1:{port}/-/ready", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def soon(condition: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it returns
    return until(condition, pause=0.5)


def test_the_receiver_has_what_the_filters_keep_and_nothing_else(running: Running) -> None:
    soon(lambda: running.received("go_goroutines"))
    (up,) = running.received("up")
    assert up == {
        "__name__": "up",
        "job": "prometheus",
        "instance": "prometheus:9090",
        "system": "platform",
        "cluster": "obs-dev",
        "environment": "dev",
    }
    names = {one["__name__"] for one in running.received('{__name__=~".+"}')}
    assert "go_gc_duration_seconds" not in names
    assert {name.partition("_")[0] for name in names} <= {"up", "go", "process"}
    soon(lambda: running.row("filtered")[0] == "passed")
    assert ", 0 failed in 2 min, last accepted " in running.row("filtered")[1]


def test_version_2_arrives_with_a_token_and_a_secret_header(running: Running) -> None:
    soon(lambda: running.received("process_cpu_seconds_total"))
    headers = running.double.seen["second"]
    assert headers["Content-Type"] == "application/x-protobuf;proto=io.prometheus.write.v2.Request"
    assert headers["Content-Encoding"] == "snappy"
    assert running.double.seen["filtered"]["Content-Type"] == "application/x-protobuf"
    soon(lambda: running.row("second")[0] == "passed")


def test_a_wrong_token_is_in_the_row_and_raises_the_alert_until_it_is_replaced(running: Running) -> None:
    soon(lambda: running.row("refused")[0] == "failed")
    detail = running.row("refused")[1]
    assert detail.startswith("rejects all samples; ")
    said = "server returned HTTP status 401 Unauthorized: no such token"
    assert detail.endswith(f"; {said}; replace the credential: ./obs secret set refusedRemoteWriteToken dev")
    soon(lambda: ("PrometheusRemoteWriteRejected", "refused") in running.alerts())
    assert ("PrometheusRemoteWriteBehind", "refused") not in running.alerts()
    assert not running.received('{__name__=~"net_.+"}')
    running.replace("secrets/remote-write-refused-token", TOKEN)
    soon(lambda: running.received('{__name__=~"net_.+"}'))


def test_new_relic_gets_samples_with_its_license_key_and_a_wrong_key_is_named(running: Running) -> None:
    soon(lambda: running.row("new-relic")[0] == "failed")
    soon(lambda: ("PrometheusRemoteWriteRejected", "new-relic") in running.alerts())
    detail = running.row("new-relic")[1]
    assert detail.startswith("rejects all samples; ")
    assert detail.endswith("; replace the credential: ./obs secret set newRelicLicenseKey dev")
    assert not running.received("prometheus_tsdb_head_series")
    running.replace("secrets/remote-write-new-relic-token", LICENSE)
    (found,) = soon(lambda: running.received("prometheus_tsdb_head_series"))
    assert (found["system"], found["cluster"], found["environment"]) == ("platform", "obs-dev", "dev")
    assert running.double.paths["prometheus"] == "/prometheus/v1/write?prometheus_server=obs-dev"


def test_a_receiver_that_fails_is_behind_although_its_full_queue_is_not(running: Running) -> None:
    soon(lambda: ("PrometheusRemoteWriteBehind", "failing") in running.alerts())
    names = "queue_highest_timestamp_seconds", "queue_highest_sent_timestamp_seconds"
    values = [
        running.get("", "/api/v1/query", query=f'prometheus_remote_storage_{name}{{remote_name="failing"}}')
        for name in names
    ]
    newest, sent = (float(one["data"]["result"][0]["value"][1]) for one in values)
    assert sent == 0
    assert newest < running.get("", "/api/v1/query", query="time()")["data"]["result"][0] - 15
    assert running.row("failing")[0] == "failed"
    assert "has answered no request yet" in running.row("failing")[1]
    assert "HTTP status 500" in running.row("failing")[1]
    assert ("PrometheusRemoteWriteRejected", "failing") not in running.alerts()


def test_samples_that_met_a_rate_limit_are_sent_again(running: Running) -> None:
    soon(lambda: "limited" in running.double.seen)
    del running.double.statuses["limited"]
    soon(lambda: running.received("promhttp_metric_handler_requests_total"))
    failed = running.get(
        "", "/api/v1/query", query='prometheus_remote_storage_samples_failed_total{remote_name="limited"}'
    )
    assert [one["value"][1] for one in failed["data"]["result"]] == ["0"]


def test_the_configuration_in_use_is_the_declared_one(running: Running) -> None:
    found = running.get("", LOADED.config)["data"]["yaml"]
    wanted = load_yaml(running.files["prometheus.yaml"])
    assert loaded.configuration(wanted, load_yaml(found), LOADED, "/given", COMMAND) == []
    wanted["remote_write"][0]["url"] = "http://another.example.com"
    del wanted["remote_write"][0]["headers"]
    assert loaded.configuration(wanted, load_yaml(found), LOADED, "/given", COMMAND) == [
        "remote_write[filtered].url differs",
        "remote_write[filtered].headers is in use, not declared",
    ]


def test_no_secret_is_in_the_configuration_or_the_log(running: Running) -> None:
    text = "".join(running.files.values()) + running.sender.logs().decode()
    text += json.dumps(running.get("", LOADED.config))
    assert not [value for value in SECRETS.values() if value in text]
