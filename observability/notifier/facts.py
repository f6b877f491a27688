"""The notifier's configuration file, from the settings."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from observability.core.types import seconds
from observability.notifier.evidence import Facts, Store
from observability.notifier.levels import levels
from observability.parts import alertmanager, loki, notifier, prometheus
from observability.parts.registry import parts
from observability.settings.load import StackConfig

FILE: Final = "notifier.json"
"""Name of the file."""


SETTLE: Final = 300
"""Seconds after its first message in which an alert gets no update: figures over five minutes rise for as long."""

PAUSE: Final = 600
"""Seconds between two updates of an alert."""


def files(
    config: StackConfig, rules: Mapping[str, str], panels: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, str]:
    """The notifier's configuration folder, for a stack with these rule files and panels that they link to."""
    settings = config.settings
    servers = {
        "alertmanager": [f"http://{service}:{alertmanager.PORT}" for service in settings.alertmanager.services],
        "prometheus": [f"http://prometheus:{prometheus.PORT}"],
        "loki": [f"http://loki:{loki.PORT}"] if config.runs("loki") else [],
    }
    worse = {
        "levels": {name: asdict(level) for name, level in levels(rules).items()},
        "settle": SETTLE,
        "pause": PAUSE,
    }
    document: dict[str, Any] = {
        "port": notifier.PORT,
        "servers": servers,
        "facts": asdict(facts(config)),
        "worse": worse,
    }
    pictures = config.settings.part(notifier.NAME).pictures
    if pictures is not None:
        document["pictures"] = {
            "folder": notifier.PICTURES,
            "url": pictures.url.rstrip("/"),
            "panels": panels or {},
            "scrape": seconds(config.settings.prometheus.scrape_interval),
        }
    return {FILE: json.dumps(document, indent=2, sort_keys=True) + "\n"}


def facts(config: StackConfig) -> Facts:
    """The facts that evidence is gathered by."""
    return Facts(
        depends={name: found for name in config.systems if (found := depends(config, name))},
        jobs={name: system.job for name, system in config.systems.items()},
        stores=tuple(_stores(config)),
        logs=config.runs("loki"),
        spans=config.runs("traces"),
    )


def depends(config: StackConfig, system: str) -> tuple[str, ...]:
    """Every watched system on which one depends, directly or indirectly, without itself."""
    found: dict[str, None] = {}
    todo = [system]
    while todo:
        known = config.systems.get(todo.pop())
        for other in known.depends_on if known else ():
            if other not in found and other != system and other in config.systems:
                found[other] = None
                todo.append(other)
    return tuple(found)


def _stores(config: StackConfig) -> Iterator[Store]:
    for part in parts().values():
        # Other targets of parts are hosts and addresses, which have their own alerts.
        if part.store is None or part.store.up == "up" or not part.store.declared:
            continue
        placed = tuple((one.system, one.server.instance) for one in config.servers(part.name))
        if placed:
            title = part.store.description.removesuffix(" servers.").removesuffix(".")
            yield Store(kind=part.store.job, title=title, up=part.store.up, servers=placed)
