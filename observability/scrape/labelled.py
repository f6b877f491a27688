"""Containers that are scraped because of their Docker labels: `obs.scrape: "true"`, `obs.port` and `obs.path`.

Prometheus finds them by the Docker API and reaches one at its address on the stack's network, at a port that is
published on the host, or, with the host's own network, at the host. The system is decided by `sources.relabels`, as
for the container's log lines. No credential is sent: anyone who can start a container could ask for it by a label.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from observability.core import naming
from observability.core.naming import LABEL_SCRAPE, LABELLED, UNASSIGNED
from observability.core.types import seconds
from observability.logs.sources import NAME, exposed, relabels
from observability.parts import docker_proxy
from observability.scrape.job import Job
from observability.scrape.systems import ROBUST
from observability.settings.load import StackConfig
from observability.systems.model import System

JOB: Final = "containers"
"""Value of `job` of a container that belongs to no watched system, and Prometheus' name of the discovery."""

PORT: Final = "obs.port"
PATH: Final = "obs.path"
"""Docker labels of such a container: the port and the path of its metrics."""

REFRESH: Final = "15s"
"""How often the containers are listed."""

TIMEOUT: Final = 10.0
"""Prometheus' own limit for a scrape, in seconds; a shorter interval is the limit."""

EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on
"""Addresses of a port that is published on all of the host's addresses."""

_NETWORK: Final = "__meta_docker_network_name"
_IP: Final = "__meta_docker_network_ip"
_MODE: Final = "__meta_docker_container_network_mode"
_EXPOSED_PORT: Final = "__meta_docker_port_private"
_PUBLIC_PORT: Final = "__meta_docker_port_public"
_PUBLIC_IP: Final = "__meta_docker_port_public_ip"


def jobs(config: StackConfig, host: str | None = None) -> Iterator[Job]:
    """The discovery on one host; None: the stack's own. A second one for systems with native histograms, if any."""
    if not config.runs(docker_proxy.NAME):
        return
    systems = config.systems
    native = {name for name, system in systems.items() if system.native_histograms}
    plain = [*(name for name in systems if name not in native), UNASSIGNED]
    yield _job(config, host, JOB, plain, {})
    if native:
        yield _job(config, host, f"{JOB}-native", sorted(native), {"scrape_native_histograms": True})


def _job(config: StackConfig, host: str | None, name: str, systems: Iterable[str], extra: Mapping[str, Any]) -> Job:
    discovery = {
        "host": docker_proxy.ADDRESS,
        "refresh_interval": REFRESH,
        # What Prometheus shows of the two where nothing is stated; the rules below decide.
        "port": 80,
        "host_networking_host": "localhost",
        # Every network of a container, not the first by name.
        "match_first_network": False,
        "filters": [{"name": "label", "values": [f"{LABEL_SCRAPE}={LABELLED}"]}],
    }
    rules = [*_system(config, systems), *_address(config), *_instance(host), *_manner(config, systems)]
    return Job(
        name=JOB,
        job_name=name,
        targets=(),
        extra={**ROBUST, **extra, "docker_sd_configs": [discovery], "relabel_configs": rules},
    )


def _set(target: str, value: str, sources: Iterable[str] = (), expression: str = "") -> dict[str, Any]:
    """A relabelling: `target` gets the value where the sources, joined by `;`, match the expression."""
    matched = {"source_labels": list(sources), "regex": expression} if expression else {}
    return {**matched, "target_label": target, "replacement": value}


def _system(config: StackConfig, systems: Iterable[str]) -> Iterator[dict[str, Any]]:
    for rule in relabels(config):
        if rule.target == "system":
            yield _set("system", rule.value, [rule.source], rule.expression)
    yield {"source_labels": ["system"], "regex": _any(systems), "action": "keep"}


