"""The watched systems as this environment sees them, and what its settings must not say about them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from observability.core import project
from observability.core.documents import nearest, parse_yaml
from observability.core.errors import ConfigError
from observability.core.naming import PLATFORM
from observability.settings.exporters import HealthProbe, ProbeSettings
from observability.settings.model import Settings
from observability.settings.secrets import ScrapeSecret, scrape_secret
from observability.settings.systems import SystemSettings
from observability.systems.check import threshold_problems
from observability.systems.model import System
from observability.systems.resolve import merged


def systems(source: str, settings: Settings, known: Mapping[str, System]) -> dict[str, System]:
    """The enabled systems with this environment's thresholds; ConfigError where the settings do not fit them.

    `source` is what errors begin with: the file and the keys' prefix.
    """
    for name, own in settings.systems.items():
        where = f"{source}systems.{name}"
        if name == PLATFORM:
            for field in sorted(own.model_fields_set - {"thresholds"}):
                raise ConfigError(f"{where}.{field}: the stack itself has thresholds alone", "take it out")
        elif name not in known:
            raise ConfigError(
                f"{where}: there is no such system",
                f"{nearest(name, known)}known here: {', '.join([*known, PLATFORM])}; or: ./obs new-system {name}",
            )
        system = known.get(name)
        demanded = merged(system.thresholds if system else {}, own.thresholds)
        for problem in threshold_problems(demanded, f"{where}.thresholds", system):
            raise ConfigError(f"{problem.path}: {problem.what}", problem.mend)
    found = {}
    for name, system in known.items():
        own = settings.systems.get(name, SystemSettings())
        if own.enabled:
            thresholds = merged(system.thresholds, own.thresholds)
            found[name] = system.model_copy(update={"thresholds": thresholds}) if own.thresholds else system
    _check_owners(source, settings, found)
    return found


def _check_owners(source: str, settings: Settings, watched: Mapping[str, System]) -> None:
    """Alerts find their threshold and team by `system`: a target of any other would never alert."""
    for section, info in type(settings).model_fields.items():
        for field in ("targets", "probes"):
            for index, target in enumerate(getattr(getattr(settings, section), field, ())):
                owner = target.system
                if owner != PLATFORM and owner not in watched:
                    raise ConfigError(
                        f"{source}{info.alias}.{field}[{index}].system: {owner!r}: there is no such system here",
                        f"{nearest(owner, watched)}watched here: {', '.join([*watched, PLATFORM])}",
                    )


def with_health(settings: Settings, watched: Mapping[str, System], files: Mapping[str, str]) -> Settings:
    """The settings with a probe for every health page of the systems whose addresses they name."""
    found = settings.blackbox_exporter.probes
    for name, system in watched.items():
        own = settings.systems.get(name, SystemSettings())
        # A page behind a client's certificate is not for probes: its key belongs to Prometheus alone.
        if not (own.tls and own.tls.certificate):
            for address in own.targets.static:
                found += health_probes(system, address, own, files)
    blackbox = settings.blackbox_exporter.model_copy(update={"probes": found})
    return settings.model_copy(update={"blackbox_exporter": blackbox})


def health_probes(
    system: System, address: str, own: SystemSettings | None = None, files: Mapping[str, str] | None = None
) -> tuple[ProbeSettings, ...]:
    """A probe for every health page of one instance of a system."""
    own = own or SystemSettings()
    return tuple(
        HealthProbe(
            name=f"{system.name}{page.path}",
            url=f"{own.scheme}://{address}{page.path}",
            keyword=page.keyword,
            interval="15s",
            system=system.name,
            ca=(files or {}).get(own.tls.ca) if own.tls and own.tls.ca else None,
            server_name=own.tls.server_name if own.tls else None,
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


def files(source: str, settings: Settings, root: Path | None = None) -> dict[str, str]:
    """The text of every file of the project or the repository that the settings name, by its path."""
    found: dict[str, str] = {}
    for name, own in settings.systems.items():
        where = f"{source}systems.{name}"
        for index, path in enumerate(own.targets.files):
            found[path] = _read(root, path, f"{where}.targets.files[{index}]")
            _check_targets(project.find(path, root), path)
        for field in ("ca", "certificate"):
            certificate: str | None = getattr(own.tls, field, None)
            if certificate:
                found[certificate] = _certificate(root, certificate, f"{where}.tls.{field}")
    for section, info in type(settings).model_fields.items():
        authority: str | None = getattr(getattr(settings, section), "ca", None)
        if authority:
            found[authority] = _certificate(root, authority, f"{source}{info.alias}.ca")
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
