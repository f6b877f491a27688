"""The provider's configuration: which engine it manages, and how it is reached."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from toolchain.docker_host import TLS_FILES
from toolchain.standin.docker_api import Access
from toolchain.standin.schema import Props

MATERIAL: Final[Mapping[str, str]] = dict(zip(("caMaterial", "certMaterial", "keyMaterial"), TLS_FILES, strict=True))
"""Settings with the text of a certificate or key, and the name of its file."""

KNOWN: Final = ("host", "certPath", "sshOpts", "disableDockerDaemonCheck", *MATERIAL, "version")


def failures(given: Props) -> Iterator[tuple[str, str]]:
    """Every setting that is unknown or contradicts another, with the reason."""
    names = [name for name in given if not name.startswith("__")]
    for name in names:
        if name not in KNOWN:
            yield name, f"the stand-in for the Docker plugin does not know the provider's setting {name}"
        elif name in MATERIAL and "certPath" in names:
            yield name, f"{name} conflicts with certPath"
    material = [name for name in MATERIAL if name in names]
    if material and len(material) < len(MATERIAL):
        missing = next(name for name in MATERIAL if name not in names)
        yield material[0], f"{material[0]} needs {missing}"


def access(given: Props) -> Access:
    """How the engine of a complete configuration is reached. Texts of certificates are written to a private folder."""
    folder = Path(given["certPath"]) if given.get("certPath") else None
    if all(given.get(name) for name in MATERIAL):
        folder = Path(tempfile.mkdtemp(prefix="obs-tls-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        for name, file in MATERIAL.items():
            (folder / file).touch(mode=0o600)
            (folder / file).write_text(given[name], encoding="utf-8")
    words = _value(given.get("sshOpts"))
    return Access(
        host=given.get("host"),
        tls_folder=folder,
        ssh_options=tuple(str(word) for word in words) if isinstance(words, list) else (),
        lazy=_value(given.get("disableDockerDaemonCheck")) is True,
    )


def _value(given: object) -> object:
    """A value that is no text: the engine passes it as JSON."""
    found: object = json.loads(given) if isinstance(given, str) and given else given
    return found
