"""How tests wait: for a condition, with a limit that ends a test that hangs and says nothing of speed."""

import time
from collections.abc import Callable
from typing import Any, Final

import httpx

HANG_SECONDS: Final = 1800
"""The limit of every wait. Speed is what `make bench` measures."""


def until(condition: Callable[[], Any], seconds: float = HANG_SECONDS) -> Any:  # noqa: ANN401
    """The first true answer of the condition; a server that does not answer is asked again."""
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
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s; last: {last!r}")
