"""What is obtained is stored completely or not at all, once, and refused requests are not repeated."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from toolchain import cache

HOLDER = """
import sys
from toolchain.cache import lock
with lock("thing"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OBS_CACHE_DIR", str(tmp_path))
    return tmp_path


def test_the_cache_is_at_the_path_in_the_environment(folder: Path) -> None:
    assert cache.cache_dir() == folder


def test_what_is_built_appears_atomically(folder: Path) -> None:
    target = folder / "thing" / "1"
    with cache.making(target) as work:
        (work / "program").write_text("x")
        assert not target.exists()
    assert [path.name for path in target.iterdir()] == ["program"]
    assert list(target.parent.iterdir()) == [target]


def test_an_interrupted_build_leaves_nothing(folder: Path) -> None:
    target = folder / "thing" / "1"

    def make() -> None:
        with cache.making(target) as work:
            (work / "half").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make()
    assert list(target.parent.iterdir()) == []


def test_what_a_killed_builder_left_is_removed_by_the_next(folder: Path) -> None:
    target = folder / "thing" / "1"
    left = target.parent / ".1.abcdef"
    left.mkdir(parents=True)
    with cache.making(target):
        assert not left.exists()


def test_another_process_waits_for_the_lock_and_a_killed_holder_frees_it() -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    entered = threading.Event()

    def enter() -> None:
        with cache.lock("thing"):
            entered.set()

    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        waiter = threading.Thread(target=enter)
        waiter.start()
        assert not entered.wait(0.2)
    finally:
        holder.kill()
        holder.communicate()
    assert entered.wait(300)
    waiter.join()


def test_two_threads_exclude_each_other_too() -> None:
    entered = threading.Event()

    def enter() -> None:
        with cache.lock("thing"):
            entered.set()

    with cache.lock("thing"):
        waiter = threading.Thread(target=enter)
        waiter.start()
        assert not entered.wait(0.1)
    assert entered.wait(300)
    waiter.join()


def test_a_refusal_is_cached_with_its_reason() -> None:
    assert cache.refusal("prom/prometheus:v1") is None
    cache.remember_refusal("prom/prometheus:v1", "no such host")
    assert (cache.refusal("prom/prometheus:v1") or "").startswith("no such host")
    assert cache.refusal("prom/prometheus:v2") is None


def test_a_cached_refusal_expires_after_a_day(folder: Path) -> None:
    cache.remember_refusal("way", "no such host")
    marker = next((folder / "refused").iterdir())
    old = time.time() - cache.RETRY_AFTER - 1
    os.utime(marker, (old, old))
    assert cache.refusal("way") is None
