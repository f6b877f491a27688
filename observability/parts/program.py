"""Images of this project's own programs: Python of Debian, and files of this repository."""

from collections.abc import Iterable, Mapping
from typing import Final

from toolchain.recipe import Base, Recipe

_HEALTH: Final = ("observability/__init__.py", *(f"observability/core/{name}.py" for name in ("__init__", "program")))
"""What every program runs; it imports the standard library only."""


def folder(name: str) -> str:
    """Folder of a program's configuration in the container."""
    return f"/etc/{name}"


def recipe(
    name: str,
    *,
    title: str,
    code: Iterable[str],
    packages: Iterable[str],
    account: Mapping[str, int],
    owned: Mapping[str, int],
    port: int,
) -> Recipe:
    """The image of the program `observability.<name>`: its files of this repository, and Debian's packages."""
    (uid,) = account.values()
    return Recipe(
        repository=f"observability/{name}",
        tag="0.1.0",
        title=title,
        own=True,
        base=Base.DEBIAN,
        packages=("python3", *packages),
        accounts=account,
        owned=owned,
        sources={f"/app/{path}": path for path in (*_HEALTH, *code)},
        env={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONPATH": "/app"},
        user=f"{uid}:{uid}",
        uid=uid,
        entrypoint=("/usr/bin/python3", "-m", f"observability.{name.replace('-', '_')}"),
        cmd=(f"{folder(name)}/current/{name}.json",),
        ports=(f"{port}/tcp",),
    )
