"""What a worked example does, the same in every language."""

import json
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.examples.builds import ROOT, Built
from tests.examples.doubles import Database, Span, Web, web
from tests.examples.running import SLOW, Service, service
from tests.waits import until

SLOW_REQUEST = float(SLOW["SLOW_REQUEST_SECONDS"])


def placed(one: Service) -> int:
    """The number of a new order."""
    answer = one.ask("POST", "/orders", json={"sku": "cup", "quantity": 2})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def fingerprints(one: Service, path: str) -> set[str]:
    """The fingerprints of the errors that requests to a path were answered with."""
    answer = one.get(path)
    assert answer.status_code == 500
    one.line(correlation_id=answer.json()["correlation_id"], message="request")
    lines = one.lines(correlation_id=answer.json()["correlation_id"])
    return {line["fingerprint"] for line in lines if "fingerprint" in line}


@pytest.fixture(scope="session")
def checks(services: Mapping[str, Service]) -> Mapping[str, tuple[int, str]]:
    """Exit code and output of `obs system check` for each service; at the same time, as it mostly waits."""
    running = {}
    for language, one in services.items():
        placed(one)
        for path in ("/stock/cup", "/report"):
            one.get(path)
        with one.broken():
            one.get("/report")
        command = ["system", "check", str(one.built.system), "--against", f"{one.address}/metrics", "--json"]
        running[language] = subprocess.Popen(
            [sys.executable, "-m", "observability.cli", *command], cwd=ROOT.parent, stdout=subprocess.PIPE, text=True
        )
    outputs = {language: process.communicate()[0] for language, process in running.items()}
    return {language: (process.wait(), outputs[language]) for language, process in running.items()}


def test_obs_system_check_passes(one: Service, checks: Mapping[str, tuple[int, str]]) -> None:
    code, output = checks[one.built.language]
    said = json.loads(output)
    assert (code, said["agree"]) == (0, True), output
    assert not said["blind"]
    assert {finding["verdict"] for finding in said["findings"]} == {"agrees"}


def test_default_metrics_of_the_runtime_are_exposed(one: Service) -> None:
    for name in (one.built.runtime, "process_resident_memory_bytes", "process_cpu_seconds_total"):
        assert any(value > 0 for value in one.samples(name).values()), name


def test_paths_without_a_route_share_one_label(one: Service) -> None:
    before = one.total("http_requests_total", route="unmatched")
    for _ in range(20):
        assert one.get(f"/{secrets.token_hex(4)}").status_code == 404
    for number in (placed(one), 10**8):
        one.get(f"/orders/{number}")
    other = one.total("http_requests_total", method="other")
    one.ask("PURGE", "/report")
    one.counts(1 + other, "http_requests_total", method="other")
    routes = {dict(labels)["route"] for labels in one.samples("http_requests_total")}
    assert routes <= {
        *("unmatched", "/report", "/orders"),
        *(f"/{path}" for path in ("stock/{sku}", "stock/:sku", "orders/{number}", "orders/:number")),
    }
    assert one.total("http_requests_total", route="unmatched", status_code="404") >= before + 20
    methods = {dict(labels)["method"] for labels in one.samples("http_requests_total")}
    assert methods <= {"GET", "POST", "other"}


def test_probes_and_scrapes_are_not_counted_as_requests(one: Service) -> None:
    before = one.total("http_requests_total")
    for path in ("/health", "/health/live", "/health/ready", "/metrics"):
        assert one.get(path).status_code == 200
    assert one.total("http_requests_total") == before


def test_readiness_is_503_while_the_database_is_down(one: Service) -> None:
    one.to_database.cut()
    try:
        ready = one.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
        full = one.get("/health")
        assert (full.status_code, full.json()["status"]) == (503, "down")
        state = full.json()["dependencies"]["database"]
        assert (state["status"], state["required"]) == ("down", True)
        assert state["milliseconds"] >= 0
        assert one.get("/health/live").status_code == 200
    finally:
        one.to_database.restore()
    until(lambda: one.get("/health/ready").status_code == 200)
    full = one.get("/health")
    assert (full.status_code, full.json()["status"]) == (200, "ok")


