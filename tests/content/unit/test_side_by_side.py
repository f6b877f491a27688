"""The stacks of the live tests and of the benchmarks run next to a dev stack: they share no name, port or subnet."""

from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any, Final

import pytest

from demo.tenant.options import KEY, TenantOptions
from observability.core.naming import PROJECT
from observability.settings.load import ROOT, read_stack_file, validate
from observability.synth.declared import CONTAINER
from observability.synth.record import record
from tests.live import settings as live
from tests.networks import SUBNETS
from tests.spine import settings as spine
from tools.benchmarks import stack as bench


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The host resources that a stack and its demo use."""

    names: frozenset[str]
    ports: frozenset[int]
    subnets: frozenset[IPv4Network]


def taken(name: str, config: dict[str, Any]) -> Taken:
    """The host resources of a stack with this `config` in its file, and of its demo."""
    values = {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items() if key != KEY}
    tenant = TenantOptions.model_validate(config[KEY]) if KEY in config else None
    resources = record(validate(name, {"environment": "dev", **values}, frozenset(), complete=False), {})
    containers = [one.inputs for one in resources if one.type == CONTAINER]
    ports = {port["external"] for one in containers for port in one.get("ports", [])}
    # On the host's network, so it has no published port.
    ports.add(values.get("nodeExporter", {}).get("port", 9100))
    networks = [one.inputs for one in resources if one.type == "docker:index/network:Network"]
    subnets = {IPv4Network(pool["subnet"]) for one in networks for pool in one["ipamConfigs"]}
    return Taken(
        names=frozenset({one["name"] for one in (*containers, *networks)} | ({tenant.name} if tenant else set())),
        ports=frozenset(ports | ({tenant.port, tenant.fault_port} if tenant else set())),
        subnets=frozenset(subnets | ({tenant.subnet} if tenant else set())),
    )


STACKS: Final = {
    "dev": lambda: taken("dev", read_stack_file("dev")["config"]),
    live.STACK: lambda: taken(live.STACK, live.SETTINGS),
    spine.STACK: lambda: taken(spine.STACK, spine.SETTINGS),
    bench.STACK: lambda: taken(bench.STACK, bench.values()),
}


@pytest.mark.parametrize(("one", "other"), combinations(STACKS, 2))
def test_two_stacks_share_no_name_port_or_subnet(one: str, other: str) -> None:
    mine, theirs = STACKS[one](), STACKS[other]()
    assert mine.names
    assert not mine.names & theirs.names
    assert len(mine.ports) > 2
    assert not mine.ports & theirs.ports
    assert mine.subnets
    assert theirs.subnets
    assert not any(here.overlaps(there) for here in mine.subnets for there in theirs.subnets)


@pytest.mark.parametrize(("one", "other"), combinations(SUBNETS, 2))
def test_no_two_networks_of_tests_overlap(one: str, other: str) -> None:
    assert not SUBNETS[one].overlaps(SUBNETS[other])


def test_no_test_names_an_address_of_a_tests_network_itself() -> None:
    home = ROOT / "tests/networks.py"
    start = ".".join(str(SUBNETS["live"]).split(".")[:2]) + "."
    named = [path for path in ROOT.glob("tests/**/*.py") if path != home and start in path.read_text("utf-8")]
    assert not named, f"take the subnet from {home.name}: {named}"
