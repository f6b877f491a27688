"""Kinds of errors in the pinned collector: one for lines that say the same, others for those that do not."""

import time
from collections.abc import Iterator
from typing import Final

import pytest

from observability.logs.statements import KIND
from tests.servers.collector_run import Container, Running, collector, entry, write
from tests.unit.conftest import stack_config
from tests.waits import until

SAME: Final[dict[str, tuple[str, ...]]] = {
    "numbers": ("ERROR order 17 failed after 3 attempts", "ERROR order 4711 failed after 12 attempts"),
    "times": ("2026-11-29 12:00:00.123 ERROR no provider", "2026-11-30 03:00:59.001 ERROR no provider"),
    "addresses": ("ERROR dial tcp 10.0.0.7:5432: refused", "ERROR dial tcp 10.0.0.9:15432: refused"),
    "ids": (
        "ERROR job 4bf92f3577b34da6a3ce929d0e0e4736 of 0b1f3c9e-77aa-4e21-9d3c-0a1b2c3d4e5f",
        "ERROR job 0af7651916cd43dd8448eb211c80319c of 7c9e6679-7425-40de-944b-e07fc1f90ae7",
    ),
    "paths": ("ERROR open /var/lib/a/x.dat: denied", "ERROR open /srv/other.dat: denied"),
    "quoted": ('ERROR no user "ann"', 'ERROR no user "bob of the shop"'),
    "single quotes": ("ERROR no key 'ann' in map", "ERROR no key 'bob' in map"),
    "mail": ("ERROR cannot mail ann@example.com", "ERROR cannot mail bob@example.org"),
    "links": ("ERROR GET https://a.example/x?y=1 refused", "ERROR GET http://b.example/ refused"),
    "json": (
        '{"level":"error","message":"order 17 refused","order":17,"user":"ann"}',
        '{"level":"error","message":"order 18 refused","order":18,"user":"bob"}',
    ),
    "logfmt": (
        'ts=2026-11-29T12:00:00Z caller=main.go:17 level=error msg="cannot write" err="disk full"',
        'ts=2026-11-29T12:00:01Z caller=main.go:17 level=error msg="cannot write" err="quota"',
    ),
    "traces": (
        "ERROR failed\njava.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)",
        "ERROR failed\njava.lang.IllegalStateException: no\n\tat a.B.d(B.java:7)\n\tat e.F.g(F.java:9)",
    ),
    "fingerprints": (
        '{"level":"error","message":"no stock of cups","fingerprint":"5fdba5fe6f73ad7a"}',
        '{"level":"error","message":"it is closed","error":"x","fingerprint":"5fdba5fe6f73ad7a"}',
    ),
    "another fingerprint": (
        '{"level":"error","message":"no stock of cups","fingerprint":"0d1e5af6c8b74e21"}',
        '{"level":"error","message":"no stock of bowls","error":{"fingerprint":"0d1e5af6c8b74e21"}}',
    ),
    "postgres": (
        '2026-11-29 12:00:00.934 UTC [31] ERROR:  relation "orders" does not exist',
        '2026-11-29 13:00:00.001 UTC [77] ERROR:  relation "carts" does not exist',
    ),
}
"""Lines of one kind; those of two entries are of two kinds."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("kinds")
    found = [Container(name=f"kind-{number}") for number in range(len(SAME))]
    now = time.time_ns()
    for container, lines in zip(found, SAME.values(), strict=True):
        texts = [*"\n".join(lines).split("\n"), "INFO no error 17"]
        write(root, container, "".join(entry(f"{text}\n", "stdout", now + at) for at, text in enumerate(texts)))
    with collector(stack_config(), root, found) as one:
        until(lambda: len(one.received.entries) >= 3 * len(SAME))
        yield one


def kinds(running: Running, name: str) -> list[str | None]:
    number = list(SAME).index(name)
    return [one.attributes.get(KIND) for one in running.received.by_container()[f"kind-{number}"]]


@pytest.mark.parametrize("name", SAME)
def test_errors_that_differ_in_details_are_of_one_kind_and_other_lines_of_none(running: Running, name: str) -> None:
    first, second, none = kinds(running, name)
    assert first == second
    assert first is not None
    assert none is None


def test_errors_that_say_different_things_are_of_different_kinds(running: Running) -> None:
    found = [kinds(running, name)[0] for name in SAME]
    assert len(set(found)) == len(SAME)


def test_a_kind_is_one_of_1024_values(running: Running) -> None:
    for name in SAME:
        kind = kinds(running, name)[0]
        assert kind is not None
        assert len(kind) == 3
        assert kind[2] in "0123"
        assert int(kind, 16) >= 0
