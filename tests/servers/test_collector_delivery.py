"""The collector's configuration in the pinned program: that every line arrives, once."""

import time
from pathlib import Path
from threading import Event, Thread
from typing import Final

import pytest

from tests.servers.collector_run import Container, Running, collector, entry, write
from tests.unit.conftest import stack_config
from tests.waits import until

SHOP: Final = Container(name="shop", ports=(80, 443))


def numbered(start: int, stop: int) -> str:
    """Lines with these numbers, as Docker writes them now."""
    return "".join(entry(f"numbered line {number}\n", "stdout", time.time_ns()) for number in range(start, stop))


def numbers(running: Running) -> list[int]:
    """The numbers of the lines that arrived, sorted; a line that arrived twice is there twice."""
    with running.received.lock:
        return sorted(int(one.body.rpartition(" ")[2]) for one in running.received.entries)


@pytest.mark.parametrize("status", [429, 502, 503])
def test_lines_that_were_refused_arrive_once_when_they_are_accepted(tmp_path: Path, status: int) -> None:
    write(tmp_path, SHOP, numbered(0, 20))
    with collector(stack_config(), tmp_path, [SHOP]) as running:
        until(lambda: numbers(running) == list(range(20)))
        running.received.answer = status
        write(tmp_path, SHOP, numbered(20, 40))
        until(lambda: running.received.refused >= 2)
        write(tmp_path, SHOP, numbered(40, 60))
        running.received.answer = 200
        until(lambda: len(numbers(running)) >= 60)
        assert numbers(running) == list(range(60))


def test_a_restart_continues_where_it_stopped(tmp_path: Path) -> None:
    write(tmp_path, SHOP, numbered(0, 20))
    with collector(stack_config(), tmp_path, [SHOP]) as running:
        until(lambda: numbers(running) == list(range(20)))
    write(tmp_path, SHOP, numbered(20, 40))
    with collector(stack_config(), tmp_path, [SHOP]) as running:
        until(lambda: len(numbers(running)) >= 20)
        time.sleep(2)
        assert numbers(running) == list(range(20, 40))


def test_a_restart_while_loki_is_down_loses_nothing(tmp_path: Path) -> None:
    write(tmp_path, SHOP, numbered(0, 20))
    with collector(stack_config(), tmp_path, [SHOP]) as running:
        running.received.answer = 503
        until(lambda: running.received.refused >= 1)
    write(tmp_path, SHOP, numbered(20, 40))
    with collector(stack_config(), tmp_path, [SHOP]) as running:
        until(lambda: len(set(numbers(running))) >= 40)
        assert set(numbers(running)) == set(range(40))


def test_a_killed_collector_loses_no_line(tmp_path: Path) -> None:
    ending, count = Event(), [0]

    def program() -> None:
        while not ending.wait(0.01):
            write(tmp_path, SHOP, numbered(count[0], count[0] + 1))
            count[0] += 1

    writing = Thread(target=program)
    writing.start()
    try:
        with collector(stack_config(), tmp_path, [SHOP]) as running:
            until(lambda: len(numbers(running)) > 200)
            running.program.kill()
            running.program.wait()
            before = set(numbers(running))
        with collector(stack_config(), tmp_path, [SHOP]) as running:
            until(lambda: len(numbers(running)) > 200)
            ending.set()
            writing.join()
            until(lambda: bool(numbers(running)) and numbers(running)[-1] == count[0] - 1)
            after = set(numbers(running))
    finally:
        ending.set()
    assert before | after == set(range(count[0]))


def test_a_rotated_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "containers" / SHOP.log
    write(tmp_path, SHOP, numbered(0, 100))
    with collector(stack_config(), tmp_path, [SHOP]) as running:
        until(lambda: len(numbers(running)) >= 100)
        for start in range(100, 400, 100):
            write(tmp_path, SHOP, numbered(start, start + 99))
            # As Docker does: older files move up, then the file itself, then a new one is begun.
            for number in (2, 1):
                older = path.with_name(f"{path.name}.{number}")
                if older.exists():
                    older.rename(path.with_name(f"{path.name}.{number + 1}"))
            path.rename(path.with_name(f"{path.name}.1"))
            write(tmp_path, SHOP, numbered(start + 99, start + 100))
            time.sleep(1)
        until(lambda: len(numbers(running)) >= 400)
        time.sleep(1)
        assert numbers(running) == list(range(400))


def test_a_container_that_appears_later_is_read_from_its_beginning(tmp_path: Path) -> None:
    later = Container(name="later")
    write(tmp_path, SHOP, numbered(0, 5))
    write(tmp_path, later, numbered(5, 10))
    with collector(stack_config(), tmp_path, [SHOP]) as running:
        until(lambda: numbers(running) == list(range(5)))
        running.engine.start(later.document())
        until(lambda: numbers(running) == list(range(10)))
