"""`obs system new NAME --from URL`: a system's file generated from pages like those of real client libraries."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from observability.cli import systems as commands
from observability.core import project
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.systems.compare import compare
from observability.systems.exposition import saved
from observability.systems.load import load_file
from observability.systems.model import System
from rules import history, signals, slo
from tests.unit.metrics_server import serving

PAGES = Path(__file__).parent / "files" / "pages"

FOUND: dict[str, dict[str, Any]] = {
    "express-prom-client": {
        "httpRequests": {"series": "http_requests_total", "route": "route", "status": "status_code"},
        "httpLatency": {"series": "http_request_duration_seconds", "route": "route"},
        "dbLatency": {"series": "db_query_duration_seconds", "operation": "operation"},
        "cache": {"hits": {"series": "cache_hits_total"}, "misses": {"series": "cache_misses_total"}},
        "activeUsers": {"series": "active_users"},
        "processMemory": {"used": {"series": "process_resident_memory_bytes"}},
        "eventLoopLag": {"series": "nodejs_eventloop_lag_p99_seconds"},
        "heap": {"used": {"series": "nodejs_heap_size_used_bytes"}},
    },
    "express-prom-bundle": {
        "httpRequests": {"series": "http_request_duration_seconds", "route": "path", "status": "status_code"},
        "httpLatency": {"series": "http_request_duration_seconds", "route": "path"},
        "eventLoopLag": {"series": "nodejs_eventloop_lag_p99_seconds"},
        "heap": {"used": {"series": "nodejs_heap_size_used_bytes"}},
    },
    "fastapi-instrumentator": {
        "httpRequests": {"series": "http_requests_total", "route": "handler", "status": "status"},
        "httpLatency": {"series": "http_request_duration_seconds", "route": "handler"},
    },
    "flask-exporter": {
        "httpRequests": {"series": "flask_http_request_duration_seconds", "route": "path", "status": "status"},
        "httpLatency": {"series": "flask_http_request_duration_seconds", "route": "path"},
    },
    "django-prometheus": {
        "httpRequests": {
            "series": "django_http_responses_total_by_status_view_method_total",
            "route": "view",
            "status": "status",
        },
        "httpLatency": {"series": "django_http_requests_latency_seconds_by_view_method", "route": "view"},
        "dbLatency": {"series": "django_db_query_duration_seconds", "operation": "alias"},
        "errorTypes": [{"series": "django_db_errors_total", "type": "type"}],
    },
    "go-promhttp": {
        "httpRequests": {"series": "http_requests_total", "route": "handler", "status": "code"},
        "httpLatency": {"series": "http_request_duration_seconds", "route": "handler"},
        "dbPool": {
            "size": {"series": "go_sql_max_open_connections"},
            "used": {"series": "go_sql_in_use_connections"},
        },
        "goroutines": {"series": "go_goroutines"},
    },
    "spring-boot": {
        "httpRequests": {"series": "http_server_requests_seconds_count", "route": "uri", "status": "status"},
        "dbPool": {
            "size": {"series": "hikaricp_connections_max"},
            "used": {"series": "hikaricp_connections_active"},
        },
        "processMemory": {
            "used": {"series": "jvm_memory_used_bytes", "where": {"area": "heap"}},
            "limit": {"series": "jvm_memory_max_bytes", "where": {"area": "heap"}},
        },
        "cache": {
            "hits": {"series": "cache_gets_total", "where": {"result": "hit"}},
            "misses": {"series": "cache_gets_total", "where": {"result": "miss"}},
        },
    },
    "spring-boot-histogram": {
        "httpRequests": {"series": "http_server_requests_seconds", "route": "uri", "status": "status"},
        "httpLatency": {"series": "http_server_requests_seconds", "route": "uri"},
        "orders": {"series": "orders_created_total"},
        "dbPool": {
            "size": {"series": "hikaricp_connections_max"},
            "used": {"series": "hikaricp_connections_active"},
        },
    },
    "opentelemetry": {
        "httpRequests": {
            "series": "http_server_request_duration_seconds",
            "route": "http_route",
            "status": "http_response_status_code",
        },
        "httpLatency": {"series": "http_server_request_duration_seconds", "route": "http_route"},
        "dbLatency": {"series": "db_client_operation_duration_seconds", "operation": "db_operation_name"},
        "dbPool": {
            "size": {"series": "db_client_connection_max"},
            "used": {"series": "db_client_connection_count", "where": {"db_client_connection_state": "used"}},
        },
        "orders": {"series": "orders_placed_total"},
    },
    "opentelemetry-before-1.23": {
        "httpRequests": {
            "series": "http_server_duration_milliseconds",
            "route": "http_route",
            "status": "http_status_code",
        },
        "httpLatency": {"series": "http_server_duration_milliseconds", "route": "http_route"},
        "dbPool": {
            "size": {"series": "db_client_connections_max"},
            "used": {"series": "db_client_connections_usage", "where": {"state": "used"}},
        },
    },
    "prometheus-net": {
        "httpRequests": {"series": "http_requests_received_total", "route": "endpoint", "status": "code"},
        "httpLatency": {"series": "http_request_duration_seconds", "route": "endpoint"},
    },
    "hand-written": {"httpLatency": {"series": "shop_request_duration", "route": "handler"}},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    return tmp_path / "systems"


def made(folder: Path, page: str) -> tuple[str, System]:
    """The text of the file generated from a page, and the system that it defines."""
    commands.new_system("shop", str(PAGES / f"{page}.txt"))
    return (folder / "shop.yaml").read_text(), load_file(folder / "shop.yaml")


@pytest.mark.parametrize("page", FOUND)
def test_the_signals_of_a_page_are_recognised(folder: Path, page: str) -> None:
    text, _ = made(folder, page)
    found = load_yaml(text)["signals"]
    assert {name: found.get(name) for name in FOUND[page]} == FOUND[page]
    surplus = found.keys() - FOUND[page].keys() - {"newRoutes", "processMemory"}
    assert surplus == set()


@pytest.mark.parametrize("page", FOUND)
def test_the_generated_file_passes_the_check_against_its_page(folder: Path, page: str) -> None:
    _, system = made(folder, page)
    found = compare(system, [saved((PAGES / f"{page}.txt").read_bytes())])
    assert [one for one in found if one.verdict == "differs"] == []
    doubts = {one.detail for one in found if one.verdict == "doubtful"}
    assert doubts <= {
        "has no sample yet, so its labels are not known",
        "has no type; Prometheus stores it all the same, but nothing says that it is a gauge",
    }


@pytest.mark.parametrize("page", FOUND)
def test_every_guess_is_marked(folder: Path, page: str) -> None:
    text, system = made(folder, page)
    lines = text.splitlines()
    marked = [line for before, line in pairwise(lines) if "# guess: " in before]
    for name in load_yaml(text)["signals"]:
        assert any(line.startswith(f"  {name}: ") for line in marked), name
    assert any(line.startswith("team: ") for line in marked)
    assert system.team == "shop"
    assert max(map(len, lines)) < 160


@pytest.mark.parametrize("page", FOUND)
def test_rules_can_be_generated_from_it(folder: Path, page: str) -> None:
    _, system = made(folder, page)
    assert [rule for made in (signals, history, slo) for group in made.groups(system) for rule in group["rules"]]


def test_kinds_labels_units_and_real_buckets_are_those_of_the_page(folder: Path) -> None:
    _, system = made(folder, "express-prom-client")
    latency = system.series["http_request_duration_seconds"]
    assert (latency.kind, latency.unit) == ("histogram", "seconds")
    assert latency.bounds == (0.003, 0.03, 0.1, 0.3, 1.5, 10)
    assert set(latency.labels) == {"method", "route", "status_code"}
    assert system.series["active_users"].kind == "gauge"
    assert latency.help == "Duration of HTTP requests in seconds"


def test_thresholds_are_at_bounds_of_the_histogram(folder: Path) -> None:
    _, system = made(folder, "opentelemetry-before-1.23")
    demanded = system.thresholds["responseTime"]
    assert (demanded.quantile, demanded.warning, demanded.critical) == ("p95", "1s", "2500ms")
    assert system.slos.latency is not None
    assert system.slos.latency.target == "1s"


def test_a_unit_that_is_not_in_the_name_is_guessed_from_the_bounds(folder: Path) -> None:
    text, system = made(folder, "hand-written")
    assert system.series["shop_request_duration"].unit == "ms"
    assert "# guess: its name has no unit; its bounds look like ms." in text


def test_what_cannot_be_declared_is_named_with_the_reason(folder: Path) -> None:
    text, system = made(folder, "hand-written")
    assert set(system.series) == {"jobs_waiting", "shop_request_duration"}
    assert "# left out: requests_total, it has the label user_id" in text
    assert "# left out: queue.depth, a name that Prometheus stores, and PromQL needs in quotes" in text
    assert "# left out: latency_ms, a summary" in text
    assert "# guess: the page has no TYPE line for it, so gauge is by its name." in text


def test_a_summary_is_reported_as_unusable_for_latency(folder: Path) -> None:
    text, _ = made(folder, "spring-boot")
    assert "management.metrics.distribution.percentiles-histogram.http.server.requests=true" in text


def test_series_of_a_library_are_declared_only_where_a_signal_reads_them(folder: Path) -> None:
    _, system = made(folder, "go-promhttp")
    assert {"go_goroutines", "process_resident_memory_bytes"} <= system.series.keys()
    assert (
        not {"go_info", "process_cpu_seconds_total", "promhttp_metric_handler_requests_total"} & system.series.keys()
    )


def test_the_scrape_is_that_of_the_address(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = "/actuator/metrics?format=prometheus"
    text = (PAGES / "spring-boot-histogram.txt").read_text()
    with serving(text, path=path) as served:
        commands.new_system("shop", f"{served.address}{path}")
        port = int(served.address.rpartition(":")[2])
        commands.check_system(folder / "shop.yaml", f"{served.address}{path}")
    scrape = load_file(folder / "shop.yaml").scrape
    assert scrape is not None
    assert (scrape.port, scrape.path) == (port, path)
    said = capsys.readouterr().out
    assert re.search(r"systems/shop.yaml written: \d+ series, signals: httpRequests, httpLatency", said)
    assert "agree with" in said


@pytest.mark.parametrize("body", ["", "<html>", "a 1\r\n"])
def test_no_file_is_written_for_a_page_that_prometheus_refuses(folder: Path, body: str) -> None:
    with serving(body) as served, pytest.raises(ConfigError) as caught:
        commands.new_system("shop", f"{served.address}/metrics")
    assert "Prometheus refuses the page" in caught.value.what
    assert not (folder / "shop.yaml").exists()
