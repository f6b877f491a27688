"""Parts: services that can be left out, by the settings or because their image is not to be had.

A part left out brings nothing: no container, image, scrape job, rule, panel or row of `obs verify`. Whatever belongs
to a part asks `StackConfig.runs(part)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from observability.settings.model import Profile, Settings

_FULL: Final = frozenset[Profile]({"full"})
_METRICS: Final = frozenset[Profile]({"full", "metrics"})
_ALWAYS: Final = frozenset[Profile]({"full", "metrics", "minimal"})


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part: the images it cannot do without, the profiles that have it, and the parts it needs."""

    images: tuple[str, ...]
    profiles: frozenset[Profile]
    needs: tuple[str, ...] = ()


PARTS: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "node-exporter": Part(images=("node-exporter",), profiles=_ALWAYS),
        "cadvisor": Part(images=("cadvisor",), profiles=_METRICS),
        "blackbox-exporter": Part(images=("blackbox-exporter",), profiles=_METRICS),
        "postgres-exporter": Part(images=("postgres-exporter",), profiles=_METRICS),
        "redis-exporter": Part(images=("redis-exporter",), profiles=_METRICS),
        "nginx-exporter": Part(images=("nginx-exporter",), profiles=_METRICS),
        "mongodb-exporter": Part(images=("mongodb-exporter", "busybox"), profiles=_METRICS),
        "elasticsearch-exporter": Part(images=("elasticsearch-exporter",), profiles=_METRICS),
        "loki": Part(images=("loki",), profiles=_FULL),
        # Its image depends on its kind: see `collector`.
        "collector": Part(images=(), profiles=_FULL, needs=("loki",)),
        "grafana": Part(images=("grafana",), profiles=_METRICS),
        "goalert": Part(images=("goalert", "goalert-postgres"), profiles=frozenset()),
        "demo": Part(images=("demo", "demo-postgres", "demo-redis", "demo-nginx"), profiles=_METRICS),
    }
)
"""Every part by its name; its settings are the section of that name."""

LEAVABLE: Final = frozenset({"alloy", "promtail"}.union(*(part.images for part in PARTS.values())))
"""Images without which the rest still runs."""

_TARGETS: Final = MappingProxyType(
    {
        "blackbox-exporter": "probes",
        "postgres-exporter": "targets",
        "redis-exporter": "targets",
        "nginx-exporter": "targets",
        "mongodb-exporter": "targets",
        "elasticsearch-exporter": "targets",
    }
)
"""Parts that have nothing to do without targets, and the setting that lists these."""

_OF_DEMO: Final = frozenset({"blackbox-exporter", "postgres-exporter", "redis-exporter", "nginx-exporter"})
"""Those of them to which the demo brings targets."""


def runs(settings: Settings, left_out: Mapping[str, str], part: str) -> bool:
    """Whether the part runs; `left_out` names the images that are not to be had."""
    spec = PARTS[part]
    section = getattr(settings, part.replace("-", "_"))
    if not _wanted(settings, part) or (part == "demo" and settings.environment != "dev"):
        return False
    if part == "grafana" and settings.grafana.url is not None:
        return False
    if part == "collector" and collector(settings, left_out) is None:
        return False
    brought = part in _OF_DEMO and runs(settings, left_out, "demo")
    if part in _TARGETS and not (getattr(section, _TARGETS[part]) or brought):
        return False
    return not any(image in left_out for image in spec.images) and all(
        runs(settings, left_out, need) for need in spec.needs
    )


def _wanted(settings: Settings, part: str) -> bool:
    """Whether the settings ask for the part."""
    enabled: bool | None = getattr(settings, part.replace("-", "_")).enabled
    return settings.profile in PARTS[part].profiles if enabled is None else enabled


def grafana_url(settings: Settings, left_out: Mapping[str, str]) -> str | None:
    """Where Grafana is found from outside: one that was there already, the stack's own, or None where neither is."""
    if settings.grafana.url is not None:
        return settings.grafana.url.rstrip("/") if _wanted(settings, "grafana") else None
    runs_here = runs(settings, left_out, "grafana")
    return f"http://{settings.bind_address}:{settings.grafana.port}" if runs_here else None


def collector(settings: Settings, left_out: Mapping[str, str]) -> str | None:
    """The log collector: the chosen one; Promtail too where Alloy is not to be had; None where neither is."""
    kinds = ("promtail",) if settings.collector.kind == "promtail" else ("alloy", "promtail")
    return next((kind for kind in kinds if kind not in left_out), None)


def images(settings: Settings, left_out: Mapping[str, str]) -> dict[str, str]:
    """Full references of the images that a stack runs, by name."""
    names = ["prometheus", "alertmanager"]
    for part, spec in PARTS.items():
        if runs(settings, left_out, part):
            names += spec.images or [name for name in (collector(settings, left_out),) if name]
    return {name: settings.image(name) for name in names} | {
        exporter.name: settings.exporter_image(exporter) for exporter in settings.exporters
    }
