"""Read and validate the settings, from a stack's file or from Pulumi; the only module that reads either."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, get_args

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from observability.core import project
from observability.core.errors import ConfigError, all_of
from observability.core.mistakes import explain
from observability.core.naming import OF_NO_FILE, PROJECT
from observability.core.secret import SecretSpec
from observability.parts.model import Here, Placed
from observability.parts.registry import parts as all_parts
from observability.settings import (
    elk,
    grafana,
    moved,
    new_relic,
    notified,
    parts,
    placed_logs,
    remote_write,
    rota,
    sources,
    status_page,
    traces,
    uptime_robot,
    watched,
)
from observability.settings import stack_file as stack_files
from observability.settings.model import Environment, Settings, settings_model
from observability.settings.notifications import (
    WEBHOOK_SECRET,
    NotificationSettings,
    goalert_receivers,
    goalert_secret,
    stated_receivers,
)
from observability.settings.secrets import known_secrets
from observability.settings.stack_file import decode
from observability.settings.systems import SystemSettings
from observability.systems import load as system_files
from observability.systems.model import AlertWaits, Paging, System
from observability.systems.resolve import Threshold, thresholds, thresholds_without_file

if TYPE_CHECKING:
    import pulumi

T = TypeVar("T")

ROOT: Final = project.BUILT_IN
"""The root of this repository."""

_PREFIX: Final = stack_files.PREFIX

_WITH_SECRETS: Final = ("systems", "exporters", "hosts", "remoteWrite")
"""Sections whose entries have secrets of their own, in the order of `known_secrets`."""

LEFT_OUT: Final = "leftOut"
"""Key with which `obs` passes the unavailable images to the program; it is in no tracked file."""


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """A stack's validated settings, and which secrets it has (never their values)."""

    stack: str
    settings: Settings
    secrets: frozenset[str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    """The reason for each image that is not available on this machine; `obs` detects and stores it."""
    systems: Mapping[str, System] = field(default_factory=dict)
    """The watched systems by name, in order, with this environment's thresholds overriding their own."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Text of the repository's files that the settings name, by path."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Secrets that the settings need and the stack lacks, with what needs each; placeholders are used for them."""
    computed: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Results of the functions marked `once`."""

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Every threshold of this stack, of the systems and of the stack itself, by system."""
        found = [
            threshold
            for name in OF_NO_FILE
            for threshold in thresholds_without_file(name, self.system_settings(name).thresholds)
        ]
        found += (threshold for system in self.systems.values() for threshold in thresholds(system))
        return tuple(sorted(found, key=lambda threshold: threshold.system))

    @property
    def paging(self) -> dict[str, Paging]:
        """Overrides of which alerts page, by system and for the stack itself."""
        own = {name: self.system_settings(name).page for name in OF_NO_FILE}
        return {**own, **{name: system.page for name, system in self.systems.items()}}

    @property
    def teams(self) -> dict[str, str]:
        """The team of every value of `system`: of the watched systems, the stack itself and containers of neither."""
        return {**{name: name for name in OF_NO_FILE}, **{name: system.team for name, system in self.systems.items()}}

    @property
    def waits(self) -> dict[str, AlertWaits]:
        """The `for` of single alerts, by system and for the stack itself."""
        own = {name: self.system_settings(name).waits for name in OF_NO_FILE}
        return {**own, **{name: system.waits for name, system in self.systems.items()}}

    @property
    def notifications(self) -> NotificationSettings:
        """Receivers and audiences, including the webhook whose secret is the shorthand for all alerts."""
        said = self.settings.notifications
        if self.runs("goalert"):
            said = said.with_goalert(team for team, secret in self.goalert_secrets.items() if secret in self.secrets)
        return said.with_webhook() if WEBHOOK_SECRET in self.secrets else said

    @property
    def goalert_secrets(self) -> dict[str, str]:
        """Name of the secret with the address at which GoAlert accepts a team's alerts, by team."""
        return {team: goalert_secret(team) for team in self.settings.on_call.schedules}

    def system_settings(self, system: str) -> SystemSettings:
        """This environment's settings of a system; the defaults where there are none."""
        return self.settings.systems.get(system) or SystemSettings()

    def runs(self, part: str) -> bool:
        """Whether a part (a name in `observability.parts.registry.parts()`) is part of this stack."""
        return parts.runs(self.settings, self.left_out, part)

    def servers(self, part: str) -> tuple[Placed[Any], ...]:
        """The servers of the watched systems that a part reads."""
        return parts.servers(self.settings, all_parts()[part])

    def here(self, part: str) -> Here[Any, Any]:
        """What a part knows of this stack."""
        source = f"Pulumi.{self.stack}.yaml"
        return parts.here(self.settings, all_parts()[part], self.files, source, self.runs)

    def on(self, host: str) -> "StackConfig":
        """The configuration by which the agent on a host of the settings is made: with its network and its name."""
        own = self.settings
        there = {
            "network": own.network.model_copy(update={"subnet": own.hosts[host].subnet}),
            "node_exporter": own.node_exporter.model_copy(update={"host_name": host}),
            # What is backed up is on the stack's own host.
            "backup": own.part("backup").model_copy(update={"enabled": False}),
        }
        return replace(self, settings=own.model_copy(update=there))

    @property
    def unplaced(self) -> tuple[watched.Unplaced, ...]:
        """The objects that the watched systems' files declare and this environment does not place."""
        return tuple(watched.unplaced(self.settings, self.systems))

    @property
    def addresses(self) -> dict[str, str]:
        """Addresses of the services that have a web page, by name."""
        return parts.addresses(self.settings, self.left_out)

    @property
    def grafana_url(self) -> str | None:
        """Address of Grafana, None where there is none; the external one where the part `grafana` does not run."""
        return parts.grafana_url(self.settings, self.left_out)

    def link(self, service: Literal["prometheus", "alertmanager", "grafana", "goalert"]) -> str | None:
        """External address of a service's pages, without a trailing slash; None where the stack has no Grafana."""
        stated = getattr(self.settings.links, service)
        if service == "grafana":
            found = stated if stated and self.grafana_url else self.grafana_url
        else:
            found = stated or f"http://{self.settings.bind_address}:{getattr(self.settings, service).port}"
        return found.rstrip("/") if found else None

    @property
    def images(self) -> dict[str, str]:
        """Full references of the images that the stack runs, by name."""
        return parts.images(self.settings, self.left_out)

    def without(self, left_out: Mapping[str, str]) -> "StackConfig":
        """The same stack where these images are not available, for these reasons."""
        made = replace(self, left_out=dict(left_out), settings=elk.watched(self.settings, left_out))
        if made.left_out.keys() == self.left_out.keys():
            made.computed.update(self.computed)
        return made


def once(make: Callable[[StackConfig], T]) -> Callable[[StackConfig], T]:
    """Compute it once for each StackConfig, of which it is a function, together with the content's files.

    The result is shared: callers must not change it.
    """
    name = f"{make.__module__}.{make.__qualname__}"

    @wraps(make)
    def found(config: StackConfig) -> T:
        if name not in config.computed:
            config.computed[name] = make(config)
        made: T = config.computed[name]
        return made

    return found


def stack_file(stack: str, root: Path | None = None) -> Path:
    """Path of the stack's file, the project folder's before the built-in one; ConfigError where there is none."""
    roots = project.roots()[::-1] if root is None else (root,)
    for path in (folder / f"Pulumi.{stack}.yaml" for folder in roots):
        if path.is_file():
            return path
    found = {path.name for folder in roots for path in folder.glob("Pulumi.*.yaml")}
    known = sorted(name.removeprefix("Pulumi.").removesuffix(".yaml") for name in found)
    name = f"Pulumi.{stack}.yaml"
    raise ConfigError(
        f"there is no stack {stack!r}: {name} does not exist",
        f"use one of {', '.join(known)}, or create {roots[0] / name if project.own() else name}"
        if known
        else f"create {name}",
    )


def read_stack_file(stack: str, root: Path | None = None) -> dict[str, Any]:
    """The parsed stack file; ConfigError where it contains keys that no program reads."""
    return stack_files.read(stack_file(stack, root), settings_model(), secret_specs({}, root))


def secret_specs(values: Mapping[str, Any], root: Path | None = None) -> Mapping[str, SecretSpec]:
    """Every secret that a stack with these values may have, including those of its receivers and of all systems."""
    receivers = {**goalert_receivers(values.get("onCall")), **stated_receivers(values.get("notifications"))}
    systems = system_files.names(root)
    sections = (values.get(name) for name in _WITH_SECRETS)
    return known_secrets(systems, receivers, *sections)


def stack_secrets(stack: str, root: Path | None = None) -> Mapping[str, SecretSpec]:
    """Every secret that a stack may have by its file; ConfigError where there is no such file."""
    return secret_specs(_own_of(stack, root), root)


def from_file(
    stack: str, root: Path | None = None, stored_secrets: frozenset[str] = frozenset(), *, complete: bool = True
) -> StackConfig:
    """The configuration in `Pulumi.<stack>.yaml`, with secrets that are stored next to the state.

    ConfigError where a secret is missing; with `complete` False it is listed in `missing` instead.
    """
    own = _own_of(stack, root)
    secrets = set(stored_secrets)
    known = secret_specs(own, root)
    for name in known.keys() & own.keys():
        if not (isinstance(own[name], dict) and own[name].keys() == {"secure"}):
            raise ConfigError(
                f"Pulumi.{stack}.yaml: {_PREFIX}{name} is a secret in the clear",
                f"take it out of the file, then run: ./obs secret set {name} {stack}",
            )
        secrets.add(name)
    values = {key: value for key, value in own.items() if key not in known}
    return validate(stack, values, frozenset(secrets), root, complete=complete)


def from_pulumi(root: Path | None = None) -> tuple[StackConfig, Callable[[str], "pulumi.Output[str]"]]:
    """The configuration of the stack being deployed, and a function that reads one of its secrets."""
    # Imported here, as it takes 0.2 s, which commands without the engine need not wait for.
    import pulumi
    from pulumi.runtime.config import CONFIG, get_config_env

    # Config.get returns only the keys that are named; an unknown key must be refused, so all are read.
    own = _own({**get_config_env(), **CONFIG.get()})
    known = secret_specs(
        {name: decode(f"{_PREFIX}{name}", own.get(name)) for name in ("notifications", "onCall", *_WITH_SECRETS)},
        root,
    )
    values = {key: decode(f"{_PREFIX}{key}", value) for key, value in own.items() if key not in known}
    left_out: Any = values.pop(LEFT_OUT, {})
    loaded = validate(pulumi.get_stack(), values, frozenset(known.keys() & own.keys()), root).without(left_out)
    return loaded, pulumi.Config(PROJECT).require_secret


def validate(
    stack: str, values: Mapping[str, Any], secrets: frozenset[str], root: Path | None = None, *, complete: bool = True
) -> StackConfig:
    """The settings of these values, with the systems of `root` (None: the built-in ones and the project's).

    ConfigError names the field and the fix, and lists missing secrets unless `complete` is False.
    """
    given = dict(values)
    model = settings_model()
    if "environment" not in given and stack in get_args(Environment):
        given["environment"] = stack
    given.setdefault("cluster", f"obs-{stack}")
    file = f"Pulumi.{stack}.yaml"
    moved.check(f"{file}: {_PREFIX}", given)
    specs = secret_specs(given, root)
    try:
        settings = model.model_validate(given)
    except ValidationError as error:
        raise explain(error, model, source=file, prefix=_PREFIX, also=specs, document=given) from error
    source = f"{file}: {_PREFIX}"
    known = system_files.load(root)
    systems: dict[str, System] = {}
    teams = [*OF_NO_FILE, *(system.team for system in known.values())]
    all_of(
        lambda: systems.update(watched.systems(source, settings, known)),
        lambda: notified.check(source, settings, teams),
        lambda: rota.check(source, settings.on_call, teams),
        lambda: grafana.check(source, settings.grafana, systems or known),
        lambda: placed_logs.check(source, settings),
        lambda: remote_write.check(source, settings.remote_write, settings.edge.address),
        lambda: new_relic.check(source, settings.new_relic, settings.remote_write),
        lambda: sources.check(source, settings.secret_sources, specs),
        lambda: parts.check_published(source, settings),
        lambda: status_page.check(source, settings, systems or known),
        lambda: parts.check_backup(source, settings),
        lambda: traces.check(source, settings),
        lambda: elk.check(source, settings),
    )
    secrets |= settings.secret_sources.keys()
    missing = _missing_secrets(settings, specs, secrets)
    if missing and complete:
        raise _secrets_error(stack, settings, specs, missing)
    files = watched.files(source, settings, root)
    settings = watched.with_health(elk.watched(settings, {}), systems, files)
    return StackConfig(
        stack=stack,
        settings=settings,
        secrets=secrets | missing.keys(),
        systems=systems,
        files=files,
        missing=missing,
    )


def _missing_secrets(settings: Settings, specs: Mapping[str, SecretSpec], secrets: Collection[str]) -> dict[str, str]:
    """Every secret that the settings need and the stack lacks, and what needs it; except generated ones."""
    environment = settings.environment
    needed: dict[str, str] = {WEBHOOK_SECRET: environment} if notified.tells_nobody(settings) else {}
    needed |= {name: environment for name, spec in specs.items() if environment in spec.required_in}
    for setting, name in _wanted_secrets(settings):
        needed.setdefault(name, setting)
    return {name: why for name, why in needed.items() if name not in secrets and not specs[name].generated}


def _secrets_error(
    stack: str, settings: Settings, specs: Mapping[str, SecretSpec], missing: Mapping[str, str]
) -> ConfigError:
    file = f"Pulumi.{stack}.yaml"
    name, *others = missing
    if missing[name] == settings.environment:
        what = f"{file}: the secret {_PREFIX}{name} is required in {settings.environment} and missing"
    else:
        what = f"{file}: {_PREFIX}{missing[name]} needs the secret {_PREFIX}{name}, which is missing"
    return ConfigError(
        what + (f"; so are {', '.join(others)}" if others else ""),
        f"run: ./obs secret set {name} {stack}    ({specs[name].description})",
    )


def _wanted_secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every setting that needs a secret, and the secret's name."""
    yield from notified.wanted_secrets(settings)
    for setting, name in grafana.wanted_secrets(settings.grafana):
        yield f"grafana.{setting}", name
    for part in all_parts().values():
        for setting, name in getattr(settings.part(part.name), "wanted_secrets", ()):
            yield f"{to_camel(part.section)}.{setting}", name
    for system, own in settings.systems.items():
        for setting, _, name in watched.wanted_secrets(system, own):
            yield f"systems.{system}.{setting}", name
    yield from watched.wanted_passwords(settings)
    yield from placed_logs.wanted_secrets(settings)
    yield from status_page.wanted_secrets(settings)
    yield from remote_write.wanted_secrets(settings.remote_write)
    yield from new_relic.wanted_secrets(settings.new_relic)
    yield from uptime_robot.wanted_secrets(settings.uptime_robot)


def _own(config: Mapping[str, Any]) -> dict[str, Any]:
    """The project's own keys of a configuration, without their prefix."""
    return {key.removeprefix(_PREFIX): value for key, value in config.items() if key.startswith(_PREFIX)}


def _own_of(stack: str, root: Path | None) -> dict[str, Any]:
    """The project's own keys of a stack's file, including objects that are written as JSON."""
    own = _own(read_stack_file(stack, root).get("config") or {})
    return {key: decode(f"Pulumi.{stack}.yaml: {_PREFIX}{key}", value) for key, value in own.items()}
