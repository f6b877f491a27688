"""Which parts of a stack run, and what each of them knows of the stack."""

from collections.abc import Mapping
from typing import Any

from observability.core.secret import secret_name
from observability.parts.collector import ALLOY, BESIDES, KINDS
from observability.parts.model import Here, Placed, Server
from observability.parts.registry import AnyPart, parts
from observability.settings.model import Settings


def essential() -> frozenset[str]:
    """Names of the images that every stack requires."""
    return frozenset(image.name for part in parts().values() if part.essential for image in part.images)


def servers(settings: Settings, part: AnyPart) -> tuple[Placed[Any], ...]:
    """The servers of the watched systems that a part reads, in the order of the settings."""
    store = part.store
    if store is None:
        return ()
    return tuple(
        Placed(system=system, server=server, secret=password_secret(system, store.key, server))
        for system, own in settings.systems.items()
        if own.enabled
        for server in own.servers(store.key)
    )


def password_secret(system: str, key: str, server: Server) -> str | None:
    """Name of the secret with a server's password: <system><Store>[<Name>]Password; None where it needs none."""
    if not server.needs_password:
        return None
    return secret_name(system, key, *([server.name] if server.name else []), "Password")


def here(settings: Settings, part: AnyPart, files: Mapping[str, str], source: str) -> Here[Any, Any]:
    """What a part knows of its stack."""
    return Here(
        settings=settings.part(part.name),
        servers=servers(settings, part),
        files=files,
        gateway=settings.network.gateway,
        source=source,
    )


def runs(settings: Settings, left_out: Mapping[str, str], name: str) -> bool:
    """Whether the part runs; `left_out` names the images that are not available."""
    part = parts()[name]
    section = settings.part(name)
    if not _wanted(settings, part) or not part.active(section):
        return False
    if part.store and not part.idle and not servers(settings, part):
        return False
    available = [image for image in part.images if image.name not in left_out]
    if part.one_image:
        if collector(settings, left_out) is None:
            return False
    elif len(available) < len(part.images):
        return False
    if part.serves and not (runs(settings, left_out, "collector") and collector(settings, left_out) == part.serves):
        return False
    return all(runs(settings, left_out, need) for need in part.needs)


def _wanted(settings: Settings, part: AnyPart) -> bool:
    """Whether the settings enable the part."""
    enabled: bool | None = getattr(settings.part(part.name), "enabled", None)
    return settings.profile in part.profiles if enabled is None else enabled


def grafana_url(settings: Settings, left_out: Mapping[str, str]) -> str | None:
    """External address of Grafana: of an external one, of the stack's own, or None where there is neither."""
    if settings.grafana.url is not None:
        return settings.grafana.url.rstrip("/") if _wanted(settings, parts()["grafana"]) else None
    runs_here = runs(settings, left_out, "grafana")
    return f"http://{settings.bind_address}:{settings.grafana.port}" if runs_here else None


def collector(settings: Settings, left_out: Mapping[str, str]) -> str | None:
    """The log collector: the chosen one; Promtail also where Alloy is not available; None where none is."""

    def available(kind: str) -> bool:
        return left_out.keys().isdisjoint(_images_of(kind)) and all(_wanted(settings, part) for part in serving(kind))

    return next((kind.name for kind in KINDS[settings.collector.kind] if available(kind.name)), None)


def _images_of(kind: str) -> set[str]:
    """Names of the images without which a log collector does not run; its own, and of the parts that serve it."""
    others = (*BESIDES.get(kind, ()), *(image for part in serving(kind) for image in part.images))
    return {kind, *(image.name for image in others)}


def serving(kind: str) -> tuple[AnyPart, ...]:
    """The parts that serve a log collector."""
    return tuple(part for part in parts().values() if part.serves == kind)


def _collecting(settings: Settings, left_out: Mapping[str, str]) -> list[str]:
    """Names of the log collector's images."""
    kind = collector(settings, left_out) or ALLOY.name
    return [kind, *(image.name for image in BESIDES.get(kind, ()))]


def images(settings: Settings, left_out: Mapping[str, str]) -> dict[str, str]:
    """Full references of the images that a stack runs, by name."""
    names: list[str] = []
    for name, part in parts().items():
        if runs(settings, left_out, name):
            names += _collecting(settings, left_out) if part.one_image else [image.name for image in part.images]
    found = {name: settings.image(name) for name in names}
    if any(exporter.secrets or exporter.files for exporter in settings.exporters):
        found["busybox"] = settings.image("busybox")
    return found | {exporter.name: settings.exporter_image(exporter) for exporter in settings.exporters}
