"""Loki's push address, which takes the lines of a Promtail or an Alloy."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http import HTTP
from tests.servers.collector_run import loki_server
from tests.unit.conftest import stack_config
from tests.waits import until

LABELS = {"system": "depot", "team": "depot", "service": "api", "level": "error", "host": "old-1"}
"""Labels as a Promtail's settings state them; `host` is none of those that the stack's collector makes."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with loki_server(stack_config(), tmp_path_factory.mktemp("push")) as found:
        yield found


def varint(number: int) -> bytes:
    """A number as Protocol Buffers and snappy write it."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def field(number: int, value: bytes | int) -> bytes:
    """A field of a message of Protocol Buffers: of bytes, or a number."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def compressed(data: bytes) -> bytes:
    """A block in snappy's format, of one literal of 61 to 65536 bytes."""
    assert 60 < len(data) <= 65536
    return varint(len(data)) + bytes([61 << 2]) + (len(data) - 1).to_bytes(2, "little") + data


def pushed(text: str, nanoseconds: int) -> bytes:
    """A request as Promtail and Alloy send it: `logproto.PushRequest` of one stream with one line."""
    labels = "{" + ", ".join(f'{name}="{value}"' for name, value in LABELS.items()) + "}"
    moment = field(1, nanoseconds // 10**9) + field(2, nanoseconds % 10**9)
    entry = field(1, moment) + field(2, text.encode())
    return compressed(field(1, field(1, labels.encode()) + field(2, entry)))


def stored(address: str, text: str) -> list[tuple[dict[str, str], list[list[str]]]]:
    """Labels and values of the streams with a line that contains this text."""
    answer = HTTP.get(
        f"{address}/loki/api/v1/query_range",
        params={"query": f'{{system="depot"}} |= "{text}"'},
        headers={"X-Loki-Response-Encoding-Flags": "categorize-labels"},
        timeout=60,
    )
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return [(one["stream"], [value[:2] for value in one["values"]]) for one in found]


@pytest.mark.parametrize(
    ("program", "kind"), [("promtail/3.6.3", "application/x-protobuf"), ("a script", "application/json")]
)
def test_a_line_pushed_by_another_collector_is_stored_with_its_labels(address: str, program: str, kind: str) -> None:
    now = time.time_ns()
    text = f"out of stock, said to {program}"
    values = [[str(now), text]]
    body = pushed(text, now) if "proto" in kind else json.dumps({"streams": [{"stream": LABELS, "values": values}]})
    answer = HTTP.post(
        f"{address}/loki/api/v1/push",
        content=body,
        headers={"Content-Type": kind, "User-Agent": program},
        timeout=60,
    )
    assert answer.status_code == 204, answer.text
    assert until(lambda: stored(address, text)) == [(LABELS, values)]
