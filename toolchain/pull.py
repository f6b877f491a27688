"""Pulls one image and reports progress."""

import time
from typing import Any, Final

from docker.errors import DockerException

from toolchain.cache import lock, refusal, remember_refusal
from toolchain.engine import connect
from toolchain.process import ObtainError, last_line
from toolchain.report import Report, Task

SILENCE_LIMIT: Final = 60.0
"""Seconds that a registry may send nothing while an image is pulled."""
PULL_LIMIT: Final = 1800.0
"""Seconds that the pull of one image may take."""


def pull_one(reference: str, report: Report) -> ObtainError | None:
    """Pull one image; skipped if it was refused lately."""
    earlier = refusal(reference)
    if earlier:
        return ObtainError(earlier)
    try:
        with lock(f"pull-{reference.replace('/', '_')}"), report.task(f"pulling {reference}") as task:
            _follow(reference, task)
    except (ObtainError, DockerException, OSError) as error:
        failure = ObtainError(last_line(str(getattr(error, "explanation", None) or error)))
        remember_refusal(reference, str(failure))
        return failure
    return None


def ask_for(reference: str) -> ObtainError | None:
    """Why the registry does not provide the image, None if it does; nothing is pulled.

    A registry that refused it in the last day is not queried again.
    """
    earlier = refusal(reference)
    if earlier:
        return ObtainError(earlier)
    try:
        connect(SILENCE_LIMIT).client.images.get_registry_data(reference)
    except (ObtainError, DockerException, OSError) as error:
        failure = ObtainError(last_line(str(getattr(error, "explanation", None) or error)))
        remember_refusal(reference, str(failure))
        return failure
    return None


def _follow(reference: str, task: Task) -> None:
    """Pull and report progress; stop if the registry sends nothing or takes too long."""
    client = connect(SILENCE_LIMIT).client
    repository, _, tag = reference.rpartition(":")
    if "@" in reference:
        repository, _, tag = reference.rpartition("@")
    deadline = time.monotonic() + PULL_LIMIT
    layers: dict[str, tuple[int, int]] = {}
    event: dict[str, Any]
    for event in client.api.pull(repository, tag=tag, stream=True, decode=True):
        if "error" in event:
            raise ObtainError(event["error"])
        detail = event.get("progressDetail") or {}
        if event.get("status") == "Downloading" and "total" in detail:
            layers[event["id"]] = (detail["current"], detail["total"])
            done, total = (sum(numbers) / 1e6 for numbers in zip(*layers.values(), strict=True))
            task.note(f"{done:.0f} of {total:.0f} MB")
        if time.monotonic() > deadline:
            raise ObtainError(f"not there after {PULL_LIMIT:.0f} s")
