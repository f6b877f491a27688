"""Makes images from recipes; except for those on Debian, without a base image and without network."""

import hashlib
import io
import json
import os
import platform
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from docker import DockerClient

from toolchain import base, debootstrap, dockerfile
from toolchain.cache import cache_dir
from toolchain.layer import Entry, file, folder, write_layer
from toolchain.process import ObtainError
from toolchain.recipe import Base, Recipe
from toolchain.report import Report

LABEL: Final = "io.observability.built-locally"
"""Label of an image that was built here; its value is the version of the recipe."""
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def entries(recipe: Recipe) -> Iterator[Entry]:
    """The files that the recipe adds to its base."""

    def owner(path: str) -> int:
        return recipe.uid if any(path.startswith(f"{top}/") for top in recipe.owned) else 0

    if recipe.build is not None:
        for path, command in recipe.binaries.items():
            yield file(path, recipe.build.folder / "bin" / command, 0o755, owner(path))
        for path, kept in recipe.files.items():
            yield file(path, recipe.build.folder / "files" / kept, 0o644, owner(path))
    for path, source in recipe.source_files():
        yield file(path, source, 0o755 if os.access(source, os.X_OK) else 0o644, owner(path))
    for path, mode in recipe.owned.items():
        yield folder(path, mode, recipe.uid)


def settings(recipe: Recipe) -> dict[str, Any]:
    """The image's configuration, in the form of the image specification."""
    return {
        "User": recipe.user,
        "Env": [f"{name}={value}" for name, value in {"PATH": _PATH, **recipe.env}.items()],
        "WorkingDir": recipe.workdir or "/",
        "Entrypoint": list(recipe.entrypoint),
        "Cmd": list(recipe.cmd),
        "Volumes": {path: {} for path in recipe.volumes},
        "ExposedPorts": {port: {} for port in recipe.ports},
        "Labels": {
            LABEL: recipe.version,
            "org.opencontainers.image.title": recipe.title,
            "org.opencontainers.image.version": recipe.tag,
        },
        **({"StopSignal": recipe.stop_signal} if recipe.stop_signal else {}),
    }


def make(client: DockerClient, recipe: Recipe, reference: str, report: Report) -> None:
    """Make the image available in the engine under exactly this reference."""
    with report.task(f"assembling {reference}") as task:
        if recipe.base is not Base.DEBIAN:
            load(client, recipe, reference)
            return
        beneath = debootstrap.obtain(client, report)
        text = dockerfile.dockerfile(recipe, beneath, settings(recipe))
        dockerfile.build(client, text, list(entries(recipe)), reference, task)


def load(client: DockerClient, recipe: Recipe, reference: str) -> None:
    """Assemble the image and load it into the engine; the same build gives the same image."""
    architecture = client.version()["Arch"]
    if architecture != _ARCHITECTURES.get(platform.machine()):
        raise ObtainError(f"the engine runs on {architecture}, and this machine builds for {platform.machine()}")
    if recipe.build is None:
        raise ObtainError("its recipe builds nothing")
    cache_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".image-", dir=cache_dir()) as work:
        layer, archive = Path(work, "layer.tar"), Path(work, "image.tar")
        write_layer([*base.entries(recipe.base), *entries(recipe)], layer)
        built = datetime.fromtimestamp(recipe.build.folder.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with layer.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        config = json.dumps(
            {
                "architecture": architecture,
                "os": "linux",
                "created": built,
                "config": settings(recipe),
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
                "history": [{"created": built, "created_by": f"toolchain recipe {recipe.version}"}],
            }
        ).encode()
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        manifest = [{"Config": name, "RepoTags": [reference], "Layers": ["layer.tar"]}]
        with tarfile.open(archive, "w") as out:
            for path, content_bytes in ((name, config), ("manifest.json", json.dumps(manifest).encode())):
                info = tarfile.TarInfo(path)
                info.size = len(content_bytes)
                out.addfile(info, io.BytesIO(content_bytes))
            out.add(layer, "layer.tar")
        with archive.open("rb") as image:
            client.images.load(image)
