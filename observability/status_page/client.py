"""Queries to Prometheus, each with a deadline."""

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from observability.status_page.model import MEASURED, Component, State

TIMEOUT: Final = 5.0
"""Seconds that Prometheus may take for an answer."""

STEP: Final = 60
"""Seconds between two points of the history."""

LARGEST: Final = 4_000_000
"""Bytes of the largest response that is read."""

_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without a proxy: Prometheus is on the stack's network, or on this machine."""

Ask = Callable[[str, Mapping[str, str]], Any]
"""Requests a path of Prometheus with parameters; the JSON of the response, or NoAnswerError."""


class NoAnswerError(Exception):
    """Prometheus does not answer, or its answer is not usable."""


def asker(url: str) -> Ask:
    """Requests to the Prometheus at this address."""

    def ask(path: str, params: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
        wanted = f"{url}{path}?{urllib.parse.urlencode(params)}"
        try:
            with _OPENER.open(wanted, timeout=TIMEOUT) as answer:
                return json.loads(answer.read(LARGEST))
        except urllib.error.HTTPError as error:
            # Prometheus says what is wrong with a query.
            raise NoAnswerError(f"status {error.code}: {error.read(1000).decode(errors='replace')}") from error
        except (OSError, ValueError) as error:
            raise NoAnswerError(str(error)) from error

    return ask


def measured(ask: Ask, component: Component, at: datetime) -> State:
    """The state of a component at a time; unknown where nothing is measured."""
    params = {"query": component.query, "time": f"{at.timestamp():.3f}"}
    found = _result(ask("/api/v1/query", params))
    return _state(found[0]["value"][1]) if found else "unknown"


def course(ask: Ask, component: Component, start: datetime, end: datetime) -> list[tuple[float, State]]:
    """The states of a component from `start` until before `end`, every STEP seconds, where something was measured."""
    params = {
        "query": component.query,
        "start": f"{start.timestamp():.0f}",
        "end": f"{end.timestamp() - 1:.0f}",
        "step": str(STEP),
    }
    found = _result(ask("/api/v1/query_range", params))
    points = ((float(at), _state(value)) for series in found for at, value in series["values"])
    return [(at, state) for at, state in points if state != "unknown"]


def _result(answer: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    try:
        found = answer["data"]["result"]
    except (KeyError, TypeError) as error:
        raise NoAnswerError("its answer has no result") from error
    if not isinstance(found, list):
        raise NoAnswerError("its answer has no result")
    return found


def _state(value: str) -> State:
    number = float(value)
    return "unknown" if math.isnan(number) else MEASURED[round(min(max(number, 0), len(MEASURED) - 1))]
