"""Builds an image on Debian in the engine: first its packages, then the files of the recipe."""

import io
import json
import os
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from docker import DockerClient

from toolchain.cache import cache_dir, log_file
from toolchain.layer import Entry, write_layer
from toolchain.process import ObtainError, last_line
from toolchain.recipe import Recipe
from toolchain.report import Task

LIMIT: Final = 1800.0
"""Seconds that one image may take; most of it is the download of packages."""
_LAYER: Final = "layer.tar"
_INSTRUCTIONS: Final = {"WorkingDir": "WORKDIR", "User": "USER", "StopSignal": "STOPSIGNAL"}
_LISTS: Final = {"Entrypoint": "ENTRYPOINT", "Cmd": "CMD"}


def dockerfile(recipe: Recipe, base: str, settings: dict[str, Any]) -> str:
    """The recipe as a Dockerfile; `settings` are those of the image specification."""
    lines = [f"FROM {base}"]
    steps = ["set -e"]
    for name, number in recipe.accounts.items():
        steps.append(f"groupadd --gid {number} {name}")
        steps.append(f"useradd --uid {number} --gid {number} --no-create-home --home-dir /nonexistent {name}")
    if recipe.packages:
        steps.append("apt-get update")
        install = "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends"
        steps.append(f"{install} {' '.join(recipe.packages)}")
        steps.append("rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb")
    steps += recipe.setup
    lines.append(f"RUN {json.dumps(['/bin/sh', '-c', '; '.join(steps)])}")
    lines.append(f"ADD {_LAYER} /")
    for pair in settings["Env"]:
        name, _, value = pair.partition("=")
        lines.append(f"ENV {name}={json.dumps(value)}")
    lines += [f"{word} {settings[key]}" for key, word in _INSTRUCTIONS.items() if settings.get(key)]
    lines += [f"EXPOSE {port}" for port in settings["ExposedPorts"]]
    lines += [f"VOLUME {json.dumps([path])}" for path in settings["Volumes"]]
    # Always, as the base's own CMD would apply otherwise.
    lines += [f"{word} {json.dumps(settings[key])}" for key, word in _LISTS.items()]
    lines += [f"LABEL {name}={json.dumps(value)}" for name, value in settings["Labels"].items()]
    return "\n".join(lines) + "\n"


def build(client: DockerClient, text: str, entries: list[Entry], reference: str, task: Task) -> None:
    """Build it in the engine; `ObtainError` with the last output line of the failed step."""
    with tempfile.TemporaryDirectory(prefix=".image-", dir=cache_dir()) as folder:
        context = Path(folder, "context.tar")
        write_layer(entries, Path(folder, _LAYER))
        with tarfile.open(context, "w") as out:
            content = text.encode()
            info = tarfile.TarInfo("Dockerfile")
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
            out.add(Path(folder, _LAYER), _LAYER)
        proxies = {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
        with context.open("rb") as handle:
            # The host's network, so that an engine without a container network can install packages too.
            events = client.api.build(
                fileobj=handle, custom_context=True, tag=reference, network_mode="host",
                buildargs=proxies, rm=True, forcerm=True, decode=True,
            )  # fmt: skip
            _follow(events, reference, task)


def _follow(events: Any, reference: str, task: Task) -> None:  # noqa: ANN401 - untyped in docker's library
    deadline = time.monotonic() + LIMIT
    said = ""
    with log_file(f"image-{reference.replace('/', '_')}").open("w") as log:
        for event in events:
            if "error" in event:
                raise ObtainError(f"{last_line(said)}; {last_line(event['error'])} (all of it: {log.name})")
            text = event.get("stream", "")
            log.write(text)
            log.flush()
            said = text if text.strip() else said
            if text.strip():
                task.note(last_line(text, 60))
            if time.monotonic() > deadline:
                raise ObtainError(f"not built after {LIMIT:.0f} s")
