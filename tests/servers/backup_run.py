"""The pinned restic with the backup's script, on folders in place of volumes."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import docker
from docker.models.containers import Container

from components.backup import CAPABILITY, USER
from observability.operations import backup
from observability.parts.backup import FOLDER, FOLDER_OF_HOST, METRICS, STAGE, VOLUMES, BackupSettings, files, script
from observability.parts.images import PINS
from observability.parts.model import Kept

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
