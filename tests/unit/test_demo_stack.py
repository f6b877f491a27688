"""The demo as part of a stack, and the command that switches its faults."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.fault import demo_address
from config.errors import ConfigError
from config.images import pinned
from synth.record import CONTAINER
from tests.unit.conftest import declared, stack_config

DEMO = {"demo", "demo-postgres", "demo-redis", "demo-nginx"}


def services(stack: str, values: dict[str, object] | None = None) -> dict[str, dict[str, object]]:
    """Inputs of every container, by service."""
    return {
        str(resource.inputs["name"]).removeprefix(f"obs-{stack}-"): dict(resource.inputs)
        for resource in declared(stack, values)
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


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["social-selling", "nonsense"], "cache-cold"),
        (["erpgo", "errors"], "social-selling"),
        (["social-selling", "errors", "--for", "soon"], "10m"),
        (["social-selling", "--off"], "log-burst"),
    ],
)
def test_a_wrong_order_names_what_is_known(arguments: list[str], named: str) -> None:
    result = CliRunner().invoke(app, ["fault", *arguments])
    assert isinstance(result.exception, ConfigError)
    assert named in result.exception.mend
