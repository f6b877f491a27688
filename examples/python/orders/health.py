"""Health: whether the process lives, whether it can serve, and the state of each dependency."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, kw_only=True)
class Dependency:
    """A dependency; `ping` raises where it does not respond. Without one that is not required, requests succeed."""

    name: str
    required: bool
    ping: Callable[[], object]


class Health:
    """The answers of /health, /health/ready and /health/live: a status and a document."""

    def __init__(self, *dependencies: Dependency) -> None:
        self._dependencies = dependencies
        self._started = time.monotonic()
        self.stopping = False

    def live(self) -> tuple[int, dict[str, object]]:
        """A dependency that is down is no reason to restart the process."""
        return 200, {"status": "alive", "timestamp": _now()}

    def ready(self) -> tuple[int, dict[str, object]]:
        """Whether requests should be sent here."""
        states = {one.name: _state(one) for one in self._dependencies if one.required}
        down = any(state["status"] != "up" for state in states.values())
        word = "stopping" if self.stopping else "not ready" if down else "ready"
        return (200 if word == "ready" else 503), {"status": word, "timestamp": _now(), "dependencies": states}

    def full(self) -> tuple[int, dict[str, object]]:
        """Everything. Degraded is no failure: what is required works."""
        states = {one.name: _state(one) for one in self._dependencies}
        down = [one for one in self._dependencies if states[one.name]["status"] != "up"]
        word = "down" if any(one.required for one in down) else "degraded" if down else "ok"
        return (503 if word == "down" else 200), {
            "status": word,
            "timestamp": _now(),
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            "dependencies": states,
        }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _state(dependency: Dependency) -> dict[str, object]:
    start = time.perf_counter()
    state: dict[str, object] = {"status": "up", "required": dependency.required}
    try:
        dependency.ping()
    except Exception as error:  # noqa: BLE001 - whatever it is, it does not respond; its type says enough
        state |= {"status": "down", "reason": type(error).__name__}
    return state | {"milliseconds": round((time.perf_counter() - start) * 1000, 1)}
