"""The watched systems in this environment, and checks of their settings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from observability.core import project
from observability.core.documents import nearest, parse_yaml
from observability.core.errors import ConfigError
from observability.core.naming import OF_NO_FILE, PLATFORM
from observability.parts.model import Server
from observability.parts.probe import HealthProbe
from observability.parts.registry import parts, stores
from observability.settings import elk, placed_logs, remote_write, traces
from observability.settings.model import Settings
from observability.settings.parts import password_secret, runs
from observability.settings.secrets import ScrapeSecret, scrape_secret
from observability.settings.systems import SystemSettings
from observability.systems.check import threshold_problems
from observability.systems.model import System, merged_waits
from observability.systems.resolve import merged

INSTANCES = "instances"
"""What a system's file declares by `scrape`: instances with metrics."""

SPANS = "spans"
"""What a system's file declares by `spans`, and the section `traces` takes."""

OTLP = "otlp"
"""What a system's file declares by `otlp`, and the section `otlpMetrics` takes."""

_OF_NO_FILE = frozenset({"thresholds", "page", "waits", "logs"})
"""What the settings may state for a system without a file; for the stack itself also hosts, data stores and probes."""

_OF_FILES = frozenset({"containers", "projects"})
"""What they may state of its lines only for a system with a file."""


@dataclass(frozen=True, kw_only=True)
class Unplaced:
    """An object that a system's file declares and this environment does not place; `reason` is None where the
    settings give none.
    """

    system: str
    what: str
    reason: str | None = None


def systems(source: str, settings: Settings, known: Mapping[str, System]) -> dict[str, System]:
    """The watched systems with this environment's thresholds: those that the settings name and do not disable.

    `source` is the prefix of errors: the file and the key prefix. ConfigError where the settings do not fit.
    """
    found = {}
    keys = {store.key for store in stores().values()}
    for name, own in settings.systems.items():
        where = f"{source}systems.{name}"
        if name in OF_NO_FILE:
            more, said = (keys, ", hosts, data stores and probes") if name == PLATFORM else (set(), "")
            for field in sorted(own.model_fields_set - _OF_NO_FILE - more):
                raise ConfigError(f"{where}.{field}: {name} has thresholds, page, for, logs{said} only", "remove it")
            for field in sorted(own.logs.model_fields_set & _OF_FILES):
                raise ConfigError(
                    f"{where}.logs.{field}: containers of {name} are not selected by settings", "remove it"
                )
        elif name not in known:
            raise ConfigError(
                f"{where}: there is no such system",
                f"{nearest(name, known)}known here: {', '.join([*known, *OF_NO_FILE])}; or: ./obs system new {name}",
            )
        system = known.get(name)
        demanded = merged(system.thresholds if system else {}, own.thresholds)
        for problem in threshold_problems(demanded, f"{where}.thresholds", system):
            raise ConfigError(f"{problem.path}: {problem.what}", problem.fix)
        if system is not None:
            _check_unwatched(source, settings, own, system)
            if own.instances and system.scrape is None:
                raise ConfigError(
                    f"{where}.instances: systems/{name}.yaml has no scrape, by which its metrics are read",
                    f"add scrape to that file, like {{port: 8080}}, or remove {where}.instances",
                )
            if own.enabled:
                page = system.page.under(own.page)
                waits = merged_waits(system.waits, own.waits)
                found[name] = system.model_copy(update={"thresholds": demanded, "page": page, "waits": waits})
    _check_hosts(source, settings)
    _check_containers(source, settings)
    _check_names(source, settings)
    if settings.environment == "prod":
        _refuse_unplaced(source, settings, found)
    return {name: found[name] for name in known if name in found}


def unplaced(settings: Settings, watched: Mapping[str, System]) -> Iterator[Unplaced]:
    """Objects that the watched systems' files declare and this environment does not place, with the reason if any."""
    for name, system in watched.items():
        own = settings.systems.get(name, SystemSettings())
        for what in _declared(system):
            if not _placed(settings, own, what):
                yield Unplaced(system=name, what=what, reason=own.unwatched.get(what))


def _declared(system: System) -> tuple[str, ...]:
    ways = {INSTANCES: system.scrape, OTLP: system.otlp, SPANS: system.spans}
    return (*(way for way, stated in ways.items() if stated), *system.exporters)


def _placed(settings: Settings, own: SystemSettings, what: str) -> bool:
    if what == SPANS:
        return settings.traces is not None
    if what == OTLP:
        return settings.otlp_metrics is not None
    return bool(own.instances) if what == INSTANCES else bool(own.servers(stores()[what].key))


