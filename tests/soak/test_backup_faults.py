"""What goes wrong while a backup runs: files that change, damage, a stop, and what the retention removes."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import ContainerCollection

from observability.parts.backup import script
from tests.servers.backup_run import LINE, Run
from tests.waits import until


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_a_restore_of_what_a_snapshot_has_not_changes_nothing(run: Run) -> None:
    assert run.script("now")[0] == 0
    run.write("store/wal/00000001", "newer")
    (snapshot,) = run.snapshots()
    code, said = run.script("restore", snapshot.id, "store:65534:65534", "elsewhere:0:0", writable=True)
    assert code != 0
    assert any("elsewhere" in line for line in said)
    assert run.path("store/wal/00000001").read_text() == "newer"
    assert not run.path("store/.restored").exists()


def test_damaged_data_in_the_repository_is_a_failed_run(run: Run) -> None:
    assert run.script("now")[0] == 0
    pack = max(
        (run.root / "repository/data").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0
    )
    pack.chmod(0o600)
    content = bytearray(pack.read_bytes())
    content[10] ^= 0xFF
    pack.write_bytes(content)
    code, said = run.script("now")
    assert code == 1, said
    assert run.metrics()["last_run_timestamp_seconds"] > run.metrics()["last_success_timestamp_seconds"]


def test_files_that_are_removed_while_they_are_copied_are_copied_again(run: Run) -> None:
    # As when Prometheus truncates its log during the first copy: the oldest segment goes, the copy has it not whole.
    run.write("store/wal/00000000", "first")
    run.program(
        "cp",
        'case "$*" in *"/volumes/store/wal "*)\n'
        '  if [ ! -e /stage/once ]; then touch /stage/once; /bin/cp "$@"; rm /truncated/00000000; exit; fi;;\nesac\n'
        'exec /bin/cp "$@"\n',
    )
    # The volume is read-only to the backup; the one that removes is the server.
    source = str(run.path("store/wal"))
    original = ContainerCollection.create

    def create(self: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        options["volumes"] = {**options["volumes"], source: {"bind": "/truncated", "mode": "rw"}}
        return original(self, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ContainerCollection, "create", create)
        code, said = run.script("now")
    assert code == 0, said
    assert (run.root / "stage/once").exists()
    run.path("store/wal/00000001").unlink()
    (snapshot,) = run.snapshots()
    assert run.script("restore", snapshot.id, "store:0:0", writable=True)[0] == 0
    assert sorted(path.name for path in run.path("store/wal").iterdir()) == ["00000001"]


def test_an_incomplete_snapshot_is_removed_and_made_again(run: Run) -> None:
    # restic ends with 3 where it could not read a file; here the first of its backups does.
    run.program(
        "restic",
        '/usr/bin/restic "$@"; code=$?\n'
        'case " $* " in *" backup "*) if [ ! -e /stage/once ]; then touch /stage/once; exit 3; fi;; esac\n'
        'exit "$code"\n',
    )
    code, said = run.script("now")
    assert code == 0, said
    assert any("not complete" in line for line in said)
    assert len(run.snapshots()) == 1


def test_a_file_that_can_never_be_read_is_a_failed_run_without_a_snapshot(run: Run) -> None:
    run.program(
        "restic",
        '/usr/bin/restic "$@"; code=$?\ncase " $* " in *" backup "*) exit 3 ;; esac\nexit "$code"\n',
    )
    code, said = run.script("now")
    assert code == 1
    assert len([line for line in said if "not complete" in line]) == 5
    assert run.metrics()["last_success_timestamp_seconds"] == 0
    assert run.snapshots() == []


def test_a_database_is_whole_although_it_is_written_to(run: Run) -> None:
    with run.container("sleep", "3600") as found:
        database = sqlite3.connect(run.path("pages/pages.db"), isolation_level=None)
        # In a transaction whose journal is on disk: the file alone is not whole.
        database.execute("pragma cache_size = 1")
        database.execute("begin immediate")
        database.executemany("insert into pages values (?)", [("x" * 2000,)] * 200)
        assert run.path("pages/pages.db-journal").exists()
        api: Any = run.client.api
        made = api.exec_create(found.id, list(script("now")))["Id"]
        stream = api.exec_start(made, stream=True)
        next(stream)
        time.sleep(2)
        database.execute("commit")
        database.close()
        said = b"".join(stream).decode()
        assert api.exec_inspect(made)["ExitCode"] == 0, said
    run.path("pages/pages.db").unlink()
    (snapshot,) = run.snapshots()
    assert run.script("restore", snapshot.id, "pages:0:0", writable=True)[0] == 0
    with sqlite3.connect(run.path("pages/pages.db")) as restored:
        assert restored.execute("pragma integrity_check").fetchone() == ("ok",)
        assert restored.execute("select count(*) from pages").fetchone() == (201,)


def test_a_backup_that_is_stopped_leaves_no_lock_in_the_repository(run: Run) -> None:
    run.program(
        "restic",
        'case " $* " in *" backup "*) set -- --limit-upload 4096 "$@" ;; esac\nexec /usr/bin/restic "$@"\n',
    )
    run.path("store/block/chunks").write_bytes(os.urandom(64_000_000))
    locks = run.root / "repository/locks"
    with run.container(*script("loop")) as loop:
        until(lambda: "copying and storing" in loop.logs().decode() and locks.is_dir() and any(locks.iterdir()))
        begin = time.monotonic()
        loop.stop(timeout=60)
        assert time.monotonic() - begin < 30
    assert not list(locks.iterdir())
    assert not (run.root / "metrics/backup.prom").exists()


def test_the_retention_removes_what_it_does_not_keep(run: Run) -> None:
    run.configure(keep={"daily": 1, "weekly": 0, "monthly": 0})
    for number in range(2):
        run.write("store/wal/00000001", f"{LINE} {number}")
        assert run.script("now")[0] == 0
    assert len(run.snapshots()) == 1
