"""Files on the host in the pinned collector: what is stored of each format, and that every line arrives once."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from observability.settings.load import StackConfig
from tests.http import HTTP
from tests.servers.collector_run import Running, collector
from tests.servers.log_table import own
from tests.servers.otlp_double import Entry
from tests.unit.conftest import stack_config
from tests.waits import until

TRACE: Final = (
    "ERROR payment refused\n"
    "java.lang.IllegalStateException: no provider\n"
    "\tat com.example.Shop.pay(Shop.java:42)\n"
    "Caused by: java.net.SocketTimeoutException: Read timed out"
)

Line = tuple[str, str, dict[str, str], bool]
"""Stored text, level, structured metadata, and whether its time is the line's own."""

Table = dict[str, tuple[dict[str, Any], bytes, list[Line]]]


def table(now: datetime) -> Table:
    """Name of a file → its settings, its content, and what is stored, of lines that are written now."""
    access = now.strftime("%d/%b/%Y:%H:%M:%S +0000")
    local = now.strftime("%Y/%m/%d %H:%M:%S")
    dashed = now.strftime("%Y-%m-%d %H:%M:%S")
    abroad = (now + timedelta(hours=2)).strftime("%Y/%m/%d %H:%M:%S")
    return {
        "app.json": (
            {"service": "api", "format": "json", "metadata": {"zone": "a"}},
            f'{{"level":"error","timestamp":"{now:%Y-%m-%dT%H:%M:%SZ}","message":"refused","request_id":"r-1"}}\n'
            '{"level":"info","message":"ref\n'.encode(),
            [
                (
                    f'{{"level":"error","timestamp":"{now:%Y-%m-%dT%H:%M:%SZ}","message":"refused","request_id":"r-1"}}',
                    "error",
                    {"correlation_id": "r-1", "zone": "a"},
                    True,
                ),
                ('{"level":"info","message":"ref', "info", {"parse_error": "json", "zone": "a"}, False),
            ],
        ),
        "access.log": (
            {},
            f'10.0.0.7 - ann [{access}] "GET /a?token=abc HTTP/1.1" 200 5 "-" "curl/8"\n'
            f'10.0.0.7 - - [{access}] "POST /pay HTTP/1.1" 502 5 "-" "-"\n'.encode(),
            [
                (
                    f'10.0.0.7 - ann [{access}] "GET /a?token=*** HTTP/1.1" 200 5 "-" "curl/8"',
                    "info",
                    {"method": "GET", "status": "200"},
                    True,
                ),
                (
                    f'10.0.0.7 - - [{access}] "POST /pay HTTP/1.1" 502 5 "-" "-"',
                    "error",
                    {"method": "POST", "status": "502"},
                    True,
                ),
            ],
        ),
        "nginx-error.log": (
            {},
            f"{local} [error] 7#7: *1 connect() failed (111: Connection refused)\n"
            f"{abroad} [warn] 7#7: in another zone\n".encode(),
            [
                (f"{local} [error] 7#7: *1 connect() failed (111: Connection refused)", "error", {}, True),
                (f"{abroad} [warn] 7#7: in another zone", "warning", {"own_time": abroad}, False),
            ],
        ),
        "postgresql-15-main.log": (
            {"service": "db"},
            f"{dashed}.934 UTC [31] app@shop ERROR:  deadlock detected\n"
            f"{dashed}.934 UTC [31] app@shop STATEMENT:  UPDATE t\n\tSET a = 1\n".encode(),
            [
                (f"{dashed}.934 UTC [31] app@shop ERROR:  deadlock detected", "error", {}, True),
                (f"{dashed}.934 UTC [31] app@shop STATEMENT:  UPDATE t\n\tSET a = 1", "info", {}, True),
            ],
        ),
        "redis-server.log": (
            {"service": "cache"},
            f"123:M {now:%d %b %Y %H:%M:%S}.124 # WARNING overcommit\n".encode(),
            [(f"123:M {now:%d %b %Y %H:%M:%S}.124 # WARNING overcommit", "warning", {}, True)],
        ),
        "syslog": (
            {},
            f"{now:%b %e %H:%M:%S} web1 sshd[77]: error: PAM: Authentication failure for root from 10.0.0.9\n"
            f"{now:%Y-%m-%dT%H:%M:%S}.123456+00:00 web1 kernel: eth0: link up\n".encode(),
            [
                (
                    f"{now:%b %e %H:%M:%S} web1 sshd[77]: error: PAM: Authentication failure for root from 10.0.0.9",
                    "error",
                    {"hostname": "web1", "program": "sshd"},
                    True,
                ),
                (
                    f"{now:%Y-%m-%dT%H:%M:%S}.123456+00:00 web1 kernel: eth0: link up",
                    "unknown",
                    {"hostname": "web1", "program": "kernel"},
                    True,
                ),
            ],
        ),
        "plain.log": (
            {"service": "worker"},
            f"\x1b[31mERROR\x1b[0m refused\r\n{TRACE}\n  indented alone\nnext\n".encode(),
            [
                ("\x1b[31mERROR\x1b[0m refused", "error", {}, False),
                (f"{TRACE}\n  indented alone", "error", {}, False),
                ("next", "unknown", {}, False),
            ],
        ),
        "bytes.log": (
            {"service": "bytes"},
            b"caf\xe9 \xff\xfe bar\n\xf0\x28\x8c\x28\n",
            [("caf\ufffd \ufffd\ufffd bar", "unknown", {}, False), ("\ufffd(\ufffd(", "unknown", {}, False)],
        ),
        "latin.log": (
            {"service": "latin", "encoding": "iso-8859-1"},
            "ERROR Größe ungültig\n".encode("latin-1"),
            [("ERROR Größe ungültig", "error", {}, False)],
        ),
        "drop.log": (
            {"service": "drop", "drop": [{"reason": "health-checks", "match": r"GET /health\b"}]},
            b"GET /healthy is kept\n\x1b[1mGET\x1b[0m /health 200\nGET /health 200\nDEBUG of every system\n",
            [("GET /healthy is kept", "unknown", {}, False)],
        ),
    }


