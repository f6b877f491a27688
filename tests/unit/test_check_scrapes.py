"""`obs system check` against served pages: it reports what the Prometheus of the stack would store."""

import json
import re
from pathlib import Path
from time import time

import pytest
import typer

from observability.cli import systems as commands
from observability.core.errors import ConfigError
from observability.systems.fetch import ACCEPT
from tests.unit.metrics_server import serving

FILE = """
title: Shop
team: shop
scrape: {job: backend, port: 18080, path: %s}
series:
  http_requests_total: {kind: counter, labels: [method, route, status], help: Requests answered.}
  http_request_duration_seconds: {kind: histogram, labels: [method, route], buckets: [0.1, 0.5, 1], help: Time.}
signals:
  httpRequests: {series: http_requests_total, route: route, status: status}
  httpLatency: {series: http_request_duration_seconds, route: route}
thresholds:
  errorRatio: {critical: 5%%}
  responseTime: {quantile: p95, warning: 500ms}
"""

PAGE = """# HELP http_requests_total Requests answered.
# TYPE http_requests_total counter
http_requests_total{method="GET",route="/orders/:id",status="200"} 1027
http_requests_total{method="GET",route="/orders/:id",status="500"} 3
# HELP http_request_duration_seconds Time to answer.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{method="GET",route="/orders/:id",le="0.1"} 700
http_request_duration_seconds_bucket{method="GET",route="/orders/:id",le="0.5"} 1000
http_request_duration_seconds_bucket{method="GET",route="/orders/:id",le="1"} 1029
http_request_duration_seconds_bucket{method="GET",route="/orders/:id",le="+Inf"} 1030
http_request_duration_seconds_sum{method="GET",route="/orders/:id"} 120.5
http_request_duration_seconds_count{method="GET",route="/orders/:id"} 1030
"""

OPEN_METRICS = (
    PAGE.replace("http_requests_total Req", "http_requests Req")
    .replace("TYPE http_requests_total", "TYPE http_requests")
    .replace('le="0.5"} 1000', 'le="0.5"} 1000 # {trace_id="4bf92f3577b34da6"} 0.31')
    + "# EOF\n"
)

STATUS = {"CriticalErrorRate", "RouteFailing", "HighClientErrorRate"}
"""Alerts that read the label of the status."""
REQUESTS = STATUS | {"UnusualTraffic", "NoTraffic"}
LATENCY = {"HighResponseTime", "PerformanceDegradation"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(FILE % "/metrics")
    return tmp_path / "shop.yaml"


def check(file: Path, against: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str], set[str]]:
    """Exit code; all findings for each series and the page, except agreement; alerts that cannot fire."""
    code = 0
    try:
        commands.check_system(file, against, as_json=True)
    except typer.Exit as done:
        code = done.exit_code
    said = json.loads(capsys.readouterr().out)
    found: dict[str, str] = {}
    for row in said["findings"]:
        if row["verdict"] != "agrees":
            found[row["series"]] = found.get(row["series"], "") + f"{row['verdict']}: {row['detail']}\n"
    return code, found, set(said["blind"])


def stamped(page: str, stamp: object) -> str:
    """The page with this timestamp on each sample."""
    return re.sub(r"^([^#\n].*)$", rf"\1 {stamp}", page, flags=re.MULTILINE)


