"""Every part: the files of this folder, and of `parts/` in a project folder."""

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from observability.core.errors import ConfigError
from observability.parts.model import Allowance, Image, Part, Store
from toolchain.recipe import KNOWN

AnyPart = Part[Any, Any]

_HERE: Final = Path(__file__).resolve().parent
_NOT_PARTS: Final = frozenset({"__init__", "model", "registry", "images"})


@cache
def parts() -> Mapping[str, AnyPart]:
    """Every part by name: the required servers first, then by name. ConfigError for an invalid file.

    Side effect: the build recipes of their images are registered with the toolchain.
    """
    found: dict[str, AnyPart] = {}
    for folder in _folders():
        for path in sorted(folder.glob("*.py")):
            part = _load(path)
            if part is None:
                continue
            if part.name in found:
                raise ConfigError(f"{path.name}: there is a part {part.name!r} already", "give PART another name")
            found[part.name] = part
    ordered = sorted(found.values(), key=lambda part: (not part.essential, part.name))
    KNOWN.update({image.name: image.recipe for part in ordered for image in part.images if image.recipe})
    return MappingProxyType({part.name: part for part in ordered})


def stores() -> Mapping[str, Store[Any]]:
    """The servers of watched systems that the parts read, by the scrape job."""
    return {part.store.job: part.store for part in parts().values() if part.store}


def images() -> Mapping[str, Image]:
    """Every image by the name of the service that runs it."""
    return {image.name: image for part in parts().values() for image in part.images}


def allowances() -> tuple[Allowance, ...]:
    """Every exemption from a confinement rule that a part states."""
    return tuple(allowance for part in parts().values() for allowance in part.allowances)


def _folders() -> Iterator[Path]:
    yield _HERE
    from observability.core import project

    yield from (folder for folder in project.folders("parts") if folder != _HERE)


def _load(path: Path) -> AnyPart | None:
    """The part that a file defines; None for the modules of this folder that define none."""
    if path.parent == _HERE:
        if path.stem in _NOT_PARTS:
            return None
        found = getattr(importlib.import_module(f"observability.parts.{path.stem}"), "PART", None)
        return found if isinstance(found, Part) else None
    name = f"obs_project_parts_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(
            f"parts/{path.name}: cannot be loaded: {type(error).__name__}: {error}", "fix the file at that place"
        ) from error
    found = getattr(module, "PART", None)
    if not isinstance(found, Part):
        raise ConfigError(f"parts/{path.name}: defines no PART", "see docs/guide.md for the form of a part")
    return found
