"""Read the systems' files, built-in and the project's: every `systems/<name>.yaml` or `.yml`, validated."""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from observability.core import project
from observability.core.documents import nearest, parse_yaml
from observability.core.errors import ConfigError, together
from observability.core.mistakes import explain
from observability.core.naming import OF_NO_FILE
from observability.systems.check import problems
from observability.systems.model import System
from observability.systems.spans import mapped

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


def names(root: Path | None = None) -> tuple[str, ...]:
    """Names of all systems that have a file, sorted; the files are not read. `root` limits them to one folder."""
    return tuple(project.files("systems", *project.YAML, root=root))


def load(root: Path | None = None) -> Mapping[str, System]:
    """Every system by its name; ConfigError with the path to the field where a file is invalid."""
    found = {name: load_file(path) for name, path in project.files("systems", *project.YAML, root=root).items()}
    for system in found.values():
        for other in system.depends_on:
            if other not in found or other == system.name:
                known = [name for name in found if name != system.name]
                raise ConfigError(
                    f"systems/{system.name}.yaml: dependsOn: there is no other system {other!r}",
                    f"{nearest(other, known)}known here: {', '.join(known) or 'none'}; or remove it",
                )
    return found


def load_file(path: Path) -> System:
    """The system of one file; ConfigError with the path to the field where it is invalid."""
    check_name(path.stem)
    source = f"{path.parent.name}/{path.name}"
    document = parse_yaml(path, source)
    if not isinstance(document, dict):
        kind = "empty" if document is None else "a list" if isinstance(document, list) else "plain text"
        raise ConfigError(
            f"{source}: is {kind}, no mapping",
            f"remove the file, then write it anew: ./obs system new {path.stem}",
        )
    if "name" in document:
        raise ConfigError(f"{source}: name: the system's name is the file's own", "take name out")
    try:
        document = {**document, "name": path.stem}
        system = System.model_validate(document)
    except ValidationError as error:
        raise explain(error, System, source=source, document=document) from error
    system = mapped(system)
    wrong = together((f"{source}: {one.path}: {one.what}", one.fix) for one in problems(system))
    if wrong:
        raise wrong
    return system


def check_name(name: str) -> None:
    """ConfigError where the name is not a valid system name."""
    if not _NAME.fullmatch(name) or name in OF_NO_FILE:
        raise ConfigError(
            f"systems/{name}.yaml: {name!r} cannot be the name of a system",
            f"use a-z, 0-9 and '-', beginning with a letter, 63 at most; {' and '.join(OF_NO_FILE)} are taken",
        )
