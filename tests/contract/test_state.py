"""Records and locks as the engine itself writes them: an update that is killed, a record that is cut off.

The program declares components alone, so no plugin is needed.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from observability.core.errors import ConfigError
from observability.core.naming import PROJECT
from observability.operations.home import Home
from observability.operations.state import Lock, State, read
from tests.waits import until
from toolchain import ensure, pulumi_cli

PROGRAM: Final = """
import sys, time
import pulumi
from pulumi import automation

root, folder, wait, *names = sys.argv[1:]

class Made(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:index:Made", name)
        self.register_outputs({})

def program():
    for name in names:
        Made(name)
    if wait == "wait":
        print("declared", flush=True)
        time.sleep(100000)

options = automation.LocalWorkspaceOptions(work_dir=folder, pulumi_command=automation.PulumiCommand(root=root))
automation.create_or_select_stack("dev", "observability", program, opts=options).up()
"""


class Engine:
    """The engine with a record in the data folder of a test."""

    def __init__(self, home: Home, cli: Path) -> None:
        self.home = home
        self._cli = cli.parent.parent
        self._environment = {**os.environ, **home.environment()}
        home.project.mkdir(exist_ok=True)
        (home.project / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")

    def _command(self, names: Sequence[str], wait: str) -> list[str]:
        return [sys.executable, "-c", PROGRAM, str(self._cli), str(self.home.project), wait, *names]

    def up(self, *names: str) -> str:
        """Run an update that declares these components; what it writes where it fails."""
        done = subprocess.run(
            self._command(names, "no"), env=self._environment, capture_output=True, text=True, check=False
        )
        return done.stderr if done.returncode else ""

    def up_killed(self, *names: str) -> Lock:
        """Begin an update, and kill its processes once it has declared these components; its lock."""
        program = subprocess.Popen(
            self._command(names, "wait"), env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == b"declared\n"
            lock: Lock = until(lambda: self.state.locks)[0]
            until(lambda: read(self.state.file, "dev").resources >= len(names))
            assert lock.holder == "runs"
            os.kill(lock.pid, signal.SIGKILL)
        finally:
            program.kill()
            program.communicate()
        until(lambda: lock.holder == "ended")
        return lock

    @property
    def state(self) -> State:
        found = State.of(self.home, "dev")
        assert found is not None
        return found


def engine_in(folder: Path, patch: pytest.MonkeyPatch) -> Engine:
    """The engine with its data and its home in this folder."""
    for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        patch.delenv(name, raising=False)
    patch.setenv("OBS_DATA_DIR", str(folder / "data"))
    patch.setenv("PULUMI_HOME", str(folder / "home"))
    known = pulumi_cli.find()
    return Engine(Home.find(), known[0] if known else ensure({}).pulumi)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data folders `1` and `2`: after an update that declares `a`, and after another one that declares `b` too."""
    folder = tmp_path_factory.mktemp("records")
    with pytest.MonkeyPatch.context() as patch:
        engine = engine_in(folder / "made", patch)
        for number, names in (("1", ("a",)), ("2", ("a", "b"))):
            assert engine.up(*names) == ""
            shutil.copytree(engine.home.folder, folder / number)
    return folder


def engine_after(records: Path, updates: int, folder: Path, patch: pytest.MonkeyPatch) -> Engine:
    """The engine with a copy of the record after so many updates."""
    shutil.copytree(records / str(updates), folder / "data")
    return engine_in(folder, patch)


@pytest.fixture
def once(records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine after an update that declares `a`."""
    return engine_after(records, 1, tmp_path, monkeypatch)


@pytest.fixture
def twice(records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine after an update that declares `a`, and another one that declares `b` too."""
    return engine_after(records, 2, tmp_path, monkeypatch)


def test_an_update_after_a_killed_one_is_refused_until_its_lock_is_removed(once: Engine) -> None:
    once.state.check()
    lock = once.up_killed("a", "b")
    assert f"(pid {lock.pid})" in once.up("a", "b")
    with pytest.raises(ConfigError, match=f"was killed: process {lock.pid} "):
        once.state.check()
    assert len(once.state.unlock()) == 1
    once.state.check()
    assert once.up("a", "b", "c") == ""
    assert read(once.state.file, "dev").resources == 4


@pytest.mark.parametrize("cut", [0, -1])
def test_the_engine_goes_on_from_a_restored_record(cut: int, twice: Engine) -> None:
    path = twice.state.file
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    assert twice.up("a", "b") != ""
    with pytest.raises(ConfigError, match="the record of dev is damaged"):
        twice.state.check()
    assert twice.state.restore() is not None
    twice.state.check()
    assert twice.up("a", "b", "c") == ""
    assert read(path, "dev").resources == 4
    (aside,) = path.parent.glob("*.damaged-*")
    assert aside.read_bytes() == whole[:cut]


def test_every_copy_that_the_engine_keeps_is_read(twice: Engine) -> None:
    kept = list(twice.state._kept())
    assert {path.path.relative_to(twice.state.folder).parts[0] for path in kept} == {"stacks", "backups", "history"}
    assert {record.resources for record in kept} >= {2, 3}


def test_the_engine_begins_another_record_where_none_is_left(once: Engine) -> None:
    state = once.state
    for record in [*state._kept()]:
        record.path.unlink()
    state.file.write_bytes(state.file.read_bytes()[:100])
    state.set_aside()
    state.check()
    assert once.up("a", "b") == ""
    assert read(state.file, "dev").resources == 3
