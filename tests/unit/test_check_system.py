"""`obs new-system` and `obs check-system`: a file to start from, and whether a file is what the system exposes."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import typer
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic.alias_generators import to_camel

from observability.cli import systems as commands
from observability.core import project
from observability.core.errors import ConfigError
from observability.systems.blank import complete
from observability.systems.compare import Finding
from observability.systems.compare import compare as compare_pages
from observability.systems.exposition import saved
from observability.systems.load import load, load_file
from observability.systems.model import System
from observability.systems.resolve import selectors
from observability.systems.thresholds import THRESHOLDS
from tests.unit.conftest import REFERENCE

SYSTEMS = load(REFERENCE)
SHOP = SYSTEMS["print-shop"]


def compare(system: System, *texts: str) -> list[Finding]:
    """The findings for pages, read one after the other."""
    return compare_pages(system, [saved(text.encode()) for text in texts])


def counted(system: System, series: str, label: str) -> str:
    """A value of the label that the system's signals count."""
    for _, one in selectors(system.signals):
        if one.series == series:
            known: dict[str, str] = {**one.where, **getattr(one, "ok", {})}
            if label in known:
                return known[label]
            if label == getattr(one, "status", None):
                return "200"
    return "/orders/:id" if label == "route" else "a"


def exposed(system: System) -> str:
    """The page of a system that exposes exactly what its file declares."""
    registry = CollectorRegistry()
    for name, spec in system.series.items():
        values = [counted(system, name, label) for label in spec.labels]
        if spec.kind == "counter":
            counter = Counter(name, spec.help, spec.labels, registry=registry)
            (counter.labels(*values) if values else counter).inc(100)
        elif spec.kind == "gauge":
            gauge = Gauge(name, spec.help, spec.labels, registry=registry)
            (gauge.labels(*values) if values else gauge).set(100e6)
        else:
            histogram = Histogram(name, spec.help, spec.labels, buckets=spec.bounds, registry=registry)
            for _ in range(100):
                (histogram.labels(*values) if values else histogram).observe(spec.bounds[1])
    text = generate_latest(registry).decode()
    # The library adds _total to every counter; a system may use another name.
    for name, spec in system.series.items():
        if spec.kind == "counter" and not name.endswith("_total"):
            text = text.replace(f"{name}_total", name)
    return text


def findings(text: str, system: System = SHOP) -> dict[str, list[Finding]]:
    """The findings, by series, without those that agree."""
    result: dict[str, list[Finding]] = {}
    for finding in compare(system, text):
        if finding.verdict != "agrees":
            result.setdefault(finding.series, []).append(finding)
    return result


def only(text: str, series: str) -> tuple[str, str]:
    """Verdict and detail of the only finding."""
    found = findings(text)
    assert list(found) == [series]
    (finding,) = found[series]
    return finding.verdict, finding.detail


def without(text: str, series: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if series.removesuffix("_total") not in line)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    (tmp_path / "systems").mkdir()
    return tmp_path / "systems"


