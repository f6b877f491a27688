"""Health of the service: liveness, readiness, and the state of each dependency."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from demo.errors import UnavailableError


@dataclass(frozen=True, kw_only=True)
class Dependency:
    """A dependency of the service; `ping` raises UnavailableError if it does not respond."""

    name: str
    required: bool
    ping: Callable[[], None]


class Health:
    """The responses to /health, /health/ready and /health/live."""

    def __init__(self, dependencies: tuple[Dependency, ...]) -> None:
        self._dependencies = dependencies
        self._started = time.monotonic()

    def answer(self, path: str) -> tuple[HTTPStatus, Mapping[str, object]] | None:
        """Status and document for one of the paths; None for any other."""
        if path == "/health/live":
            # A dependency that is down is no reason to restart the service.
            return HTTPStatus.OK, {"status": "alive"}
        if path not in ("/health", "/health/ready"):
            return None
        states = {dependency.name: _state(dependency) for dependency in self._dependencies}
        down = [dependency for dependency in self._dependencies if states[dependency.name]["status"] != "up"]
        broken = any(dependency.required for dependency in down)
        status = HTTPStatus.SERVICE_UNAVAILABLE if broken else HTTPStatus.OK
        if path == "/health/ready":
            return status, {"status": "not ready" if broken else "ready", "dependencies": states}
        return status, {
            "status": "down" if broken else "degraded" if down else "ok",
            "dependencies": states,
            "uptime_seconds": round(time.monotonic() - self._started, 1),
        }


def _state(dependency: Dependency) -> dict[str, object]:
    start = time.monotonic()
    try:
        dependency.ping()
    except UnavailableError as error:
        return {"status": "down", "required": dependency.required, "reason": str(error)}
    milliseconds = round((time.monotonic() - start) * 1000, 1)
    return {"status": "up", "required": dependency.required, "milliseconds": milliseconds}
