"""Read YAML files, and say what is wrong in one: by its path to the field, with the mend."""

import difflib
from collections.abc import Collection, Hashable
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from observability.core.errors import ConfigError


class _Loader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]  # either will do
    """The safe loader, refusing what YAML's own leaves to the last: one key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping; MarkedYAMLError where a key is there twice."""
        seen: set[object] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} is there twice", key.start_mark
                    )
                seen.add(key.value)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found


def parse_yaml(path: Path, name: str | None = None) -> Any:  # noqa: ANN401 - whatever the file says
    """What a YAML file says; ConfigError with file (by this name), line and column where it does not parse."""
    name = name or path.name
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a safe one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise ConfigError(f"{where}: not valid YAML: {error.problem}", "mend the file at that place") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{name}: not valid YAML: {' '.join(str(error).split())}",
            "write it as UTF-8 text without control characters",
        ) from error


def explain(
    error: ValidationError, model: type[BaseModel], *, source: str, prefix: str = "", also: Collection[str] = ()
) -> ConfigError:
    """The first thing wrong in a document of this model, by its path; `also` are more keys known at its top."""
    problems = error.errors(include_url=False)
    first = problems[0]
    path = (prefix + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"]).lstrip(".")).rstrip(
        ":."
    )
    section, field = _locate(model, first["loc"])
    message, _, hint = first["msg"].removeprefix("Value error, ").partition("; ")
    given = first["input"] if isinstance(first["input"], str | int | float | bool) else None
    if first["type"] == "extra_forbidden":
        known = sorted(info.alias or name for name, info in section.model_fields.items())
        if section is model:
            known = sorted([*known, *also])
        what = f"{path}: unknown key"
        mend = f"{nearest(str(first['loc'][-1]), known)}known here: {', '.join(known)}"
    else:
        what = f"{path}: {message}" if given is None else f"{path}: {given!r}: {message}"
        mend = "; ".join(part for part in (hint, field) if part) or "see the schema for what may stand there"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ConfigError(f"{source}: {what}{more}", mend)


def nearest(name: str, known: Collection[str]) -> str:
    """The question whether the nearest of the known names was meant, or nothing where none is near."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _locate(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[type[BaseModel], str | None]:
    """The innermost section a path leads to, and the description of the field it ends at."""
    section = model
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
