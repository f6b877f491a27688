"""The demo's images: its own, built from this folder, and recipes for the others if they cannot be pulled."""

import hashlib
from collections.abc import Mapping
from typing import Final

from toolchain.recipe import Base, Recipe
from toolchain.recipes.debian import DEBIAN

APP: Final = Recipe(
    repository="observability/demo",
    tag="0.2.0",
    title="The demo",
    own=True,
    base=Base.DEBIAN,
    packages=("python3", "python3-psycopg2", "python3-redis", "python3-prometheus-client"),
    accounts={"demo": 10001},
    sources={"/app/demo": "demo"},
    omitted=("demo/README.md", "demo/compose.yaml", "demo/deploy", "demo/tenant"),
    env={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
    user="10001:10001",
    uid=10001,
    workdir="/app",
    entrypoint=("/usr/bin/python3", "-m", "demo"),
    ports=("3000/tcp", "3001/tcp", "3002/tcp", "3003/tcp", "8080/tcp", "3999/tcp"),
)
"""The five systems, the faults' port and the heartbeat's receiver."""

RECIPES: Final[Mapping[str, Recipe]] = {
    "postgres": DEBIAN["postgres"],
    "redis": DEBIAN["redis"],
    "redis-alawael": DEBIAN["redis"],
    "nginx": DEBIAN["nginx"],
    "app": APP,
    "heartbeat": APP,
}
"""Recipe by the service of `demo/compose.yaml`."""


def app_image() -> str:
    """Reference of the demo's own image. Its tag is a hash of its content: a changed file gives another image."""
    digest = hashlib.sha256()
    for target, path in APP.source_files():
        digest.update(f"{target}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return f"{APP.repository}:{APP.tag}-{digest.hexdigest()[:8]}"