@pytest.fixture
def address() -> Iterator[str]:
    """A server that exposes what the shop's file declares at /metrics, and an HTML page at every other path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(exposed(SHOP).encode() if self.path == "/metrics" else b"<html>hello</html>")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_that_matches_its_file_agrees_in_every_series(name: str) -> None:
    found = [one for one in compare(SYSTEMS[name], exposed(SYSTEMS[name])) if "is estimated" not in one.detail]
    assert {finding.verdict for finding in found} == {"agrees"}
    assert {finding.series for finding in found} <= set(SYSTEMS[name].series)


def test_a_series_that_is_missing_differs() -> None:
    verdict, detail = only(without(exposed(SHOP), "messages_sent_total"), "messages_sent_total")
    assert (verdict, "is not exposed" in detail) == ("differs", True)


def test_a_renamed_label_differs_twice() -> None:
    text = exposed(SHOP).replace("status_code=", "status=")
    assert [finding.detail for finding in findings(text)["http_requests_total"]] == [
        "lacks the labels status_code",
        "has labels that the file does not know: status",
    ]


def test_another_kind_differs() -> None:
    text = exposed(SHOP).replace("# TYPE active_users gauge", "# TYPE active_users counter")
    assert only(text, "active_users") == ("differs", "is exposed as counter, the file says gauge")


def test_a_counter_without_total_is_not_the_one_with_it() -> None:
    text = exposed(SHOP).replace("messages_sent_total", "messages_sent")
    found = {series: one.verdict for series, (one,) in findings(text).items()}
    assert found == {"messages_sent_total": "differs", "messages_sent": "undeclared"}


def test_other_buckets_differ() -> None:
    text = re.sub(r'db_query_duration_ms_bucket\{le="2500.0".*\n', "", exposed(SHOP))
    verdict, detail = only(text, "db_query_duration_ms")
    assert verdict == "differs"
    assert detail == (
        "has the bounds 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 10000, "
        "the file says 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000"
    )


def test_a_series_that_the_file_does_not_declare_is_listed_without_a_fault() -> None:
    text = exposed(SHOP) + "# HELP refunds_total Refunds.\n# TYPE refunds_total counter\nrefunds_total 3.0\n"
    assert only(text, "refunds_total") == ("undeclared", "counter")


def test_a_created_series_is_not_a_separate_series() -> None:
    text = exposed(SHOP) + "# TYPE orders_created_created gauge\norders_created_created 1.7e9\n"
    assert findings(text) == {}


def test_a_series_without_a_sample_yet_is_doubtful() -> None:
    text = re.sub(r"^cache_requests_total\{.*\n", "", exposed(SHOP), flags=re.MULTILINE)
    assert only(text, "cache_requests_total") == ("doubtful", "has no sample yet, so its labels are not known")


def test_milliseconds_declared_as_seconds_are_doubtful() -> None:
    registry = CollectorRegistry()
    histogram = Histogram(
        "db_query_duration_seconds", "Time.", ["operation"], buckets=(0.005, 0.1, 10), registry=registry
    )
    for _ in range(20):
        histogram.labels("select").observe(40)
    found = findings(generate_latest(registry).decode(), SYSTEMS["hospital"])["db_query_duration_seconds"]
    details = [finding.detail for finding in found]
    assert "has half of its observations above the highest bound, 10: is it in seconds?" in details


def test_seconds_declared_as_milliseconds_are_doubtful() -> None:
    text = re.sub(r"(http_request_duration_ms_sum\{.*\}) .*", r"\1 3.0", exposed(SHOP))
    verdict, detail = only(text, "http_request_duration_ms")
    assert (verdict, detail) == (
        "doubtful",
        "has a mean of 0.03, far below the lowest bound, 10: is it in ms?",
    )


def test_a_help_text_of_another_unit_is_doubtful() -> None:
    text = exposed(SHOP).replace(
        "# HELP db_query_duration_ms Time a database query took.", "# HELP db_query_duration_ms Time in seconds."
    )
    assert only(text, "db_query_duration_ms") == ("doubtful", "is in ms, but its help text says seconds")


def test_memory_in_megabytes_is_doubtful() -> None:
    system = SYSTEMS["hospital"]
    text = re.sub(r"^memory_usage_bytes .*$", "memory_usage_bytes 180.0", exposed(system), flags=re.MULTILINE)
    (finding,) = findings(text, system)["memory_usage_bytes"]
    assert (finding.verdict, finding.detail) == ("doubtful", "is in bytes, but never above 180")


@pytest.mark.parametrize("path", ["/orders/4711", "/orders/4711/lines", "/u/0b0f8fd2-5d0a-4b43-9f3a-2f6f3d3f4a11"])
def test_a_raw_path_as_route_is_doubtful(path: str) -> None:
    text = exposed(SHOP).replace('route="/orders/:id"', f'route="{path}"')
    for series in ("http_requests_total", "http_request_duration_ms"):
        (finding,) = findings(text)[series]
        assert finding.verdict == "doubtful"
        assert finding.detail == f"has raw paths in the label route, like {path}: name the route's template"


@pytest.mark.parametrize("text", ["", "<html>hello</html>", '{"status": "ok"}'])
def test_what_is_not_prometheus_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        compare(SHOP, text)


def test_the_command_succeeds_where_both_agree(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    commands.check_system(REFERENCE / "systems/print-shop.yaml", f"{address}/metrics")
    said = capsys.readouterr().out
    assert f"13 of 13 declared series agree with {address}/metrics" in said
    assert "agrees     http_request_duration_ms" in said


def test_the_command_exits_with_1_where_they_differ(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught:
        commands.check_system(REFERENCE / "systems/academy.yaml", f"{address}/metrics")
    assert caught.value.exit_code == 1
    assert "differs    users_online" in capsys.readouterr().out


def test_the_command_reads_a_saved_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "answer").write_text(exposed(SHOP))
    commands.check_system(REFERENCE / "systems/print-shop.yaml", str(tmp_path / "answer"))
    assert "13 of 13" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "what"),
    [("/", "does not answer in Prometheus' text format"), (":x", "does not answer: "), ("", "does not answer")],
)
def test_an_address_without_metrics_is_refused(address: str, path: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        commands.check_system(REFERENCE / "systems/print-shop.yaml", f"{address}{path}")
    assert what in caught.value.what


def test_an_address_that_does_not_respond_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        commands.check_system(REFERENCE / "systems/print-shop.yaml", "http://127.0.0.1:1/metrics")
    assert "http://127.0.0.1:1/metrics does not answer" in caught.value.what


def test_a_missing_file_is_refused_with_the_names_of_existing_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(project.VARIABLE, str(REFERENCE))
    with pytest.raises(ConfigError) as caught:
        commands.check_system(tmp_path / "nope.yaml", "http://127.0.0.1:1/metrics")
    assert "systems/depot.yaml" in caught.value.fix


def test_a_new_systems_file_is_valid_as_generated(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands.new_system("night-shop")
    system = load_file(folder / "night-shop.yaml")
    assert (system.name, system.title, system.team) == ("night-shop", "Night Shop", "night-shop")
    assert system.signals.http_requests is not None
    assert system.slos.latency is not None
    assert not re.search("<(name|title)>", (folder / "night-shop.yaml").read_text())
    assert "./obs system check systems/night-shop.yaml --against" in capsys.readouterr().out


def test_every_example_in_a_new_systems_file_is_valid_once_uncommented(folder: Path) -> None:
    path = folder / "shop.yaml"
    path.write_text(complete("shop"))
    system = load_file(path)
    signals = type(system.signals).model_fields
    assert [name for name in signals if not getattr(system.signals, name)] == []
    on_signals = {to_camel(name) for name, spec in THRESHOLDS.items() if spec.signal}
    assert on_signals <= system.thresholds.keys()
    assert set(system.exporters) == {"node", "postgres", "redis"}


@pytest.mark.parametrize("name", ["Shop", "platform", "a/b", "..", "shop_1"])
def test_an_invalid_system_name_is_refused_before_anything_is_written(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the name of a system"):
        commands.new_system(name)
    assert list(folder.iterdir()) == []


def test_an_existing_file_is_not_overwritten(folder: Path) -> None:
    (folder / "shop.yaml").write_text("mine\n")
    with pytest.raises(ConfigError, match="is there already"):
        commands.new_system("shop")
    assert (folder / "shop.yaml").read_text() == "mine\n"
