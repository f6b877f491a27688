"""The collector's configuration in the pinned program: what it makes of the lines of `log_cases.py`."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from observability.core import http
from observability.logs.loki import INDEXED
from tests.servers.collector_run import Running, collector, moment, write
from tests.servers.log_case import Case, Stored
from tests.servers.log_cases import CASES
from tests.servers.log_table import config, container, expected, file_of, own, times
from tests.servers.otlp_double import Entry
from tests.waits import until

QUIET: Final = 4.0
"""Seconds without a new line after which none is expected."""

HUGE_LINE: Final = "ERROR " + "x" * 1024 * 1024
HUGE: Final = Case(name="huge", written=[HUGE_LINE], stored=[])
"""A line of which only the pieces are known."""

METADATA: Final = ("image", "compose_project")
"""Structured metadata of a container; the rest is of its lines."""


@pytest.fixture(scope="module")
def now() -> int:
    """When the lines were written, in nanoseconds; in whole milliseconds."""
    return time.time_ns() // 10**6 * 10**6


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, now: int) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("collector")
    found = {case.name: container(case) for case in (*CASES, HUGE)}
    for case in (*CASES, HUGE):
        write(root, found[case.name], file_of(case, now))
    with collector(config(), root, list(found.values())) as one:
        yield one


@pytest.fixture(scope="module")
def arrived(running: Running) -> dict[str, list[Entry]]:
    """The lines of every container, once no more arrive."""
    before, since = -1, time.monotonic()

    def complete() -> bool:
        nonlocal before, since
        count = len(running.received.entries)
        if count != before:
            before, since = count, time.monotonic()
        return count > sum(len(case.stored) for case in CASES) and time.monotonic() - since > QUIET

    until(complete)
    return running.received.by_container()


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_line_is_stored_as_the_table_says(case: Case, arrived: dict[str, list[Entry]], now: int) -> None:
    found = arrived.get(case.name, [])
    wanted = [expected(one, case, number, now) for number, one in enumerate(case.stored)]
    assert [shown(one) for one in found] == [shown_of(one) for one in wanted]
    for one, right in zip(found, wanted, strict=True):
        assert one.body == right.body
        assert {name: one.resource[name] for name in right.labels} == dict(right.labels)
        metadata = {
            **own(one.attributes, one.resource["level"]),
            **{n: v for n, v in one.resource.items() if n == "compose_project"},
        }
        assert metadata == {**right.metadata, **({"stream": right.stream} if right.stream else {})}


def shown(one: Entry) -> tuple[str, str]:
    return (one.resource["level"], one.body[:200])


def shown_of(one: Stored) -> tuple[str, str]:
    return (one.level, one.body[:200])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_line_has_its_own_time_or_that_of_docker(case: Case, arrived: dict[str, list[Entry]], now: int) -> None:
    for one, right in zip(arrived.get(case.name, []), case.stored, strict=True):
        if right.at == "READ":
            assert abs(one.nanoseconds - time.time_ns()) < 300 * 10**9
            continue
        possible = {moment(right.at, at)[1] // 10**6 for at in times(case, now)}
        epoch = {at // 10**9 * 1000 for at in times(case, now)} if "NOWs" in str(case.written) else set()
        assert one.nanoseconds // 10**6 in possible | epoch, (one.nanoseconds, sorted(possible))


def test_a_stream_has_the_labels_that_loki_indexes_and_no_more(arrived: dict[str, list[Entry]]) -> None:
    for lines in arrived.values():
        for one in lines:
            assert set(one.resource) - set(METADATA) == set(INDEXED)
            assert one.resource["stack"] == "staging"
            assert one.resource["image"] == "example/shop:1.0"


def test_a_line_that_is_read_again_is_the_same_line(arrived: dict[str, list[Entry]]) -> None:
    assert {one.observed for lines in arrived.values() for one in lines} == {0}


def test_a_line_of_a_megabyte_is_stored_whole_in_pieces(arrived: dict[str, list[Entry]]) -> None:
    found = arrived["huge"]
    assert len(found) > 1
    assert all(len(one.body) < 256 * 1024 for one in found)
    assert sum(len(one.body) for one in found) == len(HUGE_LINE)
    assert [one.attributes.get("partial") for one in found] == ["true"] * (len(found) - 1) + [None]


def test_unreadable_lines_are_counted_by_stream(running: Running, arrived: dict[str, list[Entry]]) -> None:
    counted: dict[str, float] = {}
    for line in http.get(running.lines, timeout=30).text.splitlines():
        if found := re.match(r"obs_collector_lines_unparsed_total\{(.*)\} (\S+)$", line):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', found[1]))
            assert set(labels) == {"container", "service", "stack", "system", "team"}
            counted[labels["container"]] = float(found[2])
    assert counted == {
        name: float(sum("parse_error" in one.attributes for one in lines))
        for name, lines in arrived.items()
        if any("parse_error" in one.attributes for one in lines)
    }


def test_secrets_are_not_in_the_queue(running: Running, arrived: dict[str, list[Entry]]) -> None:
    assert arrived
    for path in Path(running.root, "data", "queue").rglob("*"):
        if path.is_file():
            assert b"hunter2" not in path.read_bytes(), path
