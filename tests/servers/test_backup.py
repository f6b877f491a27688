"""The pinned restic with the backup's script: what is stored, what is reported, and what a restore puts back."""

import io
import os
import sqlite3
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import docker
import pytest
from docker.models.containers import Container, ContainerCollection

from components.backup import CAPABILITY, USER
from observability.operations import backup
from observability.operations.restore import read_state
from observability.parts.backup import FOLDER, FOLDER_OF_HOST, METRICS, STAGE, VOLUMES, BackupSettings, files, script
from observability.parts.images import PINS
from observability.parts.model import Kept
from tests.tools import run_tool
from tests.waits import until

PASSWORD: Final = "correct horse"  # noqa: S105 - of this test
KEPT: Final = {
    "store": Kept(owner="65534:65534", copied=("wal",), left_out=("tmp*",)),
    "pages": Kept(owner="472:0", databases=("pages.db",)),
}
LINE: Final = "a line that nobody else may read"


class Run:
    """Folders of a test in place of volumes, and containers of the backup with them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.client = docker.from_env()
        for name in ("volumes/store/wal", "volumes/store/block", "volumes/pages", "repository", "stage", "metrics"):
            (root / name).mkdir(parents=True)
        (root / "bin").mkdir()
        self.write("store/wal/00000001", LINE)
        self.write("store/block/chunks", "old samples")
        self.write("store/tmp1", "of no use")
        with sqlite3.connect(self.path("pages/pages.db")) as database:
            database.execute("create table pages (title)")
            database.execute("insert into pages values ('first')")
        self.configure()

    def path(self, name: str) -> Path:
        return self.root / "volumes" / name

    def write(self, name: str, text: str) -> None:
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text)

    def configure(self, password: str = PASSWORD, **values: Any) -> None:  # noqa: ANN401 - any setting
        settings = BackupSettings.model_validate({"repository": "/backups", "verify": "100%", **values})
        folder = self.root / "config/current"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in {**files(settings, "shop", KEPT), "password": password}.items():
            (folder / name).write_text(text)

    def program(self, name: str, text: str) -> None:
        """A program that is found before the image's own of the same name."""
        (self.root / "bin" / name).write_text(f"#!/bin/sh\n{text}")
        (self.root / "bin" / name).chmod(0o755)

    @contextmanager
    def container(self, *command: str, writable: bool = False) -> Iterator[Container]:
        mode = "rw" if writable else "ro"
        made = self.client.containers.create(
            PINS["backup"],
            entrypoint=list(command),
            init=command[0] == "sleep",
            user=USER,
            read_only=True,
            cap_drop=["ALL"],
            cap_add=[CAPABILITY, *(("CHOWN", "FOWNER") if writable else ())],
            tmpfs={"/run": "size=16m,mode=0755", "/tmp": ""},  # noqa: S108 - in the container
            security_opt=["no-new-privileges:true"],
            environment={"PATH": "/fake:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            volumes={
                str(self.root / "config"): {"bind": FOLDER, "mode": "ro"},
                str(self.root / "bin"): {"bind": "/fake", "mode": "ro"},
                str(self.root / "repository"): {"bind": FOLDER_OF_HOST, "mode": "rw"},
                str(self.root / "stage"): {"bind": STAGE, "mode": "rw"},
                str(self.root / "metrics"): {"bind": METRICS, "mode": "rw"},
                **{str(self.root / "volumes" / name): {"bind": f"{VOLUMES}/{name}", "mode": mode} for name in KEPT},
            },
        )
        try:
            made.start()
            yield made
        finally:
            made.remove(force=True, v=True)

    def script(self, *arguments: str, writable: bool = False) -> tuple[int, list[str]]:
        """Run the script as `obs` does, in a container that is there; returns its exit code and its lines."""
        said: list[str] = []
        with self.container("sleep", "3600", writable=writable) as found:
            code = backup.execute(found, list(script(*arguments)), said.append)
        print(*said, sep="\n")  # noqa: T201 - shown by pytest where a test fails
        return code, said

    def snapshots(self) -> list[backup.Snapshot]:
        with self.container("sleep", "3600") as found:
            return backup.listed(found)

    def metrics(self) -> Mapping[str, float]:
        """The values of the page, by name without the common beginning."""
        lines = (self.root / "metrics/backup.prom").read_text().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name.partition("{")[0].removeprefix("obs_backup_"): float(value) for name, value in pairs}


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


def test_a_restore_of_what_a_snapshot_has_not_changes_nothing(run: Run) -> None:
    assert run.script("now")[0] == 0
    run.write("store/wal/00000001", "newer")
    (snapshot,) = run.snapshots()
    code, said = run.script("restore", snapshot.id, "store:65534:65534", "elsewhere:0:0", writable=True)
    assert code != 0
    assert any("elsewhere" in line for line in said)
    assert run.path("store/wal/00000001").read_text() == "newer"
    assert not run.path("store/.restored").exists()


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


def test_the_retention_removes_what_it_does_not_keep(run: Run) -> None:
    run.configure(keep={"daily": 1, "weekly": 0, "monthly": 0})
    for number in range(2):
        run.write("store/wal/00000001", f"{LINE} {number}")
        assert run.script("now")[0] == 0
    assert len(run.snapshots()) == 1


def test_a_tar_in_the_archive_is_the_one_that_was_put_there() -> None:
    with tarfile.open(fileobj=io.BytesIO(backup.packed({"a/b": b"c"}))) as found:
        assert [(one.name, one.mode, one.size) for one in found] == [("a/b", 0o600, 1)]