def test_a_page_of_health_says_when_it_was_made(one: Service) -> None:
    for path in ("/health", "/health/live", "/health/ready"):
        made = datetime.fromisoformat(one.get(path).json()["timestamp"])
        assert made.utcoffset() == timedelta(0), path


def test_without_its_upstream_it_is_degraded_and_serves(one: Service) -> None:
    one.to_upstream.cut()
    try:
        failed = one.total("external_api_calls_total", api="upstream", status="error")
        full = one.get("/health")
        assert (full.status_code, full.json()["status"]) == (200, "degraded")
        assert full.json()["dependencies"]["upstream"]["status"] == "down"
        assert one.get("/health/ready").status_code == 200
        stock = one.get("/stock/cup")
        assert (stock.status_code, stock.json()["elsewhere"]) == (200, None)
        one.counts(failed + 1, "external_api_calls_total", api="upstream", status="error")
    finally:
        one.to_upstream.restore()
    until(lambda: one.get("/health").json()["status"] == "ok")


def test_the_ids_of_a_request_pass_every_hop(services: Mapping[str, Service], last: Web, collector: Web) -> None:
    correlation, trace, parent = secrets.token_hex(8), secrets.token_hex(16), secrets.token_hex(8)
    headers = {"X-Correlation-ID": correlation, "traceparent": f"00-{trace}-{parent}-01"}
    first = services["python"].get("/stock/cup", headers=headers)
    assert first.headers["X-Correlation-ID"] == correlation
    for one in services.values():
        assert one.line(correlation_id=correlation, message="request")["trace_id"] == trace
    asked = [one for one in last.requests if one.headers.get("x-correlation-id") == correlation]
    assert [one.headers["traceparent"].split("-")[1] for one in asked] == [trace]

    def spans() -> list[Span]:
        return [span for span in collector.spans() if span.trace == trace]

    # Of each service: the request, its query, its call of the next one.
    until(lambda: len(spans()) == 3 * len(services))
    made = spans()
    # Each span's parent is another of them, but for the first: its parent is the caller's.
    assert {span.parent for span in made} - {span.id for span in made} == {parent}


def test_an_id_that_is_not_one_is_replaced(one: Service) -> None:
    given = 'x" injected="1'
    answer = one.get("/stock/cup", headers={"X-Correlation-ID": given, "traceparent": "00-zz-1-01"})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Correlation-ID"])
    line = one.line(correlation_id=answer.headers["X-Correlation-ID"], message="request")
    assert re.fullmatch("[0-9a-f]{32}", line["trace_id"])


def test_spans_say_their_route_and_their_queries(one: Service, collector: Web) -> None:
    trace = secrets.token_hex(16)
    number = placed(one)
    answer = one.get(f"/orders/{number}", headers={"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"})
    assert answer.json() == {"id": number, "sku": "cup", "quantity": 2}
    made = until(lambda: len(found := [span for span in collector.spans() if span.trace == trace]) == 2 and found)
    query, request = sorted(made, key=lambda span: span.name.startswith("GET"))
    assert (query.name, query.parent) == ("SELECT orders", request.id)
    assert query.attributes["db.collection.name"] == "orders"
    assert request.name == f"GET {request.attributes['http.route']}"
    assert request.attributes["http.response.status_code"] == 200


def test_an_exemplar_of_the_duration_names_the_trace(one: Service) -> None:
    trace = secrets.token_hex(16)
    one.get("/report", headers={"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"})

    def exemplars() -> set[str]:
        lines = [line for line in one.metrics().splitlines() if f'# {{trace_id="{trace}"}}' in line]
        return {line.partition("{")[0] for line in lines}

    until(lambda: {f"{name}_duration_seconds_bucket" for name in ("http_request", "db_query")} <= exemplars())


