"""Which folders hold content: the built-in ones of this repository, then those of a project folder.

A project folder is given by `obs --project DIR` or by the environment variable OBS_PROJECT. It holds any of
`Pulumi.<stack>.yaml`, `systems/`, `rules/` (with `rules/loki/`), `dashboards/`, `runbooks/`, `parts/` (exporters) and
`samples/` (what exporters expose, for `obs check`). They are added to the built-in files; a file of the same name
(without its extension) replaces the built-in file.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from observability.core.errors import ConfigError

BUILT_IN: Final = Path(__file__).resolve().parents[2]
"""The root of this repository."""

VARIABLE: Final = "OBS_PROJECT"
"""Environment variable with the project folder; the program that the Pulumi engine starts inherits it."""

Kind = Literal["systems", "rules", "rules/loki", "dashboards", "runbooks", "parts", "samples"]

_BUILT_IN_FOLDERS: Final[Mapping[str, str]] = {
    "parts": "observability/parts",
    "samples": "observability/check/samples",
}
"""Folder of built-in content where it is not named after its kind."""

YAML: Final = (".yaml", ".yml")


def own() -> Path | None:
    """The project folder, an absolute path; None where none is given. ConfigError where it is not a folder."""
    given = os.environ.get(VARIABLE)
    if not given:
        return None
    folder = Path(given).absolute()
    if not folder.is_dir():
        raise ConfigError(f"the project folder {given} does not exist", f"create it with: ./obs init {given}")
    # The repository itself as project folder adds nothing.
    return None if folder.resolve() == BUILT_IN else folder.resolve()


def select(folder: Path) -> None:
    """Set the project folder, for this process and the programs it starts; ConfigError where it does not exist."""
    os.environ[VARIABLE] = str(folder.absolute())
    own()


def roots() -> tuple[Path, ...]:
    """The root folders of content: the built-in one, then the project folder where there is one."""
    project = own()
    return (BUILT_IN,) if project is None else (BUILT_IN, project)


def folders(kind: Kind, root: Path | None = None) -> tuple[Path, ...]:
    """The existing folders with content of a kind, the built-in one first; only of `root` where it is given."""
    found = [_folder(one, kind) for one in (roots() if root is None else (root,))]
    return tuple(folder for folder in found if folder.is_dir())


def files(kind: Kind, *suffixes: str, root: Path | None = None) -> dict[str, Path]:
    """Every file of a kind with one of these extensions, by its name without the extension, sorted by name.

    A file of the project folder replaces the built-in file of the same name. ConfigError where one folder contains
    two files that differ only in their extension.
    """
    found: dict[str, Path] = {}
    for folder in folders(kind, root):
        here: dict[str, Path] = {}
        for path in sorted(folder.iterdir()):
            if path.suffix not in suffixes or path.name.startswith((".", "_")) or not path.is_file():
                continue
            if path.stem in here:
                raise ConfigError(
                    f"{shown(path)}: {here[path.stem].name} lies beside it; both mean {path.stem!r}",
                    "rename or remove one of the two",
                )
            here[path.stem] = path
        found |= here
    return dict(sorted(found.items()))


def find(path: str, root: Path | None = None) -> Path:
    """Location of a file that the settings name by its path: in the project folder, else from the built-in root."""
    candidates = [one / path for one in (roots()[::-1] if root is None else (root,))]
    return next((one for one in candidates if one.is_file()), candidates[0])


def writable(kind: Kind) -> Path:
    """The folder to which `obs` writes new content of a kind: the project folder's, else the built-in one."""
    return _folder(own() or BUILT_IN, kind)


def shown(path: Path) -> str:
    """A path as messages show it: from the root of its content, built-in or the project's; else unchanged."""
    for root in reversed(roots()):
        if path.is_relative_to(root):
            return str(path.relative_to(root))
    return str(path)


def _folder(root: Path, kind: Kind) -> Path:
    return root / (_BUILT_IN_FOLDERS.get(kind, kind) if root == BUILT_IN else kind)
