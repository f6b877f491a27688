"""The labels of the streams of containers' lines; every container is read."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from observability.core import naming
from observability.core.naming import COMPOSE_PROJECT, COMPOSE_SERVICE, CONTAINER_LABELS
from observability.core.naming import LABEL_SYSTEM as LABEL_SYSTEM
from observability.logs.formats import DETECTED, FORMATS, SERVICES, USUAL
from observability.settings.load import StackConfig

LABEL: Final = "__meta_docker_container_label_"
NAME: Final = "__meta_docker_container_name"
"""Name under which a collector's discovery exposes a container's name, with `/` before it."""

LABEL_TEAM: Final = "obs.team"
"""Docker label that names the team of a container: one of those that own a system."""

LABEL_FORMAT: Final = "obs.logs"
"""Docker label that names the format of a container's lines: one of `formats.FORMATS`."""

LABELS: Final = (*CONTAINER_LABELS, LABEL_TEAM, LABEL_FORMAT)
"""The Docker labels that the rules read."""

FORMAT: Final = "format"
"""Label of a stream until its lines have been parsed; it is not stored."""


@dataclass(frozen=True, kw_only=True)
class Relabel:
    """Set a label from another, where the expression matches it whole."""

    source: str
    expression: str
    target: str
    value: str = "$1"


def relabels(config: StackConfig) -> tuple[Relabel, ...]:
    """The rules that name the streams of containers; a later rule overrides an earlier one.

    The stack's own containers are known by the stack's label. A watched system's are known by its log settings
    (Compose projects, then patterns of container names) or, with priority over those, by the label `obs.system`. Any
    other belongs to the system `unassigned`.
    """
    service, stack = exposed(naming.LABEL_SERVICE), exposed(naming.LABEL_STACK)
    own = re.escape(config.stack)
    return (
        Relabel(source=NAME, expression="/.+", target="system", value=naming.UNASSIGNED),
        *_systems(config),
        Relabel(source=stack, expression=own, target="system", value=naming.PLATFORM),
        Relabel(source="system", expression=".+", target="stack", value=config.stack),
        Relabel(source=NAME, expression="/(.+)", target="container"),
        Relabel(source=NAME, expression="/(.+)", target="service"),
        Relabel(source=exposed(COMPOSE_SERVICE), expression="(.+)", target="service"),
        Relabel(source=service, expression="(.+)", target="service"),
        *_formats(service, stack, own),
    )


def stream(config: StackConfig, name: str, labels: Mapping[str, str]) -> dict[str, str]:
    """Labels of the lines of a container of this name with these Docker labels, besides its team."""
    found = {NAME: f"/{name}", **{exposed(label): value for label, value in labels.items()}}
    for rule in relabels(config):
        match = re.fullmatch(rule.expression, found.get(rule.source, ""))
        if match is not None:
            found[rule.target] = match[1] if rule.value == "$1" else rule.value
    return {label: value for label, value in found.items() if not label.startswith("__")}


def _systems(config: StackConfig) -> Iterator[Relabel]:
    """The containers of each watched system."""
    selected = {name: config.system_settings(name).logs for name in config.systems}
    for system, logs in selected.items():
        for project in logs.projects:
            yield Relabel(
                source=exposed(COMPOSE_PROJECT), expression=re.escape(project), target="system", value=system
            )
    for system, logs in selected.items():
        for pattern in logs.containers:
            name = re.escape(pattern).replace(r"\*", ".*")
            yield Relabel(source=NAME, expression=f"/{name}", target="system", value=system)
    known = "|".join(re.escape(name) for name in config.systems)
    if known:
        yield Relabel(source=exposed(LABEL_SYSTEM), expression=f"({known})", target="system")


def _formats(service: str, stack: str, own: str) -> Iterator[Relabel]:
    """The format of a container's lines: by its label, else by its service's name, else detected for each line."""
    yield Relabel(source="system", expression=".+", target=FORMAT, value=DETECTED)
    for kind, names in USUAL.items():
        yield Relabel(source="service", expression=names, target=FORMAT, value=kind)
    yield Relabel(source=stack, expression=own, target=FORMAT, value=DETECTED)
    for name, kind in SERVICES.items():
        yield Relabel(source=service, expression=name, target=FORMAT, value=kind)
    yield Relabel(source=exposed(LABEL_FORMAT), expression=f"({'|'.join(FORMATS)})", target=FORMAT)


def exposed(name: str) -> str:
    """Name under which the collector's discovery exposes a Docker label."""
    return LABEL + re.sub(r"[^a-zA-Z0-9_]", "_", name)
