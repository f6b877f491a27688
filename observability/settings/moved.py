"""Settings that were moved or removed, and what is written instead."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from observability.core.errors import ConfigError
from observability.parts.registry import parts


def check(source: str, values: Mapping[str, Any]) -> None:
    """ConfigError for the first of them; `source` is the prefix of the error: file and key prefix."""
    for path, now in _moved(values):
        raise ConfigError(f"{source}{path}: this setting moved", f"write it as {now}")
    collector = values.get("collector")
    if isinstance(collector, dict) and "kind" in collector:
        raise ConfigError(
            f"{source}collector.kind: there is no choice any more: the log collector is the OpenTelemetry Collector",
            "remove this line; docs/guide.md shows what replaces each job of Promtail",
        )


def _moved(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for part in parts().values():
        if part.store:
            section, key = to_camel(part.section), part.store.key
            old = "probes" if key == "probes" else "targets"
            if isinstance(values.get(section), dict) and old in values[section]:
                yield f"{section}.{old}", f"systems.<system>.{key}, below the system that each of them belongs to"
            if f"{key}Passwords" in values:
                yield f"{key}Passwords", f"the secret <system>{key.capitalize()}Password of each system"
    systems = values.get("systems")
    for name, own in systems.items() if isinstance(systems, dict) else ():
        if isinstance(own, dict) and "targets" in own:
            yield f"systems.{name}.targets", f"systems.{name}.instances"
