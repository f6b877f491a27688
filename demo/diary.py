"""Logs of a simulated system: its failed and its slow requests, and once a minute the number of requests."""

import logging
from typing import Final

from demo.log import RequestIds, request_ids
from demo.systems.profile import Route

SLOW_SECONDS: Final = 2.0
MINUTE: Final = 60.0

_log = logging.getLogger("http")


class Diary:
    """The log lines of one system, in the format of the shop."""

    def __init__(self, system: str) -> None:
        self._system = system
        self._requests = 0
        self._due: float | None = None

    def answered(self, route: Route, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests += 1
        slow = seconds > SLOW_SECONDS
        if status < 500 and not slow:
            return
        with request_ids(RequestIds.of(None, None)):
            _log.log(
                logging.ERROR if status >= 500 else logging.WARNING,
                "slow request" if slow else "request",
                extra={
                    "system": self._system,
                    "method": route.method,
                    "route": route.template,
                    "status_code": status,
                    "duration_ms": round(seconds * 1000, 1),
                },
            )

    def tick(self, now: float) -> None:
        """Log the number of requests if a minute has passed (`now` in seconds since 1970)."""
        if self._due is None or now >= self._due:
            _log.info("requests answered", extra={"system": self._system, "requests": self._requests})
            self._requests = 0
            self._due = now + MINUTE