def test_it_sends_the_same_request_as_prometheus(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(PAGE) as served:
        assert check(file, f"{served.address}/metrics", capsys) == (0, {}, set())
    assert len(served.headers) > 1
    for headers in served.headers:
        assert headers["Accept"] == ACCEPT
        assert headers["Accept-Encoding"] == "gzip"
        assert headers["User-Agent"].startswith("Prometheus/3.")
        assert headers["X-Prometheus-Scrape-Timeout-Seconds"] == "10"


@pytest.mark.parametrize("content_type", [None, "text/html; charset=utf-8"])
def test_a_content_type_that_prometheus_refuses_is_reported(
    file: Path, capsys: pytest.CaptureFixture[str], content_type: str | None
) -> None:
    with serving(PAGE, content_type=content_type) as served:
        code, found, blind = check(file, f"{served.address}/metrics", capsys)
    assert (code, list(found), blind) == (0, ["the page"], set())
    assert "Prometheus 3 refuses that unless the job has a fallback_scrape_protocol" in found["the page"]
    assert "text/plain; version=0.0.4" in found["the page"]


def test_a_page_in_open_metrics_agrees(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    with serving(OPEN_METRICS, content_type=kind) as served:
        assert check(file, f"{served.address}/metrics", capsys) == (0, {}, set())


def test_a_page_without_a_last_newline_agrees(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(PAGE.rstrip("\n")) as served:
        assert check(file, f"{served.address}/metrics", capsys) == (0, {}, set())


def test_carriage_returns_make_the_whole_page_invalid(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(PAGE.replace("\n", "\r\n")) as served:
        code, found, blind = check(file, f"{served.address}/metrics", capsys)
    assert code == 1
    assert "the target is down: line 2: the lines end in CRLF" in found["the page"]
    assert "end every line in LF alone" in found["the page"]
    assert blind == REQUESTS | LATENCY


@pytest.mark.parametrize(
    ("off", "scale", "what"),
    [
        (0, 1, "carries times in seconds, and the text format has milliseconds: "),
        (-7 * 86_400, 1_000, "168 hours old: Prometheus drops every sample as too old"),
        (-1_200, 1_000, "20 minutes old: rules see no sample older than 5 minutes"),
        (10_800, 1_000, "3 hours ahead: Prometheus drops every sample"),
        (0, 1_000_000, "beyond the year 5138"),
    ],
)
def test_timestamps_that_prometheus_drops_are_reported(
    file: Path, capsys: pytest.CaptureFixture[str], off: int, scale: int, what: str
) -> None:
    with serving(stamped(PAGE, int(time() + off) * scale)) as served:
        code, found, blind = check(file, f"{served.address}/metrics", capsys)
    assert (code, blind) == (1, REQUESTS | LATENCY)
    assert set(found) == {"http_requests_total", "http_request_duration_seconds"}
    assert all(what in said for said in found.values()), found


def test_a_time_in_seconds_is_shown_as_the_date_that_prometheus_reads(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(stamped(PAGE, 1_795_914_324)) as served:
        _, found, _ = check(file, f"{served.address}/metrics", capsys)
    assert "1795914324 is 1970-01-21" in found["http_requests_total"]


def test_current_timestamps_agree(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(stamped(PAGE, int(time() * 1000))) as served:
        assert check(file, f"{served.address}/metrics", capsys) == (0, {}, set())


def test_a_query_in_the_path_is_part_of_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = "/actuator/metrics?format=prometheus"
    with serving(PAGE, path=path) as served:
        code, found, _ = check(file, f"{served.address}{path}", capsys)
        assert (code, "scrape.path" in found["the page"]) == (0, True)
        file.write_text(FILE % path)
        assert check(file, f"{served.address}{path}", capsys) == (0, {}, set())


def test_workers_that_respond_in_turn_are_detected(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for pages in ((PAGE, PAGE.replace("1027", "555")), (PAGE.replace("1027", "555"), PAGE)):
        with serving(*pages) as served:
            code, found, blind = check(file, f"{served.address}/metrics", capsys)
        assert (code, list(found), blind) == (1, ["http_requests_total"], REQUESTS)
        assert "falls from 1027 to 555 between two answers" in found["http_requests_total"]
        assert "each at an address of its own" in found["http_requests_total"]


def test_a_counter_that_grows_agrees(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pages = [PAGE.replace("1027", str(count)) for count in range(1027, 1032)]
    with serving(*pages) as served:
        assert check(file, f"{served.address}/metrics", capsys) == (0, {}, set())


def test_processes_that_respond_in_turn_are_detected(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds "
    with serving(f"{PAGE}{start}100\n", f"{PAGE}{start}200\n") as served:
        _, found, _ = check(file, f"{served.address}/metrics", capsys)
    assert "2 processes answer in turn" in found["the page"]


def test_series_that_appear_and_disappear_are_detected(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = PAGE + 'http_requests_total{method="PUT",route="/",status="200"} 1\n'
    with serving(other, PAGE) as served:
        _, found, _ = check(file, f"{served.address}/metrics", capsys)
    assert "1 series are in one answer and not in the next, like http_requests_total" in found["the page"]


def test_a_series_that_is_sent_twice_is_detected(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = 'http_requests_total{status="500",method="GET",route="/orders/:id"} 4\n'
    with serving(PAGE + again) as served:
        code, found, _ = check(file, f"{served.address}/metrics", capsys)
    assert code == 1
    assert "sent twice with the same labels, and Prometheus drops the second" in found["http_requests_total"]
    assert "(line 13)" in found["http_requests_total"]


DOTTED = """
title: App
team: app
scrape: {port: 18080}
series:
  http_server_requests_total:
    {kind: counter, labels: [http_route, http_response_status_code], help: Requests answered.}
signals:
  httpRequests: {series: http_server_requests_total, route: http_route, status: http_response_status_code}
"""
DOTS = """# TYPE "http.server.requests_total" counter
{"http.server.requests_total","http.route"="/orders/{id}","http.response.status_code"="200"} 1027
"""
UNDERSCORES = """# TYPE http_server_requests_total counter
http_server_requests_total{http_route="/orders/{id}",http_response_status_code="200"} 1027
"""


def negotiated(headers: dict[str, str]) -> tuple[str, str]:
    """Names with dots for clients that accept them, as in client_golang and OpenTelemetry."""
    if "escaping=allow-utf-8" in headers["Accept"]:
        return DOTS, "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
    return UNDERSCORES, "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"


def test_negotiated_names_have_underscores(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(DOTTED)
    with serving(negotiated) as served:
        assert check(file, f"{served.address}/metrics", capsys) == (0, {}, set())


def test_names_with_dots_sent_to_every_client_differ(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(DOTTED)
    with serving(DOTS, content_type="text/plain; version=1.0.0; escaping=allow-utf-8") as served:
        code, found, blind = check(file, f"{served.address}/metrics", capsys)
    assert (code, blind) == (1, REQUESTS - {"CriticalErrorRate"})
    assert (
        "is stored as 'http.server.requests_total', a name that no rule reads" in found["http_server_requests_total"]
    )


def test_labels_with_dots_differ(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(DOTTED)
    page = UNDERSCORES.replace("http_route=", '"http.route"=')
    with serving(page) as served:
        code, found, _ = check(file, f"{served.address}/metrics", capsys)
    assert (code, "http_route (sent as 'http.route')" in found["http_server_requests_total"]) == (1, True)


def test_unquoted_names_with_dots_make_the_whole_page_invalid(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(PAGE + "http.server.requests 1\n") as served:
        code, found, blind = check(file, f"{served.address}/metrics", capsys)
    assert (code, blind) == (1, REQUESTS | LATENCY)
    assert "line 13: '.server.requests' is not a number" in found["the page"]
    assert "any other stands in quotes" in found["the page"]


def test_a_missing_label_affects_only_the_alerts_that_read_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(PAGE.replace("status=", "code=")) as served:
        code, found, blind = check(file, f"{served.address}/metrics", capsys)
    assert (code, list(found), blind) == (1, ["http_requests_total"], STATUS)


def test_a_status_that_is_not_a_code_is_doubtful(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(PAGE.replace('"200"', '"ok"').replace('"500"', '"failed"')) as served:
        _, found, _ = check(file, f"{served.address}/metrics", capsys)
    assert "no status codes in the label status" in found["http_requests_total"]


def test_a_threshold_between_two_bounds_names_the_bucket_to_add(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text((FILE % "/metrics").replace("500ms", "700ms"))
    with serving(PAGE) as served:
        code, found, _ = check(file, f"{served.address}/metrics", capsys)
    assert code == 0
    assert "thresholds.responseTime.warning is estimated: add the bucket 0.7" in found["http_request_duration_seconds"]


def test_series_that_a_client_library_adds_are_not_listed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [
        *("process_cpu_seconds_total", "go_gc_duration_seconds", "nodejs_eventloop_lag_seconds", "jvm_threads_live"),
        *("promhttp_metric_handler_requests_total", "python_info", "target_info", "tomcat_sessions_active"),
    ]
    with serving(PAGE + "".join(f"{name} 1\n" for name in (*names, "refunds_total"))) as served:
        assert check(file, f"{served.address}/metrics", capsys)[1] == {"refunds_total": "undeclared: unknown\n"}
        commands.check_system(file, f"{served.address}/metrics")
    assert f"not listed: {len(names)} series" in capsys.readouterr().out


def test_a_counter_without_a_type_is_stored_and_doubtful(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(PAGE.replace("# TYPE http_requests_total counter\n", "")) as served:
        code, found, _ = check(file, f"{served.address}/metrics", capsys)
    assert (code, "has no type" in found["http_requests_total"]) == (0, True)


def test_a_histogram_without_a_type_keeps_its_bounds_as_written(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(PAGE.replace("# TYPE http_request_duration_seconds histogram\n", "")) as served:
        code, found, _ = check(file, f"{served.address}/metrics", capsys)
    assert code == 1
    assert 'le="1", not le="1.0"' in found["http_request_duration_seconds"]


@pytest.mark.parametrize("body", ["", "<!doctype html><p>hello", '{"status": "ok"}', "[]"])
def test_a_page_in_another_format_is_refused_as_wrong_use(file: Path, body: str) -> None:
    with serving(body) as served, pytest.raises(ConfigError) as caught:
        commands.check_system(file, f"{served.address}/metrics")
    assert "does not answer in Prometheus' text format" in caught.value.what
    assert "http://HOST:18080/metrics" in caught.value.fix


@pytest.mark.parametrize(
    ("status", "encoding", "what", "fix"),
    [
        (401, None, "the status 401, and Prometheus wants 200", "credentials"),
        (204, None, "the status 204", "correct the address"),
        (200, "br", "answers in br, and Prometheus asks for gzip", "gzip, or not at all"),
    ],
)
def test_a_page_that_prometheus_does_not_accept_is_refused(
    file: Path, status: int, encoding: str | None, what: str, fix: str
) -> None:
    with serving(PAGE, status=status, encoding=encoding) as served, pytest.raises(ConfigError) as caught:
        commands.check_system(file, f"{served.address}/metrics")
    assert what in caught.value.what
    assert fix in caught.value.fix