def test_the_queries_of_a_request_are_counted(one: Service) -> None:
    before = one.total("http_request_db_queries_sum", route="/orders")
    answer = one.ask("POST", "/orders", json={"sku": "cup", "quantity": 1})
    one.counts(before + 2, "http_request_db_queries_sum", route="/orders")
    line = one.line(correlation_id=answer.headers["X-Correlation-ID"], message="request")
    assert line["db_queries"] == 2


def test_a_refused_request_is_no_error_of_the_service(one: Service) -> None:
    before = one.total("errors_total")
    for body in ({"sku": "cup", "quantity": 0}, {"quantity": 1}):
        assert one.ask("POST", "/orders", json=body).status_code == 400
    missing = one.get(f"/stock/{secrets.token_hex(4)}")
    assert missing.status_code == 404
    one.line(correlation_id=missing.headers["X-Correlation-ID"], message="request")
    assert one.total("errors_total") == before


def test_a_broken_handler_counts_an_error_of_its_type(one: Service, collector: Web) -> None:
    before = one.total("errors_total")
    failed = one.total("http_requests_total", route="/report", status_code="500")
    trace = secrets.token_hex(16)
    with one.broken():
        answer = one.get("/report", headers={"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"})
    assert answer.status_code == 500
    assert answer.json()["error"] == "something went wrong"
    one.counts(before + 1, "errors_total")
    one.counts(failed + 1, "http_requests_total", route="/report", status_code="500")
    line = one.line(trace_id=trace, message="request failed")
    assert line["level"] == "error"
    kind = line["error"].partition(":")[0]
    assert one.total("errors_total", type=kind) >= 1
    until(lambda: [span for span in collector.spans() if span.trace == trace and span.name == "GET /report"])
    (span,) = [span for span in collector.spans() if span.trace == trace and span.name == "GET /report"]
    assert span.failed


def test_a_slow_request_is_logged_and_its_operation_counted(one: Service) -> None:
    slow = one.total("slow_operations_total", operation="report")
    above = one.total("operation_duration_seconds_count", operation="report")
    with one.under_way("/report", SLOW_REQUEST) as answer:
        pass
    got = answer()
    assert got.status_code == 200
    one.counts(slow + 1, "slow_operations_total", operation="report")
    one.counts(above + 1, "operation_duration_seconds_count", operation="report")
    ids = {"correlation_id": got.headers["X-Correlation-ID"]}
    request = one.line(message="slow request", **ids)
    assert request["level"] in ("warn", "warning")
    assert request["duration_ms"] > SLOW_REQUEST * 1000
    operation = one.line(message="slow operation", **ids)
    assert operation["operation"] == "report"


def test_each_line_of_the_log_is_json_with_time_and_level(one: Service) -> None:
    one.get("/stock/cup")
    lines = one.lines()
    assert len(lines) > 2
    for line in lines:
        assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta(0)
        assert line["level"] in ("info", "warn", "warning", "error")
        assert line["message"]


def test_sigterm_finishes_the_request_under_way(
    built: Built, services: Mapping[str, Service], server: Database, last: Web, tmp_path: Path
) -> None:
    known = services[built.language]
    upstream = ("127.0.0.1", last.port)
    with known.broken():
        groups = [fingerprints(known, path) for path in ("/report", "/report", "/orders/1")]
    with web(lambda _: {}) as spans:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": spans.address, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
        with service(built, server, upstream, tmp_path / "log", environment, known.database) as second:
            with second.broken():
                groups.append(fingerprints(second, "/report"))
            with second.under_way("/report") as answer:
                second.process.send_signal(signal.SIGTERM)
                until(lambda: refuses(second))
                assert second.process.poll() is None
            assert answer().status_code == 200
            assert second.process.wait() == 0
            assert second.lines(message="stopped")
        # What waited to be sent was sent before the end.
        assert [span for span in spans.spans() if span.name == "GET /report" and not span.failed]
    # A fingerprint outlives its process, and tells one place from another.
    assert groups[0] == groups[1] == groups[3] != groups[2]
    assert all(len(group) == 1 for group in groups)


def refuses(one: Service) -> bool:
    """Whether it accepts no new request."""
    try:
        return one.get("/health/ready").status_code == 503
    except httpx.HTTPError:
        return True
