"""Checks of the status page's settings that need the other settings."""

from collections.abc import Iterable, Iterator, Mapping

from observability.core.documents import nearest
from observability.core.errors import together
from observability.parts import status_page
from observability.parts.blackbox import PART as BLACKBOX
from observability.settings import parts
from observability.settings.model import Settings


def check(source: str, settings: Settings, systems: Iterable[str]) -> None:
    """ConfigError where the page, also one that is only written by hand, shows what there is not.

    `source` is the prefix of errors.
    """
    problem = together(_problems(f"{source}statusPage.", settings, tuple(systems)))
    if problem is not None:
        raise problem


def wanted_secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    """The setting that needs a secret, and the secret's name."""
    own = settings.part(status_page.NAME)
    if parts.runs(settings, {}, status_page.NAME) and own.publish and own.publish.key:
        yield "statusPage.publish.key", status_page.KEY


def _problems(source: str, settings: Settings, systems: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    own = settings.part(status_page.NAME)
    probes: Mapping[str, list[str]] = {
        name: [one.name for one in found.servers(BLACKBOX.store.key) if one.name] if BLACKBOX.store else []
        for name, found in settings.systems.items()
    }
    for name, one in own.components.items():
        path = f"{source}components.{name}"
        if one.system not in systems:
            yield (
                f"{path}.system: there is no watched system {one.system!r}",
                f"{nearest(one.system, systems)}known here: {', '.join(systems)}",
            )
            continue
        known = probes.get(one.system, [])
        for probe in one.probes:
            if probe not in known:
                listed = f"its probes: {', '.join(known)}" if known else f"add systems.{one.system}.probes"
                yield f"{path}.probes: {one.system} has no probe {probe!r}", f"{nearest(probe, known)}{listed}"
        if one.probes and not parts.runs(settings, {}, BLACKBOX.name):
            yield f"{path}.probes: nothing probes, as the part {BLACKBOX.name} does not run", "enable it"
    if own.edge_name is None or not parts.runs(settings, {}, status_page.NAME):
        return
    if not parts.runs(settings, {}, "edge"):
        yield (
            f"{source}edgeName: the edge does not run, so nothing serves the page under this name",
            "enable it: edge: {enabled: true, address: monitoring.example.com}, or publish the page by a command",
        )
    elif own.edge_name == settings.edge.address:
        yield (
            f"{source}edgeName: {own.edge_name} is the address that agents send to",
            "give the page a name of its own, like status.example.com",
        )
