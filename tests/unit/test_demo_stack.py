"""The demo as part of a stack, and the command that switches its faults."""

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
from observability.cli.app import app
from observability.cli.fault import demo_address
from observability.core.errors import ConfigError
from observability.parts.images import pinned
from observability.settings.load import StackConfig
from observability.synth.record import CONTAINER, record
from tests.unit.conftest import declared, stack_config

DEMO = {"demo", "demo-postgres", "demo-redis", "demo-redis-alawael", "demo-nginx"}


def services(stack: str, values: dict[str, object] | None = None) -> dict[str, dict[str, object]]:
    """Inputs of every container, by service; asked anew, as a test changes what they are made from."""
    config = stack_config(stack, values)
    return {
        str(resource.inputs["name"]).removeprefix(f"obs-{stack}-"): dict(resource.inputs)
        for resource in record(config, files(config))
        if resource.type == CONTAINER
    }


def test_dev_has_all_of_the_demo() -> None:
    assert services("dev").keys() >= DEMO


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_nothing_of_the_demo_is_outside_dev(stack: str) -> None:
    assert not [name for name in services(stack) if "demo" in name]
    assert not [resource.name for resource in declared(stack) if "demo" in resource.name]


def test_the_demo_can_be_left_out() -> None:
    assert not [resource.name for resource in declared("dev", {"demo": {"enabled": False}}) if "demo" in resource.name]


def test_only_the_proxy_and_the_faults_are_published() -> None:
    found = services("dev", {"demo": {"port": 18088, "faultPort": 13999}})
    published = {
        name: [(port["internal"], port["external"]) for port in inputs.get("ports", [])]  # type: ignore[attr-defined]  # JSON
        for name, inputs in found.items()
        if name in DEMO
    }
    assert published == {
        "demo": [(3999, 13999)],
        "demo-nginx": [(80, 18088)],
        "demo-postgres": [],
        "demo-redis": [],
        "demo-redis-alawael": [],
    }


def test_a_change_of_the_proxys_configuration_makes_a_new_proxy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from components import demo

    before = services("dev")
    for file in demo.DEPLOY.iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "nginx.conf").write_text((tmp_path / "nginx.conf").read_text() + "# changed\n")
    monkeypatch.setattr(demo, "DEPLOY", tmp_path)
    after = services("dev")
    assert {name for name in before if before[name] != after[name]} == {"demo-nginx", "demo-nginx-config"}


def test_the_demos_image_is_named_after_what_it_is_built_from() -> None:
    assert services("dev")["demo"]["image"] == pinned("demo")
    assert pinned("demo").startswith("observability/demo:")


def test_the_order_goes_to_the_published_port() -> None:
    assert demo_address(stack_config("dev", {"demo": {"faultPort": 13999}})) == "http://127.0.0.1:13999"
    assert demo_address(stack_config("dev", {"bindAddress": "0.0.0.0"})) == "http://127.0.0.1:3999"  # noqa: S104


def test_a_stack_without_the_demo_takes_no_orders() -> None:
    with pytest.raises(ConfigError, match="no demo"):
        demo_address(stack_config("staging"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["fault", *arguments])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["social-selling", "nonsense"], "critical-cache-hit-rate"),
        (["erpgo", "high-errors-rate"], "did you mean 'high-error-rate'"),
        (["erpg", "high-error-rate"], "did you mean 'erpgo'"),
        (["social-selling", "log-burst", "--for", "soon"], "10m"),
        (["social-selling", "--off"], "obs fault"),
        (["--off"], "obs fault"),
    ],
)
def test_a_wrong_order_names_what_is_known(arguments: list[str], named: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, ConfigError)
    assert named in result.exception.mend


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

    class Found:
        """A home whose stacks all have this demo."""

        def config(self, stack: str) -> StackConfig:
            return stack_config(stack, {"demo": {"faultPort": server.server_port}})

    monkeypatch.setattr("observability.operations.home.Home.find", Found)
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


def test_a_demo_that_does_not_answer_is_said_so(demo: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observability.cli.fault.demo_address", lambda _: "http://127.0.0.1:1")
    result = run("erpgo", "high-error-rate")
    assert result.exit_code == 1
    assert "does not answer" in result.output
    assert demo.active("erpgo") == {}
