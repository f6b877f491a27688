"""The version of this package, read from pyproject.toml."""

import tomllib
from functools import cache

from observability.core.project import BUILT_IN


@cache
def version() -> str:
    """The version, like `0.2.0`."""
    document = tomllib.loads((BUILT_IN / "pyproject.toml").read_text(encoding="utf-8"))
    return str(document["project"]["version"])