def _address(config: StackConfig) -> Iterator[dict[str, Any]]:
    """Docker's discovery gives a target for each network and each port; all but those that can be reached go."""
    network, gateway = re.escape(naming.network(config.stack)), config.settings.network.gateway
    own, private, chosen = "__tmp_port", "__tmp_private", "__tmp_address"
    yield _set(own, "$1", [_EXPOSED_PORT], r"(\d+)")
    yield _set(own, "$1", [exposed(PORT)], r"(\d+)")
    # A container that exposes no port may have one all the same.
    yield _set(private, "$1", [_EXPOSED_PORT, exposed(PORT)], r";(\d+)")
    yield _set(private, "$1", [_EXPOSED_PORT], r"(\d+)")
    yield {"source_labels": [private], "target_label": own, "action": "keepequal"}
    yield _set(chosen, "$1:$2", [_NETWORK, _IP, own], rf"{network};([^;]+);(\d+)")
    # The same on each network: Prometheus takes equal targets once.
    anywhere = "|".join(re.escape(one) for one in (*EVERYWHERE, gateway))
    yield _set(chosen, f"{gateway}:$1", [_PUBLIC_IP, _PUBLIC_PORT], rf"(?:{anywhere});(\d+)")
    yield _set(chosen, f"{gateway}:$1", [_MODE, own], r"host;(\d+)")
    yield {"source_labels": [chosen], "regex": ".+", "action": "keep"}
    yield _set("__address__", "$1", [chosen], "(.+)")


def _instance(host: str | None) -> Iterator[dict[str, Any]]:
    yield _set("instance", f"{_prefix(host)}$1:$2", [NAME, "__tmp_port"], r"/?([^;]+);(\d+)")
    if host:
        yield _set("host", host)


def _prefix(host: str | None) -> str:
    return f"{host}:" if host else ""


def _manner(config: StackConfig, systems: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The job, path and interval of each system's file; a container may have a path of its own."""
    stated: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in systems:
        for label, value in _stated(config.systems.get(name)):
            stated[label, value].append(name)
    for (label, value), names in stated.items():
        yield _set(label, value, ["system"], _any(names))
    yield _set("__metrics_path__", "$1", [exposed(PATH)], "(/.*)")


def _stated(system: System | None) -> Iterator[tuple[str, str]]:
    if system is None or system.scrape is None:
        return
    path, _, query = system.scrape.path.partition("?")
    yield "job", system.job
    yield "__metrics_path__", path
    for one in filter(None, query.split("&")):
        key, _, value = one.partition("=")
        yield f"__param_{key}", value
    if system.scrape.interval:
        yield "__scrape_interval__", system.scrape.interval
        yield "__scrape_timeout__", f"{min(seconds(system.scrape.interval), TIMEOUT):g}s"


def _any(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in names)


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A running container that asks to be scraped: its instance, or why Prometheus cannot reach it."""

    name: str
    instance: str | None
    problem: str | None = None


def labelled(config: StackConfig, container: Mapping[str, Any], host: str | None = None) -> Labelled | None:
    """What becomes of a container as `docker inspect` shows it; None where it is not to be scraped."""
    name = str(container["Name"]).removeprefix("/")
    labels = container["Config"].get("Labels") or {}
    if labels.get(LABEL_SCRAPE) != LABELLED:
        return None
    ports = container["NetworkSettings"].get("Ports") or {}
    shown = sorted(int(port.partition("/")[0]) for port in ports if port.endswith("/tcp"))
    stated = labels.get(PORT, "")
    wanted = [int(stated)] if stated.isdigit() else shown
    gateway, network = config.settings.network.gateway, naming.network(config.stack)

    def reached(port: int) -> bool:
        bound = {one["HostIp"] for one in ports.get(f"{port}/tcp") or ()}
        joined = network in (container["NetworkSettings"].get("Networks") or {})
        return joined or bool(bound & {*EVERYWHERE, gateway}) or container["HostConfig"].get("NetworkMode") == "host"

    found = [port for port in wanted if reached(port)]
    if stated and not stated.isdigit():
        problem = f"{PORT} is {stated!r}; write the number of a port"
    elif not wanted:
        problem = f"it exposes no port; state one in the label {PORT}"
    elif stated and shown and wanted[0] not in shown:
        problem = f"port {stated} is not exposed; add it to EXPOSE of the image or to `expose` of the Compose service"
    elif len(found) > 1:
        problem = f"it exposes {', '.join(map(str, found))}; state one in the label {PORT}"
    elif not found:
        shown_ports = " or ".join(map(str, wanted))
        problem = (
            f"Prometheus does not reach it: publish port {shown_ports} on {gateway}, or join the network {network} "
            "(docs/networks.md)"
        )
    else:
        return Labelled(name=name, instance=f"{_prefix(host)}{name}:{found[0]}")
    return Labelled(name=name, instance=None, problem=problem)
