"""Whether the log files that the settings name exist, on a host that runs and on this machine."""

import glob
import os
from collections.abc import Iterator

import docker
from docker.errors import DockerException

from observability.core import naming
from observability.logs.inputs import Source, sources_of
from observability.operations.parts import Answer
from observability.operations.rows import verdict
from observability.parts.collector import NAME
from observability.parts.otel_collector import TOOLS
from observability.settings.load import StackConfig

MISSING = "no such file on the host; its lines are read once it exists"


def log_files(config: StackConfig, client: docker.DockerClient, host: str | None = None) -> Iterator[Answer]:
    """What the collector of a host sees of each source; `client` is the host's engine."""
    sources = sources_of(config, host) if config.runs(NAME) else ()
    if not sources:
        return
    try:
        container = client.containers.get(naming.container(config.stack, NAME))
        for source in sources:
            command = [f"{TOOLS}/current/busybox", "find", source.file.folder, "-type", "f"]
            output = container.exec_run(command, stderr=False).output
            found = output.decode(errors="replace").splitlines() if isinstance(output, bytes) else []
            yield _answer(source, sum(map(source.file.covers, found)))
    except DockerException as error:
        yield "log files", "failed", f"the collector does not show them: {error}"


def _answer(source: Source, count: int) -> Answer:
    detail = f"{count} file{'' if count == 1 else 's'}" if count else MISSING
    return f"log files {source.file.path} of {source.system}", verdict(count > 0), detail


def local(config: StackConfig) -> Iterator[tuple[str, bool, str]]:
    """The same before anything runs, where this machine is the Docker host; nothing where it is not."""
    if not os.environ.get("DOCKER_HOST", "unix://").startswith("unix://") or not config.runs(NAME):
        return
    for source in sources_of(config):
        found = glob.glob(source.file.path, recursive=True)  # noqa: PTH207 - a pattern from the root
        what, answer, detail = _answer(source, sum(map(os.path.isfile, found)))
        yield what, answer == "passed", detail
