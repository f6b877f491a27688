"""The engine's record of a stack: a lock that is left over, a record that is cut off, and what repairs both."""

import gzip
import io
import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from observability.cli.app import app
from observability.core.errors import ConfigError
from observability.operations import drift, operation
from observability.operations.changes import Recorded
from observability.operations.drift import Docker
from observability.operations.home import Home
from observability.operations.operation import Operation
from observability.operations.state import State
from observability.synth.declared import CONTAINER, Declared

EARLIER, LATER = "2026-11-30T10:00:00.123456789Z", "2026-11-30T11:00:00.123456789Z"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path / "data"))
    return Home.find()


@pytest.fixture
def state(home: Home) -> State:
    found = State.of(home, "dev")
    assert found is not None
    return found


def record(*names: str, at: str = LATER, stack: str = "dev", **first: Any) -> str:  # noqa: ANN401
    """A record as the engine writes it: the stack, and components in it."""
    root = "urn:pulumi:dev::observability::pulumi:pulumi:Stack::observability-dev"
    resources: list[dict[str, Any]] = [{"urn": root, "custom": False, "type": "pulumi:pulumi:Stack"}]
    for name in names:
        urn = f"urn:pulumi:dev::observability::t:i:C::{name}"
        resources.append({"urn": urn, "custom": False, "type": "t:i:C", "parent": root})
    if names:
        resources[1] |= first
    latest = {"manifest": {"time": at, "magic": "0", "version": "v3.259.0"}, "resources": resources, "metadata": {}}
    checkpoint = {"stack": f"organization/observability/{stack}", "latest": latest}
    return json.dumps({"version": 3, "checkpoint": checkpoint}, separators=(",", ":"))


def put(state: State, text: str | bytes, path: str = "stacks/observability/dev.json") -> Path:
    place = state.folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text if isinstance(text, bytes) else text.encode())
    place.with_name(f"{place.name}.attrs").write_text('{"md5":"AA=="}')
    return place