FILES: Final = tuple(table(datetime.now(UTC)))


def configured(root: Path, files: dict[str, dict[str, Any]], **logs: Any) -> StackConfig:  # noqa: ANN401 - settings
    listed = [{"path": f"{root}/logs/{name}", "startAt": "beginning", **more} for name, more in files.items()]
    return stack_config("staging", {"systems": {"depot": {"logs": {"files": listed, **logs}}}})


@pytest.fixture(scope="module")
def now() -> datetime:
    """When the lines are written: while the fixture runs, as the collector keeps no time that is long past."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def running(now: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("files")
    (root / "logs").mkdir()
    files = table(now)
    for name, (_, content, _) in files.items():
        (root / "logs" / name).write_bytes(content)
    drop = [{"reason": "debug", "match": "^DEBUG"}]
    config = configured(root, {name: settings for name, (settings, _, _) in files.items()}, drop=drop)
    with collector(config, root) as one:
        wanted = sum(len(stored) for _, _, stored in files.values())
        until(lambda: len(one.received.entries) >= wanted)
        time.sleep(2)
        yield one


def of_file(running: Running, name: str) -> list[Entry]:
    with running.received.lock:
        return [one for one in running.received.entries if one.attributes["filename"].endswith(f"/{name}")]


@pytest.mark.parametrize("name", FILES)
def test_a_line_of_a_file_is_stored_as_the_table_says(running: Running, now: datetime, name: str) -> None:
    settings, _, stored = table(now)[name]
    found = of_file(running, name)
    assert [(one.body, one.resource["level"]) for one in found] == [(body, level) for body, level, _, _ in stored]
    for one, (_, _, metadata, timed) in zip(found, stored, strict=True):
        assert (one.resource["system"], one.resource["team"], one.resource["stack"]) == ("depot", "depot", "staging")
        assert one.resource["service"] == settings.get("service", name.partition(".")[0])
        assert set(one.resource) - {"zone"} == {"system", "team", "stack", "service", "level"}
        more = {name: value for name, value in one.resource.items() if name == "zone"}
        path = f"{running.root}/logs/{name}"
        assert {**own(one.attributes, one.resource["level"]), **more} == {"filename": path, **metadata}
        written = now.timestamp() * 10**9
        assert (0 <= one.nanoseconds - written < 10**9) == timed


def test_dropped_lines_are_counted_by_their_reason(running: Running) -> None:
    page = HTTP.get(running.lines, timeout=30).text
    found = re.findall(r"obs_collector_lines_dropped_total\{(.*)\} (\S+)", page)
    counted = {re.search(r'reason="([^"]*)"', labels)[1]: float(value) for labels, value in found}  # type: ignore[index]
    assert counted == {"health-checks": 2, "debug": 1}
    assert all('service="drop"' in labels and 'system="depot"' in labels for labels, _ in found)


def numbered(path: Path, start: int, stop: int) -> None:
    with path.open("a") as file:
        file.write("".join(f"numbered line {number}\n" for number in range(start, stop)))


def numbers(running: Running) -> list[int]:
    with running.received.lock:
        return sorted(int(one.body.rpartition(" ")[2]) for one in running.received.entries)


def test_a_file_is_read_on_after_a_restart_and_after_rotations(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    path = folder / "app.log"
    config = configured(tmp_path, {"app.log": {}})
    numbered(path, 0, 50)
    with collector(config, tmp_path) as running:
        until(lambda: len(numbers(running)) >= 50)
        numbered(path, 50, 100)
        path.rename(folder / "app.log.1")
        numbered(path, 100, 150)
        until(lambda: len(numbers(running)) >= 150)
        assert numbers(running) == list(range(150))
    # The rest of the old file, and the new one, are read by a collector that was not there when they were written.
    numbered(path, 150, 200)
    (folder / "app.log.1").unlink()
    path.rename(folder / "app.log.1")
    numbered(path, 200, 250)
    with collector(config, tmp_path) as running:
        until(lambda: len(numbers(running)) >= 100)
        time.sleep(2)
        assert numbers(running) == list(range(150, 250))


def test_a_file_that_is_truncated_in_place_is_read_from_its_beginning(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    path = folder / "app.log"
    numbered(path, 0, 100)
    with collector(configured(tmp_path, {"app.log": {}}), tmp_path) as running:
        until(lambda: len(numbers(running)) >= 100)
        path.write_text("")
        time.sleep(1)
        numbered(path, 100, 120)
        until(lambda: len(numbers(running)) >= 120)
        assert numbers(running) == list(range(120))


def test_what_stood_in_a_file_before_is_read_only_if_the_settings_say_so(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    numbered(folder / "old.log", 0, 10)
    with collector(configured(tmp_path, {"*.log": {"service": "app", "startAt": "end"}}), tmp_path) as running:
        time.sleep(3)
        numbered(folder / "old.log", 10, 20)
        numbered(folder / "new.log", 20, 30)
        until(lambda: len(numbers(running)) >= 20)
        time.sleep(1)
        assert numbers(running) == list(range(10, 30))


def test_a_line_of_a_megabyte_in_a_file_is_stored_in_pieces(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "huge.log").write_bytes(b"ERROR " + b"\xff" * 1024 * 1024 + b"\nnext\n")
    with collector(configured(tmp_path, {"huge.log": {}}), tmp_path) as running:
        until(lambda: any(one.body == "next" for one in running.received.entries))
        pieces = [one for one in running.received.entries if one.body != "next"]
        assert all(len(one.body.encode()) < 256 * 1024 for one in pieces)
        assert sum(one.body.count("\ufffd") for one in pieces) == 1024 * 1024
        assert [one.attributes.get("partial") for one in pieces] == ["true"] * (len(pieces) - 1) + [None]
