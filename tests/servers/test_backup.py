"""The pinned restic with the backup's script: what is stored and reported, and what a restore puts back.

What goes wrong while it runs: tests/soak/test_backup_faults.py.
"""

import io
import sqlite3
import tarfile
import time
from pathlib import Path

import pytest

from observability.operations import backup
from observability.operations.restore import read_state
from observability.parts.backup import STAGE, script
from tests.servers.backup_run import LINE, Run
from tests.tools import run_tool
from tests.waits import until


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_a_backup_is_encrypted_verified_and_reported(run: Run) -> None:
    begin = int(time.time())
    code, said = run.script("now")
    assert code == 0, said
    found = run.metrics()
    assert begin <= found["last_success_timestamp_seconds"] == found["last_run_timestamp_seconds"] <= time.time()
    assert found["last_verified_timestamp_seconds"] >= begin
    assert found["interval_seconds"] == 86_400
    assert found["snapshots"] == 1
    stored = sum(path.stat().st_size for path in (run.root / "repository").rglob("*") if path.is_file())
    assert 0 < found["repository_bytes"] <= stored
    database = run.path("pages/pages.db").stat().st_size
    assert found["data_bytes"] == len(LINE) + len("old samples") + database + len(f"{begin}\n")
    assert not [
        path for path in (run.root / "repository").rglob("*") if path.is_file() and LINE.encode() in path.read_bytes()
    ]
    page = run.root / "metrics/backup.prom"
    assert page.stat().st_mode & 0o777 == 0o644
    checked = run_tool("prometheus", ["sh", "-c", "promtool check metrics < page"], {"page": page.read_text()})
    assert (checked.code, checked.output) == (0, "")


def test_a_backup_is_put_back_with_its_owners_and_replaces_what_is_there(run: Run) -> None:
    assert run.script("now")[0] == 0
    run.write("store/wal/00000001", "damaged")
    run.write("store/later", "not in the backup")
    run.path("pages/pages.db").unlink()
    (snapshot,) = run.snapshots()
    code, said = run.script("restore", snapshot.id, "store:65534:65534", "pages:472:0", writable=True)
    assert code == 0, said
    there = {str(path.relative_to(run.path(""))) for path in run.path("").rglob("*") if path.is_file()}
    assert there == {"store/wal/00000001", "store/block/chunks", "pages/pages.db"}
    assert run.path("store/wal/00000001").read_text() == LINE
    owners = {name: run.path(name).stat().st_uid for name in ("store", "store/block/chunks", "pages/pages.db")}
    assert owners == {"store": 65534, "store/block/chunks": 65534, "pages/pages.db": 472}
    with sqlite3.connect(run.path("pages/pages.db")) as database:
        assert database.execute("select title from pages").fetchall() == [("first",)]


def test_a_restore_that_was_killed_while_it_switched_is_undone_by_the_next(run: Run) -> None:
    assert run.script("now")[0] == 0
    # It had moved all of the old aside, and half of the new in.
    run.path("store/.replaced").mkdir()
    run.path("store/wal").rename(run.path("store/.replaced/wal"))
    run.write("store/.replaced/.all", "")
    run.write("store/.restored/wal/00000001", "half")
    (snapshot,) = run.snapshots()
    # The next one fails too, before it switches.
    code, _ = run.script("restore", snapshot.id, "store:65534:65534", "elsewhere:0:0", writable=True)
    assert code != 0
    assert run.path("store/wal/00000001").read_text() == LINE
    assert not run.path("store/.replaced").exists()


def test_a_wrong_password_is_a_failed_run_and_keeps_the_last_success(run: Run) -> None:
    assert run.script("now")[0] == 0
    success = run.metrics()["last_success_timestamp_seconds"]
    run.configure(password="wrong")  # noqa: S106 - of this test
    time.sleep(1.1)
    code, said = run.script("now")
    assert code == 1
    assert any("wrong password" in line for line in said)
    found = run.metrics()
    assert found["last_success_timestamp_seconds"] == success < found["last_run_timestamp_seconds"]
    assert found["snapshots"] == 1


def test_the_loop_backs_up_when_it_is_due_and_not_again(run: Run) -> None:
    with run.container(*script("loop")) as loop:
        until(lambda: (run.root / "metrics/backup.prom").exists())
        assert run.metrics()["last_success_timestamp_seconds"] > 0
        assert backup.execute(loop, list(script("health")), print) == 0
        # The next one is due in the next interval: two rounds of the loop start none.
        time.sleep(11)
        assert run.metrics()["snapshots"] == 1
        begin = time.monotonic()
        loop.stop(timeout=60)
        assert time.monotonic() - begin < 30
    assert len(run.snapshots()) == 1


def test_the_archive_of_the_data_folder_comes_back_from_a_snapshot(run: Run) -> None:
    content = backup.packed({"passphrase": b"p", "secrets/shop/backupPassword": b"\xff\x00"})
    with run.container("sleep", "3600") as found:
        # The root is read-only; the folder is a volume.
        found.put_archive(STAGE, backup.packed({"state/state.tar": content}))
        said: list[str] = []
        assert backup.execute(found, list(script("now")), said.append) == 0, said
        (snapshot,) = backup.listed(found)
        back = read_state(found, snapshot)
    assert back == {"passphrase": b"p", "secrets/shop/backupPassword": b"\xff\x00"}


def test_a_tar_in_the_archive_is_the_one_that_was_put_there() -> None:
    with tarfile.open(fileobj=io.BytesIO(backup.packed({"a/b": b"c"}))) as found:
        assert [(one.name, one.mode, one.size) for one in found] == [("a/b", 0o600, 1)]
