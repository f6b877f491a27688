"""How tests wait: for a condition, with a limit that only ends a hanging test and does not check speed."""

import time
from collections.abc import Callable
from typing import Any, Final

import httpx

HANG_SECONDS: Final = 900
"""The limit of every wait. Speed is what `make bench` measures."""


def until(condition: Callable[[], Any], seconds: float = HANG_SECONDS, *, pause: float = 0.1) -> Any:  # noqa: ANN401
    """The first true result of the condition, asked every `pause` seconds; retried while a server does not respond."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = condition()
        except httpx.HTTPError as error:
            last = error
        else:
            if last:
                return last
        time.sleep(pause)
    raise AssertionError(f"not within {seconds} s; last: {last!r}")
