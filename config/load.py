"""Read and validate the settings, from a stack's file or from Pulumi; the only place that knows either."""

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, get_args

import pulumi
import yaml
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import BaseModel, ValidationError

from config import parts
from config.errors import ConfigError
from config.model import Environment, Settings
from config.naming import PROJECT
from config.secrets import SECRETS

ROOT: Final = Path(__file__).resolve().parent.parent
"""The project's own folder."""

_PREFIX: Final = f"{PROJECT}:"

LEFT_OUT: Final = "leftOut"
"""Key under which `obs` tells the program of images that are not to be had; it stands in no tracked file."""


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """A stack's validated settings, and which secrets it has (never their values)."""

    stack: str
    settings: Settings
    secrets: frozenset[str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Why, for each image that is not to be had on this machine; `obs` finds that out and stores it."""

    def runs(self, part: str) -> bool:
        """Whether a part (a name in `config.parts.PARTS`) is part of this stack."""
        return parts.runs(self.settings, self.left_out, part)

    @property
    def collector(self) -> str | None:
        """Which log collector runs: `alloy`, `promtail` or None."""
        return parts.collector(self.settings, self.left_out) if self.runs("collector") else None

    @property
    def grafana_url(self) -> str | None:
        """Where Grafana is found, None where the stack has none; another's where the part `grafana` does not run."""
        return parts.grafana_url(self.settings, self.left_out)

    @property
    def images(self) -> dict[str, str]:
        """Full references of the images that the stack runs, by name."""
        return parts.images(self.settings, self.left_out)

    @property
    def instead(self) -> dict[str, dict[str, str]]:
        """For each of the images, those that take its place where it is not to be had."""
        return {"alloy": {"promtail": self.settings.image("promtail")}} if "alloy" in self.images else {}

    def without(self, left_out: Mapping[str, str]) -> "StackConfig":
        """The same stack where these images are not to be had."""
        return replace(self, left_out=dict(left_out))


def stack_file(stack: str, root: Path = ROOT) -> Path:
    """Path of the stack's file; ConfigError where there is no such stack."""
    path = root / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        known = sorted(p.name.removeprefix("Pulumi.").removesuffix(".yaml") for p in root.glob("Pulumi.*.yaml"))
        raise ConfigError(
            f"there is no stack {stack!r}: {path.name} does not exist",
            f"use one of {', '.join(known)}, or create {path.name}",
        )
    return path


def read_stack_file(stack: str, root: Path = ROOT) -> dict[str, Any]:
    """The parsed stack file; ConfigError where it is not a YAML mapping."""
    path = stack_file(stack, root)
    document = parse_yaml(path)
    if document is None:
        return {}
    if not isinstance(document, dict) or not isinstance(document.get("config") or {}, dict):
        raise ConfigError(f"{path.name} is not a mapping with a `config` mapping", f"see {path.name} of a fresh clone")
    return document


def parse_yaml(path: Path) -> Any:  # noqa: ANN401 - whatever the file says
    """What a YAML file says; ConfigError with file, line and column where it does not parse."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path.name}:{mark.line + 1}:{mark.column + 1}" if mark else path.name
        raise ConfigError(f"{where}: not valid YAML: {error.problem}", "mend the file at that place") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path.name}: not valid YAML: {' '.join(str(error).split())}",
            "write it as UTF-8 text without control characters",
        ) from error


def from_file(stack: str, root: Path = ROOT, stored_secrets: frozenset[str] = frozenset()) -> StackConfig:
    """The configuration in `Pulumi.<stack>.yaml`, with secrets that are stored beside the state."""
    config = read_stack_file(stack, root).get("config") or {}
    own = {key.removeprefix(_PREFIX): value for key, value in config.items() if key.startswith(_PREFIX)}
    secrets = set(stored_secrets)
    for name in SECRETS.keys() & own.keys():
        if not (isinstance(own[name], dict) and own[name].keys() == {"secure"}):
            raise ConfigError(
                f"Pulumi.{stack}.yaml: {_PREFIX}{name} is a secret in the clear",
                f"take it out of the file, then run: ./obs secret set {name} {stack}",
            )
        secrets.add(name)
    values = {key: value for key, value in own.items() if key not in SECRETS}
    return validate(stack, values, frozenset(secrets))


def from_pulumi() -> tuple[StackConfig, Callable[[str], pulumi.Output[str]]]:
    """The configuration of the stack being deployed, and a function that reads one of its secrets."""
    # Config.get answers only for keys one asks for; an unknown key must be refused, so all are read.
    everything = {**get_config_env(), **CONFIG.get()}
    own = {key.removeprefix(_PREFIX): value for key, value in everything.items() if key.startswith(_PREFIX)}
    values = {key: _decode(value) for key, value in own.items() if key not in SECRETS}
    left_out: Any = values.pop(LEFT_OUT, {})
    loaded = validate(pulumi.get_stack(), values, frozenset(SECRETS.keys() & own.keys())).without(left_out)
    return loaded, pulumi.Config(PROJECT).require_secret


def validate(stack: str, values: Mapping[str, Any], secrets: frozenset[str]) -> StackConfig:
    """The settings these values make; ConfigError names the field and the mend."""
    complete = dict(values)
    if "environment" not in complete and stack in get_args(Environment):
        complete["environment"] = stack
    complete.setdefault("cluster", f"obs-{stack}")
    try:
        settings = Settings.model_validate(complete)
    except ValidationError as error:
        raise _explain(stack, error) from error
    for name, spec in SECRETS.items():
        if settings.environment in spec.required_in and name not in secrets:
            raise ConfigError(
                f"Pulumi.{stack}.yaml: the secret {_PREFIX}{name} is required in {settings.environment} and missing",
                f"run: ./obs secret set {name} {stack}    ({spec.description})",
            )
    if settings.grafana.url is not None and "grafanaAuth" not in secrets:
        raise ConfigError(
            f"Pulumi.{stack}.yaml: {_PREFIX}grafana.url needs the secret {_PREFIX}grafanaAuth, which is missing",
            f"run: ./obs secret set grafanaAuth {stack}    ({SECRETS['grafanaAuth'].description})",
        )
    return StackConfig(stack=stack, settings=settings, secrets=secrets)


def _decode(value: object) -> object:
    """A configuration value as Pulumi hands it over: objects and lists come as JSON text."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value


def _explain(stack: str, error: ValidationError) -> ConfigError:
    """The first thing wrong, by its path in the file, with the mend."""
    problems = error.errors(include_url=False)
    first = problems[0]
    path = (_PREFIX + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"]).lstrip(".")).rstrip(
        ":"
    )
    section, field = _locate(first["loc"])
    message, _, hint = first["msg"].removeprefix("Value error, ").partition("; ")
    given = first["input"] if isinstance(first["input"], str | int | float | bool) else None
    if first["type"] == "extra_forbidden":
        known = sorted(info.alias or name for name, info in section.model_fields.items())
        if section is Settings:
            known = sorted([*known, *SECRETS])
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        what = f"{path}: unknown key"
        mend = (f"did you mean {near[0]!r}? " if near else "") + f"known here: {', '.join(known)}"
    else:
        what = f"{path}: {message}" if given is None else f"{path}: {given!r}: {message}"
        mend = "; ".join(part for part in (hint, field) if part) or "see config/schema.json for what may stand there"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ConfigError(f"Pulumi.{stack}.yaml: {what}{more}", mend)


def _locate(loc: tuple[int | str, ...]) -> tuple[type[BaseModel], str | None]:
    """The innermost section a path leads to, and the description of the field it ends at."""
    section: type[BaseModel] = Settings
    description: str | None = None
    for part in loc:
        match = next((info for name, info in section.model_fields.items() if part in (info.alias, name)), None)
        if match is None:
            continue
        description = match.description
        for candidate in (match.annotation, *get_args(match.annotation)):
            inner = next(iter(get_args(candidate)), candidate) if get_args(candidate) else candidate
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                section = inner
    return section, description
