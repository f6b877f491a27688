"""The LogQL of `rules/loki/` in the pinned Loki: what each expression counts of the lines of one minute."""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import docker
import httpx
import pytest
import yaml
from docker.models.containers import Container

from observability.core import http
from observability.core.documents import load_yaml
from observability.logs import log_rules, loki
from observability.parts.images import PINS
from tests.tools import archive
from tests.unit.conftest import stack_config
from tests.waits import until

MINUTE: Final = 60
OFFSET: Final = 15
"""Seconds by which the expressions look back."""

CRASHES: Final = (
    "panic: runtime error: invalid memory address or nil pointer dereference",
    "goroutine 1 [running]:",
    "fatal error: concurrent map writes",
    "Uncaught TypeError: Cannot read properties of undefined (reading 'id')",
    '{"level":"error","message":"unhandledRejection: connect ECONNREFUSED"}',
    "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    'Exception in thread "main" java.lang.NullPointerException',
    "java.lang.OutOfMemoryError: Java heap space",
    "2026-11-29 03:12:44 UTC [1] LOG:  server process (PID 4711) was terminated by signal 9: Killed",
    "2026-11-29 03:12:44 UTC [1] PANIC:  could not write to file",
    "Segmentation fault (core dumped)",
)
NO_CRASHES: Final = (
    "WARN handled exception: user 4711 not found",
    "the control panel: 3 widgets",
    "Traceback (most recent call last):",
    "retrying after error: connection reset",
    "japanic: festival",
)
SIGN_INS: Final = (
    '2026-11-29 03:12:44 UTC [77] FATAL:  password authentication failed for user "app"',
    "Failed password for invalid user admin from 203.0.113.7 port 4711 ssh2",
    "Access denied for user 'app'@'10.0.0.7' (using password: YES)",
    '{"level":"warn","message":"Login failed for j.doe"}',
    '{"level":"warn","message":"invalid credentials"}',
    "(error) WRONGPASS invalid username-password pair or user is disabled.",
    "NOAUTH Authentication required.",
    "Sign-in failed: unknown user",
)
NO_SIGN_INS: Final = (
    "login succeeded for j.doe",
    "the upload failed",
    "password changed",
    "authentication took 3 ms",
)
SLOW: Final = (
    "2026-11-29 03:12:44 UTC [77] LOG:  duration: 1234.567 ms  statement: SELECT 1",
    '{"t":{"$date":"2026-11-29"},"s":"I","c":"COMMAND","msg":"Slow query","attr":{"durationMillis":1200}}',
    "# Query_time: 2.000111  Lock_time: 0.000000 Rows_sent: 1",
    "[index.search.slowlog] took[1.2s]",
)
NOT_SLOW: Final = (
    "2026-11-29 03:12:44 UTC [77] LOG:  duration: 999.100 ms  statement: SELECT 1",
    "query returned 12 rows",
    "a slow request: 3 s",
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A Loki with the stack's own configuration and rules; its address."""
    files = loki.files(stack_config("dev"))
    document = load_yaml(files["loki.yaml"])
    document["common"]["path_prefix"] = "/tmp/loki"  # noqa: S108 - in the container
    text = yaml.safe_dump(document).replace("/loki/", "/tmp/loki/")  # noqa: S108 - in the container
    container: Container = docker.from_env().containers.create(
        PINS["loki"],
        command=["-config.file=/given/loki.yaml", f"-ruler.storage.local.directory=/given/{loki.RULES}"],
        ports={"3100/tcp": ("127.0.0.1", 0)},
        user="0",
    )
    try:
        container.put_archive("/", archive({**files, "loki.yaml": text}))
        container.start()
        container.reload()
        port = container.attrs["NetworkSettings"]["Ports"]["3100/tcp"][0]["HostPort"]
        found = f"http://127.0.0.1:{port}"
        until(lambda: _ready(found))
        yield found
    finally:
        container.remove(force=True, v=True)


def _ready(address: str) -> bool:
    try:
        return http.get(f"{address}/ready", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


def push(address: str, at: float, lines: list[str], **labels: str) -> None:
    """Send lines of one stream with times from this one on, a millisecond apart."""
    values = [[str(int(at * 1e9) + number * 1_000_000), line] for number, line in enumerate(lines)]
    answer = http.post(
        f"{address}/loki/api/v1/push", json={"streams": [{"stream": labels, "values": values}]}, timeout=60
    )
    assert answer.status_code == 204, answer.text


def counted(address: str, record: str, at: float) -> dict[tuple[str, ...], float]:
    """The result of a recorded expression at a time: values of its labels, sorted by name, → value."""
    (expr,) = [
        rule["expr"]
        for text in log_rules.files().values()
        for group in load_yaml(text)["groups"]
        for rule in group["rules"]
        if rule["record"] == record
    ]
    answer = http.get(f"{address}/loki/api/v1/query", params={"query": expr, "time": f"{at:.0f}"}, timeout=60)
    assert answer.status_code == 200, answer.text
    return {
        tuple(value for _, value in sorted(one["metric"].items())): float(one["value"][1])
        for one in answer.json()["data"]["result"]
    }


def test_lines_are_counted_once_by_system_service_and_level(address: str) -> None:
    end = int(time.time()) - 600
    push(address, end - MINUTE - OFFSET - 1, ["before"], system="count", service="web", level="info")
    push(address, end - MINUTE - OFFSET + 1, ["first", "second"], system="count", service="web", level="info")
    push(address, end - OFFSET - 1, ["last"], system="count", service="web", level="error")
    push(address, end - OFFSET + 1, ["after"], system="count", service="web", level="info")
    now, later = (
        {labels: value for labels, value in counted(address, "app:log_lines:count1m", at).items() if "count" in labels}
        for at in (end, end + MINUTE)
    )
    assert now == {("info", "web", "count"): 2, ("error", "web", "count"): 1}
    assert later == {("info", "web", "count"): 1}


@pytest.mark.parametrize(
    ("record", "counting", "other"),
    [
        ("app:log_crashes:count1m", CRASHES, NO_CRASHES),
        ("app:log_auth_failures:count1m", SIGN_INS, NO_SIGN_INS),
        ("app:log_slow_queries:count1m", SLOW, NOT_SLOW),
    ],
)
def test_each_line_of_the_kind_is_counted_and_no_other(
    address: str, record: str, counting: tuple[str, ...], other: tuple[str, ...]
) -> None:
    end = int(time.time()) - 300
    system = record.partition(":")[2].partition(":")[0].replace("_", "-")
    for kind, lines in (("yes", counting), ("no", other)):
        for number, line in enumerate(lines):
            push(address, end - OFFSET - 5, [line], system=system, service=f"{kind}-{number}", level="info")
    found = {service for service, owner in counted(address, record, end) if owner == system}
    assert found == {f"yes-{number}" for number in range(len(counting))}


def test_errors_are_counted_by_kind_and_lines_without_a_kind_are_not(address: str) -> None:
    end = int(time.time()) - 900
    for level, kinds in (("error", ("0a1", "0a1", "0b2")), ("critical", ("0a1",)), ("info", ("0c3",))):
        values = [
            [str(int((end - 30) * 1e9) + number), f"{level} {number}", {"error_kind": kind, "trace_id": f"t{number}"}]
            for number, kind in enumerate(kinds)
        ]
        stream = {"system": "kinds", "service": "web", "level": level}
        body = {"streams": [{"stream": stream, "values": values}]}
        assert http.post(f"{address}/loki/api/v1/push", json=body, timeout=60).status_code == 204
    push(address, end - 30, ["no kind"], system="kinds", service="web", level="error")
    found = counted(address, "app:log_error_kinds:count1m", end)
    assert {labels: value for labels, value in found.items() if "kinds" in labels} == {
        ("0a1", "web", "kinds"): 3,
        ("0b2", "web", "kinds"): 1,
    }


def test_errors_with_a_fingerprint_are_counted_by_their_group_and_others_are_not(address: str) -> None:
    end = int(time.time()) - 1200
    for at, (kind, fingerprint) in enumerate((("0a1", "5fdb"), ("0a1", "5fdb"), ("0b2", "27ec"), ("0c3", ""))):
        said = {"error_kind": kind, **({"fingerprint": fingerprint} if fingerprint else {})}
        values = [[str(int((end - 30) * 1e9) + at), f"failed {at}", said]]
        stream = {"system": "groups", "service": "web", "level": "error"}
        body = {"streams": [{"stream": stream, "values": values}]}
        assert http.post(f"{address}/loki/api/v1/push", json=body, timeout=60).status_code == 204
    found = counted(address, "app:errors_by_fingerprint:count1m", end)
    assert {labels: value for labels, value in found.items() if "groups" in labels} == {
        ("0a1", "web", "groups"): 2,
        ("0b2", "web", "groups"): 1,
    }


def test_loki_has_loaded_every_rule_without_an_error(address: str) -> None:
    groups: list[dict[str, Any]] = []

    def evaluated() -> bool:
        answer = http.get(f"{address}/prometheus/api/v1/rules", timeout=30).raise_for_status()
        groups[:] = answer.json()["data"]["groups"]
        return bool(groups) and all(rule["health"] in ("ok", "err") for group in groups for rule in group["rules"])

    until(evaluated)
    loaded = {rule["name"] for group in groups for rule in group["rules"]}
    assert loaded == {one.name for one in log_rules.recorded()}
    errors = [rule.get("lastError", "") for group in groups for rule in group["rules"] if rule["health"] == "err"]
    assert errors == [], json.dumps(errors)
