"""A circuit breaker: while a dependency is down, only one attempt at a time checks whether it is up again."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from demo.errors import UnavailableError

T = TypeVar("T")


class Breaker:
    """Guards one dependency. `failures` are the exceptions that count; after one, attempts are `pause` seconds apart.

    Without it, every request would wait for the full time-out of a name or address that does not respond.
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
        """The action's result; UnavailableError if it fails, or has just failed for another caller."""
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
            # Not a failure of the dependency, so it did respond.
            self._settle(None)
            raise
        self._settle(None)
        return result

    def _settle(self, reason: str | None) -> None:
        with self._lock:
            self._reason = reason
            self._trying = False
            self._next = self._clock() + self._pause
