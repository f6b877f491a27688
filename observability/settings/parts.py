"""Which parts of a stack run, and what each of them knows of the stack."""

from collections.abc import Callable, Mapping
from typing import Any

from observability.core.errors import ConfigError
from observability.core.secret import secret_name
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


def here(
    settings: Settings, part: AnyPart, files: Mapping[str, str], source: str, running: Callable[[str], bool]
) -> Here[Any, Any]:
    """What a part knows of its stack."""
    return Here(
        settings=settings.part(part.name),
        servers=servers(settings, part),
        files=files,
        gateway=settings.network.gateway,
        source=source,
        runs=running,
    )


def runs(settings: Settings, left_out: Mapping[str, str], name: str) -> bool:
    """Whether the part runs; `left_out` names the images that are not available."""
    return all(_can_run(settings, left_out, parts()[one]) for one in _with_needs(name))


def _with_needs(name: str) -> set[str]:
    """The part and all that it needs, directly or not; two parts may need each other."""
    found, waiting = set[str](), {name}
    while waiting:
        found |= waiting
        waiting = {need for one in waiting for need in parts()[one].needs} - found
    return found


def _can_run(settings: Settings, left_out: Mapping[str, str], part: AnyPart) -> bool:
    """Whether the part runs where all that it needs does."""
    if not _wanted(settings, part) or not part.active(settings.part(part.name)):
        return False
    if part.store and not part.idle and not servers(settings, part):
        return False
    return all(name not in left_out for name in _images(settings, part))


def _images(settings: Settings, part: AnyPart) -> list[str]:
    """Names of the images that the part runs with these settings."""
    own = settings.part(part.name)
    return [image.name for image in part.images if image.wanted(own)]


def _wanted(settings: Settings, part: AnyPart) -> bool:
    """Whether the settings enable the part."""
    enabled: bool | None = getattr(settings.part(part.name), "enabled", None)
    if enabled is not None:
        return enabled
    return bool(settings.hosts) if part.for_hosts else settings.profile in part.profiles


def grafana_url(settings: Settings, left_out: Mapping[str, str]) -> str | None:
    """External address of Grafana: of an external one, of the stack's own, or None where there is neither."""
    if settings.grafana.url is not None:
        return settings.grafana.url.rstrip("/") if _wanted(settings, parts()["grafana"]) else None
    runs_here = runs(settings, left_out, "grafana")
    return f"http://{settings.bind_address}:{settings.grafana.port}" if runs_here else None


def addresses(settings: Settings, left_out: Mapping[str, str]) -> dict[str, str]:
    """Addresses of the services that have a web page, by name."""
    host, grafana = settings.bind_address, grafana_url(settings, left_out)
    found = {name: f"http://{host}:{getattr(settings, name).port}" for name in ("prometheus", "alertmanager")}
    if grafana is not None:
        found["grafana"] = grafana
    for name in ("loki", "jaeger", "goalert"):
        if runs(settings, left_out, name):
            found[name] = f"http://{host}:{settings.part(name).port}"
    if settings.elk is not None and settings.elk.kibana.enabled and runs(settings, left_out, "elk"):
        found["kibana"] = f"https://{host}:{settings.elk.kibana.port}"
    return found


def images(settings: Settings, left_out: Mapping[str, str]) -> dict[str, str]:
    """Full references of the images that a stack runs, by name."""
    names: list[str] = []
    for name, part in parts().items():
        if runs(settings, left_out, name):
            names += _images(settings, part)
    found = {name: settings.image(name) for name in names}
    if any(exporter.secrets or exporter.files for exporter in settings.exporters):
        found["busybox"] = settings.image("busybox")
    return found | {exporter.name: settings.exporter_image(exporter) for exporter in settings.exporters}


def check_published(source: str, settings: Settings) -> None:
    """ConfigError where ports are published to others, and the stack has no edge; `source` is the prefix of errors."""
    address = settings.bind_address
    if not address.is_loopback and not runs(settings, {}, "edge"):
        raise ConfigError(
            f"{source}bindAddress: {address}: everyone who reaches this address could use Prometheus, Alertmanager "
            "and Loki, without a password and unencrypted",
            "leave it out, and let others in by the edge: "
            f"{source.rpartition(' ')[2]}edge: {{enabled: true, address: monitoring.example.com}}",
        )


def check_backup(source: str, settings: Settings) -> None:
    """ConfigError where backups leave out what is none of them, or nothing would notice that they are missing."""
    backup = settings.part("backup")
    backed_up = [name for name, part in parts().items() if part.kept]
    for index, name in enumerate(backup.left_out):
        if name not in backed_up:
            raise ConfigError(
                f"{source}backup.leftOut[{index}]: {name!r} is not a part with data that is backed up",
                f"use one of {', '.join(sorted(backed_up))}, or remove it",
            )
    if backup.repository and backup.enabled is not False and not _wanted(settings, parts()["node-exporter"]):
        raise ConfigError(
            f"{source}backup: the node exporter, which makes metrics of the backups' age, is switched off",
            "remove nodeExporter.enabled, or backup.repository",
        )