def _placed_by(system: str, what: str) -> str:
    """The setting that places it, below `observability:`."""
    if what == SPANS:
        return "traces"
    if what == OTLP:
        return "otlpMetrics"
    return f"systems.{system}.{what if what == INSTANCES else stores()[what].key}"


def _check_unwatched(source: str, settings: Settings, own: SystemSettings, system: System) -> None:
    where, declared = f"{source}systems.{system.name}", _declared(system)
    for what in own.unwatched:
        if what not in declared:
            raise ConfigError(
                f"{where}.unwatched.{what}: systems/{system.name}.yaml declares no such thing",
                f"{nearest(what, declared)}declared there: {', '.join(declared)}; or remove it",
            )
        if _placed(settings, own, what):
            raise ConfigError(
                f"{where}.unwatched.{what}: it is watched: {source}{_placed_by(system.name, what)} places it",
                "remove one of them",
            )


def _refuse_unplaced(source: str, settings: Settings, watched: Mapping[str, System]) -> None:
    for missing in unplaced(settings, watched):
        if missing.reason is None:
            where, key = f"{source}systems.{missing.system}", f"{source}{_placed_by(missing.system, missing.what)}"
            raise ConfigError(
                f"{key} is missing, and systems/{missing.system}.yaml declares {missing.what}: "
                "in prod nothing that is declared may go unwatched",
                f"add {key}, or give the reason in {where}.unwatched: {{{missing.what}: <reason>}}",
            )


def _check_hosts(source: str, settings: Settings) -> None:
    """A host without an address must be the stack's own, or one with an agent."""
    known = (settings.node_exporter.host_name, *settings.hosts)
    for name, system in settings.systems.items():
        for index, host in enumerate(system.servers("hosts")):
            if getattr(host, "address", None) is None and host.name not in known:
                where = f"{source}systems.{name}.hosts[{index}]"
                raise ConfigError(
                    f"{where}: {host.name} has no address, and is neither the stack's own host nor one of hosts",
                    f"add address, like {{name: {host.name}, address: {host.name}:9100}}, or write "
                    f"name: {' or '.join(known)}",
                )


def _check_containers(source: str, settings: Settings) -> None:
    """A container that must run needs the part that sees containers, and its host an agent."""
    reading = [part.name for part in parts().values() if part.of_containers]
    seen = any(runs(settings, {}, name) for name in reading)
    for name, system in settings.systems.items():
        for index, container in enumerate(system.containers):
            where = f"{source}systems.{name}.containers[{index}]"
            if not seen:
                raise ConfigError(
                    f"{where}: {' and '.join(reading)} is disabled, which sees whether it runs",
                    f"enable {reading[0]}, or remove the entry",
                )
            if container.host is not None and container.host not in settings.hosts:
                raise ConfigError(
                    f"{where}.host: {container.host!r}: there is no such host",
                    f"{nearest(container.host, settings.hosts)}known here: {', '.join(settings.hosts) or 'none'}; "
                    "or remove it, if it is the stack's own Docker host",
                )


def _check_names(source: str, settings: Settings) -> None:
    """Names of servers, or of their files, must also be unique across systems."""
    for part in parts().values():
        if part.store is None:
            continue
        taken: dict[str, str] = {}
        for name, system in settings.systems.items():
            for index, server in enumerate(system.servers(part.store.key)):
                where = f"{source}systems.{name}.{part.store.key}[{index}].name"
                shared = server.name or ""
                if part.store.named and taken.setdefault(shared, where) != where:
                    raise ConfigError(
                        f"{where}: {shared!r} is taken by {taken[shared].removeprefix(source)}",
                        "give one of them another name",
                    )


def with_health(settings: Settings, watched: Mapping[str, System], files: Mapping[str, str]) -> Settings:
    """The settings with a probe for every health page of the watched systems, with the addresses of their instances.

    Discovered instances have one probe per page, with the same discovery as in Prometheus.
    """
    found = dict(settings.systems)
    for name, system in watched.items():
        own = found[name]
        # A page that requires a client certificate is not probed: only Prometheus has the key.
        if own.tls and own.tls.certificate:
            continue
        probes = [_with_authority(probe, files) for probe in own.servers("probes")]
        probes += (probe for address in own.instances.static for probe in health_probes(system, own, files, address))
        if own.instances.files or own.instances.dns:
            probes += health_probes(system, own, files, None)
        found[name] = own.model_copy(update={"probes": tuple(probes)})
    return settings.model_copy(update={"systems": found})


