"""The demo next to a stack: it is not a part of it; and the commands that control it."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dashboards.linked_rules import files
from demo.fault_server import fault_server
from demo.faults import Faults
from demo.systems import FAULTS
from demo.tenant.options import TenantOptions
from observability.cli import beside
from observability.cli.app import app
from observability.core.errors import ConfigError
from observability.operations.home import Home
from observability.synth.declared import CONTAINER
from observability.synth.record import record
from tests.content.stacks import stack_config


def test_no_stack_declares_a_resource_of_the_demo() -> None:
    for stack in ("dev", "staging", "prod"):
        config = stack_config(stack)
        containers = [
            resource.inputs["image"] for resource in record(config, files(config)) if resource.type == CONTAINER
        ]
        assert not [image for image in containers if "demo" in image or image.startswith(("redis:", "nginx:"))]


def test_a_fault_is_refused_for_a_stack_without_the_demo() -> None:
    result = run("erpgo", "high-error-rate", "staging")
    assert isinstance(result.exception, ConfigError)
    assert "no demo:tenant" in result.exception.what


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["fault", *arguments])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["social-selling", "nonsense"], "low-cache-hit-rate"),
        (["erpgo", "high-errors-rate"], "did you mean 'high-error-rate'"),
        (["erpg", "high-error-rate"], "did you mean 'erpgo'"),
        (["social-selling", "log-burst", "--for", "soon"], "10m"),
        (["social-selling", "--off"], "obs fault"),
        (["--off"], "obs fault"),
    ],
)
def test_a_wrong_argument_is_refused_with_the_valid_ones(arguments: list[str], named: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, ConfigError)
    assert named in result.exception.fix


def test_the_list_names_every_fault_of_every_system_and_what_it_raises() -> None:
    lines = run("--list").output.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == list(FAULTS)
    assert [line.split()[0] for line in lines if line.startswith("  ") and "→" not in line] == [
        name for found in FAULTS.values() for name in found
    ]
    raised = next(lines[number + 1] for number, line in enumerate(lines) if " critical-authentication" in line)
    assert "AuthenticationFailureSpike (critical, warning)" in raised


def test_the_list_of_one_system_names_no_other() -> None:
    assert [line for line in run("syncup", "--list").output.splitlines() if not line.startswith(" ")] == ["syncup"]


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """The port on which faults are switched, as the command finds it."""
    faults = Faults(FAULTS)
    server = fault_server(0, faults)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    found = TenantOptions(fault_port=server.server_port)
    monkeypatch.setattr("demo.tenant.options.read", lambda *_: found)
    yield faults
    server.shutdown()
    server.server_close()


def test_a_fault_is_switched_on_and_off_by_the_command(demo: Faults) -> None:
    on = run("erpgo", "critical-error-rate", "--for", "5m").output
    assert re.search(r"^critical-error-rate +on until 20\d\d-", on)
    assert "expect CriticalErrorRate (critical), HighErrorRate (warning) within 10 minutes" in on
    assert "it may end before that: --for 15m" in on
    assert demo.active("erpgo").keys() == {"critical-error-rate"}
    assert re.search(r"^erpgo critical-error-rate +on until ", run().output)
    assert "no fault is on" in run("alawael").output
    off = run("erpgo", "critical-error-rate", "--off").output
    assert re.search(r"^critical-error-rate +off ", off)
    assert demo.active("erpgo") == {}


def test_a_fault_lasts_by_default_until_its_alerts_have_fired(demo: Faults) -> None:
    for name, minutes in (("high-error-rate", 15), ("low-order-rate", 50)):
        assert "may end" not in run("erpgo", name).output
        left = demo.active("erpgo")[name] - time.time()
        assert left == pytest.approx(60 * minutes, abs=30)


def test_a_demo_that_does_not_respond_is_reported(demo: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.tenant.options.read", lambda *_: TenantOptions(fault_port=1))
    result = run("erpgo", "high-error-rate")
    assert result.exit_code == 1
    assert "does not answer" in result.output
    assert demo.active("erpgo") == {}


def test_the_demo_is_found_as_an_extension_of_the_commands() -> None:
    assert [one.name for one in beside.found()] == ["demo"]
    groups = {group.name for group in app.registered_groups}
    assert "demo" in groups


@pytest.mark.parametrize("command", ["up", "down", "status"])
def test_demo_commands_are_refused_where_the_stack_file_has_no_demo(command: str) -> None:
    result = CliRunner().invoke(app, ["demo", command, "staging"])
    assert isinstance(result.exception, ConfigError)
    assert "add `demo:tenant: {}`" in result.exception.fix


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Home:
    """The test's own data folder."""
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    return Home.find()


def prepare(stack: str) -> None:
    for companion in beside.found():
        companion.prepare(stack)


def test_a_stack_gets_the_secrets_by_which_it_watches_the_demo(home: Home) -> None:
    prepare("dev")
    stored = home.secrets("dev")
    assert stored == {
        "heartbeatUrl": "http://172.30.80.1:8000/ping/dev",
        "socialSellingPostgresPassword": (home.folder / "demo/demo/monitoring-password").read_text(),
    }
    home.config("dev")  # Complete: no secret is missing.
    prepare("dev")
    assert home.secrets("dev") == stored


def test_the_address_of_a_demo_that_moved_is_replaced(home: Home) -> None:
    home.set_secret("dev", "heartbeatUrl", "http://172.30.70.1:8000/ping/dev")
    prepare("dev")
    assert home.secrets("dev")["heartbeatUrl"] == "http://172.30.80.1:8000/ping/dev"


def test_an_external_address_that_a_user_stored_is_kept(home: Home) -> None:
    home.set_secret("dev", "heartbeatUrl", "https://hc-ping.com/1234")
    prepare("dev")
    assert home.secrets("dev")["heartbeatUrl"] == "https://hc-ping.com/1234"


def test_a_stack_whose_file_has_no_demo_gets_no_secret(home: Home) -> None:
    prepare("prod")
    assert home.secrets("prod") == {}
