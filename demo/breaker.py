"""Not waiting for what is away: while it does not answer, one attempt at a time finds out whether it is back."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from demo.errors import UnavailableError

T = TypeVar("T")


class Breaker:
    """Guards one dependency. Failures are the exceptions named; a second passes between attempts after one.

    Without it, every request would wait its own time for a name or an address that nobody answers for.
    """

    def __init__(
        self,
        name: str,
        failures: tuple[type[Exception], ...],
        pause: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._failures = failures
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._reason: str | None = None
        self._trying = False
        self._next = 0.0

    def attempt(self, action: Callable[[], T]) -> T:
        """What the action gives; UnavailableError where it fails or has just failed for somebody else."""
        with self._lock:
            if self._reason is not None:
                if self._trying or self._clock() < self._next:
                    raise UnavailableError(self._reason)
                self._trying = True
        try:
            result = action()
        except self._failures as error:
            reason = f"{self._name}: {' '.join(str(error).split()) or type(error).__name__}"
            self._settle(reason)
            raise UnavailableError(reason) from error
        except BaseException:
            # Not the dependency's failure, so it answered.
            self._settle(None)
            raise
        self._settle(None)
        return result

    def _settle(self, reason: str | None) -> None:
        with self._lock:
            self._reason = reason
            self._trying = False
            self._next = self._clock() + self._pause
