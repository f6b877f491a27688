"""Exemplars in the pinned Prometheus: what a panel of latency asks of it, it answers with the id of a trace."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
import yaml

from dashboards.queries import queries
from observability.core import http
from observability.core.documents import load_yaml
from observability.parts.images import PINS
from observability.scrape import prometheus
from tests.ports import free_port
from tests.tools import archive
from tests.unit.conftest import stack_config
from tests.unit.metrics_server import serving
from tests.waits import until

SYSTEM = "print-shop"
TRACE = "0af7651916cd43dd8448eb211c80319c"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def page(headers: dict[str, str]) -> tuple[str, str]:
    """A page of the system: with an exemplar in OpenMetrics, without in text."""
    labels = 'method="GET",route="/orders/:id",status_code="200"'
    lines = ["# TYPE http_request_duration_ms histogram"]
    with_exemplar = "openmetrics" in headers.get("Accept", "")
    for bound, count in (("100.0", 0), ("250.0", 1), ("+Inf", 1)):
        exemplar = f' # {{trace_id="{TRACE}"}} 180.5 {time.time():.3f}' if with_exemplar and bound == "250.0" else ""
        lines.append(f'http_request_duration_ms_bucket{{{labels},le="{bound}"}} {count}{exemplar}')
    lines += [f"http_request_duration_ms_sum{{{labels}}} 180.5", f"http_request_duration_ms_count{{{labels}}} 1"]
    text = "\n".join(lines) + "\n"
    return (f"{text}# EOF\n", OPEN_METRICS) if with_exemplar else (text, "text/plain; version=0.0.4")


@contextmanager
def scraping(exemplars: int) -> Iterator[str]:
    """The address of a Prometheus with the stack's own settings of exemplars and of the system's job."""
    config = stack_config("dev", {"prometheus": {"exemplars": exemplars}})
    written = load_yaml(prometheus.files(config, {})["prometheus.yaml"])
    port = free_port()
    with serving(page) as served:
        (job,) = [one for one in written["scrape_configs"] if one["job_name"] == f"backend-{SYSTEM}"]
        job |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
        job["static_configs"][0]["targets"] = [served.address.removeprefix("http://")]
        document = {"storage": written.get("storage", {}), "scrape_configs": [job]}
        flags = ",".join(prometheus.features(config))
        container = docker.from_env().containers.create(
            PINS["prometheus"],
            [
                "--config.file=/given/prometheus.yaml",
                "--storage.tsdb.path=/tmp/data",
                f"--web.listen-address=127.0.0.1:{port}",
                *([f"--enable-feature={flags}"] if flags else []),
            ],
            network_mode="host",
            user="65534",
        )
        try:
            container.put_archive("/", archive({"prometheus.yaml": yaml.safe_dump(document)}))
            container.start()
            address = f"http://127.0.0.1:{port}/api/v1"
            until(lambda: asked(address, "query", query="http_request_duration_ms_count")["result"])
            yield address
        finally:
            container.remove(force=True, v=True)


def asked(address: str, path: str, **values: object) -> Any:  # noqa: ANN401 - JSON
    """The data of an answer of Prometheus' API."""
    answer = http.get(f"{address}/{path}", params=values, timeout=30, trust_env=False)
    return answer.raise_for_status().json()["data"]


def exemplars(address: str) -> list[dict[str, Any]]:
    """What Grafana gets for the panel of latency with exemplars."""
    (panel,) = [
        one
        for one in queries(stack_config("dev"))
        if (one.dashboard, one.owner) == (f"{SYSTEM}-application", "Response Time Percentiles")
        and "_bucket" in one.expr
    ]
    now = time.time()
    found: list[dict[str, Any]] = asked(address, "query_exemplars", query=panel.filled, start=now - 3600, end=now + 60)
    return found


def test_the_panel_of_latency_gets_the_trace_of_a_request() -> None:
    with scraping(1000) as address:
        (series,) = until(lambda: exemplars(address))
        assert series["seriesLabels"]["route"] == "/orders/:id"
        assert series["seriesLabels"]["system"] == SYSTEM
        assert {one["labels"]["trace_id"] for one in series["exemplars"]} == {TRACE}
        assert {float(one["value"]) for one in series["exemplars"]} == {180.5}


def test_without_exemplars_prometheus_keeps_none() -> None:
    with scraping(0) as address:
        assert exemplars(address) == []