def put_lock(state: State, pid: int, host: str | None = None, since: datetime | None = None) -> Path:
    content = {
        "pid": pid,
        "username": "ann",
        "hostname": host or socket.gethostname(),
        "timestamp": f"{since or datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}123Z",
    }
    return put(state, json.dumps(content), "locks/organization/observability/dev/a161d21b.json")


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def unlock(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["unlock", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_a_stack_without_a_record_needs_no_repair(state: State) -> None:
    assert state.damage is None
    state.check()
    assert "there is no record" in unlock("dev")


def test_a_whole_record_is_left_as_it_is(state: State) -> None:
    path = put(state, record("a", "b"))
    state.check()
    assert "the record of 2026-11-30 11:00:00 UTC with 3 resources is whole" in unlock("dev")
    assert sorted(one.name for one in path.parent.iterdir()) == ["dev.json", "dev.json.attrs"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("\0" * 512, "it is empty"),
        (record("a")[:-40], "it is cut off after"),
        (record("a")[:50], "it is cut off after 50 bytes"),
        (record("a").replace(":3", ":x", 1), "it is no JSON from byte 11 on"),
        (b"\x1f\x8b\x08\x00", "no text"),
        ("[]", "it has no checkpoint"),
        (record("a", stack="prod"), "it is that of organization/observability/prod"),
        (record("a", parent="urn:pulumi:dev::observability::t:i:C::b"), "a needs b, which is not there"),
        (
            record("a", provider="urn:pulumi:dev::o::pulumi:providers:docker::web::4e"),
            "a needs web, which is not there",
        ),
        (record("a", dependencies=["urn:pulumi:dev::o::t:i:C::z"]), "a needs z, which is not there"),
        (record("a", at="yesterday"), "Invalid isoformat string"),
    ],
)
def test_what_is_wrong_is_said_in_two_lines_and_repaired_from_the_copy_beside(
    text: str | bytes, why: str, state: State
) -> None:
    path = put(state, text)
    put(state, record("a", at=EARLIER), "stacks/observability/dev.json.bak")
    with pytest.raises(ConfigError) as error:
        state.check()
    assert error.value.what.startswith(f"{path}: the record of dev is damaged: {why}")
    assert "./obs unlock dev" in error.value.fix
    assert "the record of 2026-11-30 10:00:00 UTC with 2 resources" in error.value.fix
    said = unlock("dev")
    assert "next: ./obs up dev, which goes on from the record of 2026-11-30 10:00:00 UTC" in said
    assert path.read_text() == record("a", at=EARLIER)
    (aside,) = path.parent.glob("dev.json.damaged-*")
    assert aside.name in said
    assert aside.read_bytes() == (text if isinstance(text, bytes) else text.encode())
    assert not path.with_name("dev.json.attrs").exists()
    state.check()


def test_the_newest_whole_record_is_used(state: State) -> None:
    put(state, "{")
    put(state, record("a")[:-9], "stacks/observability/dev.json.bak")
    put(state, record("a", at=EARLIER), "backups/observability/dev/dev.1796047707792062660.json")
    put(state, record("a", "b", at=LATER), "backups/observability/dev/dev.1796047709775742742.json")
    put(state, record("a"[:0], at=EARLIER), "history/observability/dev/dev-1796047707791668897.checkpoint.json")
    newest = state.newest
    assert newest is not None
    assert newest.resources == 3


def test_a_record_that_is_gone_is_put_back(state: State) -> None:
    put(state, record("a"), "history/observability/dev/dev-1796047707791668897.checkpoint.json")
    assert state.damage == "the file is missing"
    unlock("dev")
    assert state.file.read_text() == record("a")


def test_a_compressed_record_is_read_and_restored(state: State) -> None:
    path = put(state, gzip.compress(record("a").encode())[:-9], "stacks/observability/dev.json.gz")
    put(state, record("a", at=EARLIER), "backups/observability/dev/dev.1.json")
    unlock("dev")
    assert gzip.decompress(path.read_bytes()).decode() == record("a", at=EARLIER)
    state.check()


def test_without_a_whole_record_another_is_begun_only_by_the_command(state: State, home: Home) -> None:
    path = put(state, record("a")[:-40])
    with pytest.raises(ConfigError) as error:
        operation._mend(home, "dev", Console(file=io.StringIO()))
    assert "no whole record is left; ./obs unlock dev" in error.value.fix
    assert path.is_file()
    said = unlock("dev")
    assert "begins another record" in said
    assert not path.exists()
    (aside,) = path.parent.glob("dev.json.damaged-*")
    assert aside.read_text() == record("a")[:-40]
    assert home.unfinished("dev")


def test_the_lock_of_a_process_that_has_ended_is_removed(state: State, ended: int) -> None:
    put(state, record("a"))
    lock = put_lock(state, ended)
    with pytest.raises(ConfigError) as error:
        state.check()
    assert error.value.what.startswith(f"dev is locked by an update that was killed: process {ended} of ann on ")
    assert "./obs unlock dev" in error.value.fix
    said = unlock("dev")
    assert f"removed the lock of an update that was killed: process {ended}" in said
    assert "next: ./obs up dev" in said
    assert not list(lock.parent.iterdir())


def test_the_lock_of_a_process_that_runs_is_kept(state: State) -> None:
    put(state, record("a"))
    lock = put_lock(state, os.getpid())
    for force in ((), ("--force",)):
        with pytest.raises(ConfigError) as error:
            unlock("dev", *force)
        assert error.value.what.startswith("another update of dev is under way: process ")
    assert lock.is_file()
    state.check(to_read=True)


def test_a_number_that_another_process_has_got_since_is_no_holder(state: State) -> None:
    put_lock(state, os.getpid(), since=datetime(2020, 1, 1, tzinfo=UTC))
    (lock,) = state.locks
    assert lock.holder == "ended"


def test_a_process_that_waits_to_be_collected_has_ended(state: State) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    put_lock(state, process.pid)
    (lock,) = state.locks
    assert lock.holder == "ended"
    process.wait()


@pytest.mark.parametrize("content", [None, "", "{}", '{"pid":'])
def test_a_lock_of_another_machine_is_removed_by_force_alone(content: str | None, state: State, ended: int) -> None:
    put(state, record("a"))
    lock = put_lock(state, ended, host="elsewhere.example.com")
    if content is not None:
        lock.write_text(content)
    with pytest.raises(ConfigError) as error:
        unlock("dev")
    assert "is not known here" in error.value.what
    assert error.value.fix.endswith("./obs unlock dev --force")
    unlock("dev", "--force")
    assert state.locks == []


def test_a_record_on_another_backend_is_unlocked_there(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state")
    assert home.state_folder is None
    with pytest.raises(ConfigError) as error:
        unlock("dev")
    assert "pulumi cancel" in error.value.fix
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///srv/state")
    assert home.state_folder == Path("/srv/state")


def test_up_repairs_what_needs_no_decision_and_says_so(state: State, home: Home, ended: int) -> None:
    path = put(state, record("a")[:-40])
    put(state, record("a", at=EARLIER), "stacks/observability/dev.json.bak")
    put_lock(state, ended)
    said = io.StringIO()
    operation._mend(home, "dev", Console(file=said, width=1000))
    assert "removed the lock of an update that was killed" in said.getvalue()
    assert "the record of 2026-11-30 10:00:00 UTC with 2 resources is in its place" in said.getvalue()
    assert path.read_text() == record("a", at=EARLIER)
    assert home.unfinished("dev")
    again = io.StringIO()
    operation._mend(home, "dev", Console(file=again))
    assert again.getvalue() == ""


@pytest.mark.parametrize("options", [{"to_show": True}, {"complete": False}])
def test_other_commands_refuse_a_damaged_record(options: dict[str, bool], state: State) -> None:
    put(state, record("a")[:-40])
    put(state, record("a", at=EARLIER), "stacks/observability/dev.json.bak")
    with pytest.raises(ConfigError, match="the record of dev is damaged: it is cut off"):
        Operation.prepare("dev", Console(), **options)


class Api:
    """Docker with a container and a network of the stack."""

    def inspect_container(self, _: str) -> dict[str, Any]:
        return {"Id": "there"}

    def inspect_network(self, _: str) -> dict[str, Any]:
        return {"Id": "net"}


@pytest.mark.parametrize(
    ("recorded", "containers", "networks"),
    [
        ({}, ("obs-dev-loki",), ("obs-dev",)),
        ({"loki": Recorded(id="there"), "network": Recorded(id="net")}, (), ()),
        ({"loki": Recorded(id="earlier"), "network": Recorded(id="net")}, ("obs-dev-loki",), ()),
    ],
)
def test_after_a_killed_update_what_the_record_does_not_have_makes_way(
    recorded: dict[str, Recorded],
    containers: tuple[str, ...],
    networks: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drift, "containers", lambda _: [])
    monkeypatch.setattr(drift, "files", lambda _: [])
    declared = [
        Declared(type=CONTAINER, name="loki", parent=None, inputs={"name": "obs-dev-loki"}),
        Declared(type=drift.NETWORK, name="network", parent=None, inputs={"name": "obs-dev"}),
    ]
    client: Any = type("Client", (), {"api": Api()})()
    found = drift.repair(Docker(client, declared), lambda: recorded, unsure=True)
    assert (found.containers, found.networks) == (containers, networks)
    usual = drift.repair(Docker(client, declared), lambda: pytest.fail("asked for the record"))
    assert (usual.containers, usual.networks) == ((), ())


def test_a_network_that_makes_way_loses_its_containers_first() -> None:
    done: list[str] = []

    class Network:
        def __init__(self, name: str) -> None:
            self.name = name
            self.containers: list[str] = []

        def reload(self) -> None:
            self.containers = ["left"]

        def disconnect(self, container: str, *, force: bool) -> None:
            assert force
            done.append(f"disconnect {container}")

        def remove(self) -> None:
            done.append(f"remove {self.name}")

    networks = SimpleNamespace(list=lambda names: [Network(f"{names[0]}-2"), Network(names[0])])
    said = io.StringIO()
    made: Any = SimpleNamespace(console=Console(file=said))
    client: Any = SimpleNamespace(networks=networks)
    Operation._clear(made, client, drift.Repair(replace={}, networks=("obs-dev",)))
    assert done == ["disconnect left", "remove obs-dev"]
    assert "obs-dev: removed, as the record does not have this network" in said.getvalue()


def test_an_update_is_unfinished_until_it_has_ended_well(home: Home) -> None:
    assert not home.unfinished("dev")
    home.begin_update("dev")
    home.begin_update("dev")
    assert home.unfinished("dev")
    assert not home.unfinished("prod")
    home.end_update("dev")
    assert not home.unfinished("dev")
