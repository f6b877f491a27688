"""The keys that a `Pulumi.<stack>.yaml` may have besides the settings themselves; none is silently ignored."""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from observability.core.documents import nearest, parse_yaml
from observability.core.errors import ConfigError, together
from observability.core.naming import PROJECT
from observability.core.place import places

PREFIX: Final = f"{PROJECT}:"
"""Prefix of the project's own keys."""

_OF_PULUMI: Final = frozenset({"config", "encryptionsalt", "encryptedkey", "secretsprovider", "environment"})
"""Keys that Pulumi itself writes at the top of a stack's file."""

_FOREIGN: Final = frozenset({"pulumi", "docker", "grafana"})
"""Prefixes of Pulumi's own settings and of the providers that the program uses."""

_MAY_BE_EMPTY: Final = "dev"
"""The stack that needs no settings, only defaults."""


def read(path: Path, model: type[BaseModel], secrets: Collection[str]) -> dict[str, Any]:
    """The parsed file; ConfigError with all keys that no program would read.

    `model` is that of the settings, `secrets` the names of the secrets, which are on the same level.
    """
    document = parse_yaml(path)
    if document is None or document == {}:
        if path.name == f"Pulumi.{_MAY_BE_EMPTY}.yaml":
            return {}
        raise ConfigError(
            f"{path.name}: is empty, so every setting would go back to its default",
            "restore its settings; for a stack of defaults alone write `config: {}`",
        )
    if not isinstance(document, dict):
        kind = "a list" if isinstance(document, list) else "plain text"
        raise ConfigError(
            f"{path.name}: is {kind}, no mapping", f"begin it with `config:`, then `  {PREFIX}…` below it"
        )
    known = _Known(model, secrets)
    problems = [*_top(document, known)]
    config = document.get("config", {})
    if isinstance(config, dict):
        problems += _config(config, known)
    elif config is not None:
        problems.append(("config: is no mapping", f"write below it, indented: `{PREFIX}<setting>: <value>`"))
    error = together((f"{path.name}: {what}", fix) for what, fix in problems)
    if error:
        raise error
    return document


def _top(document: Mapping[object, Any], known: "_Known") -> Iterator[tuple[str, str]]:
    """Keys at the top that neither Pulumi nor the program reads."""
    for key in map(str, document):
        name = key.removeprefix(PREFIX)
        if key in _OF_PULUMI:
            continue
        if key.startswith(PREFIX) or name in known:
            yield f"{key}: stands at the top, where no program reads it", f"move it below config: as {PREFIX}{name}"
        else:
            near = nearest(key, _OF_PULUMI) or nearest(key.lower(), _OF_PULUMI)
            fix = f"{near}remove it, or write it below config: as {known.place(key)}"
            yield f"{key}: unknown key at the top", "rename it to config" if "'config'" in near else fix
    if "config" not in document and document.keys() <= _OF_PULUMI:
        yield "has no config", "add a line `config: {}`, or the settings that were below it"


def _config(config: Mapping[object, Any], known: "_Known") -> Iterator[tuple[str, str]]:
    """Keys below config that are not the program's, but look like its keys."""
    for key in map(str, config):
        if key.startswith(PREFIX):
            continue
        prefix, colon, name = key.partition(":")
        if not colon:
            yield (
                f"config.{key}: has no prefix, so no program reads it",
                f"write it {known.place(key)}",
            )
        elif prefix not in _FOREIGN and (name.split(".")[0] in known or nearest(prefix, (PROJECT,))):
            yield f"config.{key}: {prefix!r} is not the prefix of this project", f"write it {known.place(name)}"


class _Known:
    """The names that the program reads at the top of its settings."""

    def __init__(self, model: type[BaseModel], secrets: Collection[str]) -> None:
        self._model = model
        self._names = {info.alias or name for name, info in model.model_fields.items()} | set(secrets)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def place(self, name: str) -> str:
        """The paths at which a setting of this name, or of a similar one, may be in the file."""
        if name in self._names:
            return f"{PREFIX}{name}"
        near = nearest(name, self._names)
        if near:
            return f"{PREFIX}{near.split(chr(39))[1]}"
        # As deep as it may be; of a setting that many sections have, the first few.
        sections = [f"{PREFIX}{path.rpartition('.')[0]}" for path in places(self._model, name)][:3]
        return f"below {' or '.join(sections)}, indented" if sections else f"{PREFIX}<name of the setting>"


def decode(path: str, value: object) -> object:
    """A value as Pulumi writes it: objects and lists are JSON text. ConfigError where that does not parse."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ConfigError(
                f"{path}: is text that begins like JSON and is none: {error.msg} at character {error.pos + 1}",
                "write it as YAML without the quotes around it",
            ) from None
    return value
