"""From the files of Docker through the pinned collector into the pinned Loki, both with the stack's configuration."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from observability.core import http
from observability.logs.loki import INDEXED
from tests.servers.collector_run import Container, collector, entry, loki_server, write
from tests.servers.log_case import Case
from tests.servers.log_cases import CASES
from tests.servers.log_table import config, container, expected, file_of, own
from tests.waits import until

ROTATED: Final = Container(name="rotated")
"""A container that wrote for hours before it is read for the first time."""

HOURS: Final = (9, 6, 3, 0)
"""Age of the lines of its files, the oldest file first."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A stored line."""

    labels: dict[str, str]
    metadata: dict[str, str]
    body: str


@pytest.fixture(scope="module")
def now() -> int:
    """When the lines were written, in nanoseconds; in whole milliseconds."""
    return time.time_ns() // 10**6 * 10**6


@pytest.fixture(scope="module")
def loki(tmp_path_factory: pytest.TempPathFactory, now: int) -> Iterator[str]:
    """The address of a Loki that has stored the table."""
    root = tmp_path_factory.mktemp("collector")
    found = [container(case) for case in CASES]
    for case, one in zip(CASES, found, strict=True):
        write(root, one, file_of(case, now))
    for number, hours in enumerate(reversed(HOURS)):
        path = root / "containers" / f"{ROTATED.log}.{number}".removesuffix(".0")
        path.parent.mkdir(parents=True, exist_ok=True)
        at = [now - hours * 3600 * 10**9 + second * 10**9 for second in range(-200, 0)]
        path.write_text("".join(entry(f"{hours} hours ago\n", "stdout", one) for one in at))
    with loki_server(config(), root) as address, collector(config(), root, [*found, ROTATED], to=address):
        count = sum(len(case.stored) for case in CASES)
        until(lambda: sum(len(stored(address, case.name)) for case in CASES) >= count, pause=2)
        yield address


def stored(address: str, name: str) -> list[Line]:
    """The lines of a container, in the order of their time."""
    parameters = {
        "query": f'{{container="{name}"}}',
        "start": str(time.time_ns() - 6 * 86400 * 10**9),
        "end": str(time.time_ns() + 600 * 10**9),
        "limit": "5000",
        "direction": "forward",
    }
    answer = http.get(
        f"{address}/loki/api/v1/query_range",
        params=parameters,
        headers={"X-Loki-Response-Encoding-Flags": "categorize-labels"},
        timeout=60,
    )
    found: list[tuple[int, Line]] = []
    streams: list[dict[str, Any]] = answer.json()["data"]["result"]
    for one in streams:
        for nanoseconds, body, more in one["values"]:
            metadata = more.get("structuredMetadata", {})
            found.append((int(nanoseconds), Line(labels=one["stream"], metadata=metadata, body=body)))
    return [line for _, line in sorted(found, key=lambda entry: entry[0])]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_loki_stores_a_line_as_the_table_says(case: Case, loki: str, now: int) -> None:
    found = stored(loki, case.name)
    wanted = [expected(one, case, number, now) for number, one in enumerate(case.stored)]
    assert [one.body for one in found] == [one.body for one in wanted]
    for one, right in zip(found, wanted, strict=True):
        assert set(one.labels) == set(INDEXED)
        assert one.labels["level"] == right.level
        assert {name: one.labels[name] for name in right.labels} == dict(right.labels)
        metadata = {"image": "example/shop:1.0", **right.metadata}
        assert own(one.metadata, one.labels["level"]) == {
            **metadata,
            **({"stream": right.stream} if right.stream else {}),
        }


def test_files_that_were_rotated_long_ago_are_stored_too(loki: str) -> None:
    found = [line.body for line in stored(loki, ROTATED.name)]
    assert {hours: found.count(f"{hours} hours ago") for hours in HOURS} == dict.fromkeys(HOURS, 200)


def test_loki_discards_none_of_the_lines(loki: str) -> None:
    page = http.get(f"{loki}/metrics", timeout=30).text
    assert not [line for line in page.splitlines() if line.startswith("loki_discarded_samples_total{")]