def _with_authority(probe: Server, files: Mapping[str, str]) -> Server:
    """The probe with the certificate that its setting names."""
    named: str | None = getattr(probe, "ca", None)
    return probe.model_copy(update={"ca": files[named]}) if named else probe


def health_probes(
    system: System, own: SystemSettings, files: Mapping[str, str], address: str | None
) -> tuple[HealthProbe, ...]:
    """A probe for every health page of one instance of a system; `address` None: of discovered instances."""
    tls = own.tls
    return tuple(
        HealthProbe(
            name=f"{system.name}{page.path}",
            url=f"{own.scheme}://{address or ''}{page.path}",
            keyword=page.keyword,
            interval="15s",
            ca=files.get(tls.ca) if tls and tls.ca else None,
            server_name=tls.server_name if tls else None,
            discovered=address is None,
        )
        for page in system.health
    )


def wanted_secrets(system: str, own: SystemSettings) -> Iterator[tuple[str, ScrapeSecret, str]]:
    """The setting, kind and name of every secret with which a system is scraped."""
    if own.bearer_token:
        yield "bearerToken", "Token", scrape_secret(system, "Token")
    if own.basic_auth_user:
        yield "basicAuthUser", "Password", scrape_secret(system, "Password")
    if own.tls and own.tls.certificate:
        yield "tls.certificate", "Key", scrape_secret(system, "Key")


def wanted_passwords(settings: Settings) -> Iterator[tuple[str, str]]:
    """The setting and the name of every secret with which an exporter signs in."""
    for name, own in settings.systems.items():
        for store in stores().values() if own.enabled else ():
            for index, server in enumerate(own.servers(store.key)):
                secret = password_secret(name, store.key, server)
                if secret:
                    yield f"systems.{name}.{store.key}[{index}]", secret
    for index, exporter in enumerate(settings.exporters):
        for key in exporter.secrets:
            yield f"exporters[{index}].secrets.{key}", exporter.secret(key)


def files(source: str, settings: Settings, root: Path | None = None) -> dict[str, str]:
    """The text of every file of the project or the repository that the settings name, by its path."""
    found: dict[str, str] = {}
    for name, own in settings.systems.items():
        where = f"{source}systems.{name}"
        for index, path in enumerate(own.instances.files):
            found[path] = _read(root, path, f"{where}.instances.files[{index}]")
            _check_targets(project.find(path, root), path)
        for field in ("ca", "certificate"):
            certificate: str | None = getattr(own.tls, field, None)
            if certificate:
                found[certificate] = _certificate(root, certificate, f"{where}.tls.{field}")
        for index, probe in enumerate(own.servers("probes")):
            named: str | None = getattr(probe, "ca", None)
            if named:
                found[named] = _certificate(root, named, f"{where}.probes[{index}].ca")
    for section, info in type(settings).model_fields.items():
        authority: str | None = getattr(getattr(settings, section), "ca", None)
        if authority:
            found[authority] = _certificate(root, authority, f"{source}{info.alias}.ca")
    for setting, path in (
        *placed_logs.certificates(settings),
        *remote_write.certificates(settings.remote_write),
        *traces.certificates(settings),
        *elk.certificates(settings),
    ):
        found[path] = _certificate(root, path, f"{source}{setting}")
    return found


def _certificate(root: Path | None, path: str, where: str) -> str:
    text = _read(root, path, where)
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise ConfigError(f"{where}: {path!r}: holds no certificate", "name a PEM file with a certificate")
    return text


def _read(root: Path | None, path: str, where: str) -> str:
    try:
        return project.find(path, root).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            f"{where}: {path!r}: is no text file here", "write its path from the root of the project or the repository"
        ) from None


def _check_targets(path: Path, name: str) -> None:
    """ConfigError where the file is not a list of groups of targets."""
    groups = parse_yaml(path, name)
    ok = isinstance(groups, list) and all(
        isinstance(group, dict)
        and group.keys() <= {"targets", "labels"}
        and isinstance(group.get("targets"), list)
        and all(isinstance(target, str) for target in group["targets"])
        and isinstance(group.get("labels") or {}, dict)
        for group in groups
    )
    if not ok:
        raise ConfigError(
            f"{name}: is not a list of groups of targets",
            "write it like [{targets: [host:port], labels: {zone: a}}]; labels may be left out",
        )
