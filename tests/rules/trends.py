"""Cases of alerts on deviations from normal values: lengths in minutes, requests of a system, and what fires."""

from typing import Any, Final

from tests.rules.course import Piece, counter
from tests.rules.harness import Case, Firing
from tests.rules.raw import Series, series

HOUR: Final = 60
DAY: Final = 24 * HOUR
"""Minutes, as for all lengths here."""

SYSTEMS: Final = ("hospital", "depot", "academy", "studio", "print-shop")
ROUTE: Final = {"depot": "path"}
STATUS: Final = {"depot": "status", "studio": "status"}
"""Labels of requests that are not named `route` and `status_code`."""


def firing(alert: str, condition: str, system: str, **more: str) -> Firing:
    labels = {"severity": "info", "component": "application", "condition": condition, "system": system}
    return Firing(alert=alert, labels={**labels, "team": system, **more})


def case(alert: str, name: str, found: Series, expect: dict[str, list[Firing]], **more: Any) -> Case:  # noqa: ANN401
    return Case(
        name=f"{alert} {name}", alert=alert, series=found, expect=expect, load=("trends.yaml",), step="1m", **more
    )


def time(minutes: int) -> str:
    return f"{minutes // DAY}d{minutes % DAY // HOUR}h{minutes % HOUR}m"


def answered(system: str, route: str, status: str, *pieces: Piece, start: float = 0) -> Series:
    """Requests per minute to a route that got a status."""
    labels = {ROUTE.get(system, "route"): route, STATUS.get(system, "status_code"): status}
    name = "http_request_duration_seconds_count" if system == "hospital" else "http_requests_total"
    return {series(name, system, {"method": "GET", **labels}): counter(*pieces, start=start)}


# Errors that are new

BIRTH: Final = 25 * HOUR
"""When something new appears; until then the system has samples of a day and an hour."""

ERRORS: Final = {"depot": "db_errors_total", "studio": "errors_total"}


def there(system: str, *, since: int = 0) -> Series:
    """A system with requests that succeed, and with an error and a 5xx that it has had from the start."""
    before: tuple[Piece, ...] = ((since, None),) if since else ()
    found = answered(system, "/", "200", *before, (30 * HOUR - since, 100))
    found |= answered(system, "/known", "500", *before, (30 * HOUR - since, 1))
    if system in ERRORS:
        found |= error(system, "known", *before, (30 * HOUR - since, 0), start=7)
    return found


def error(system: str, kind: str, *pieces: Piece, start: float = 0) -> Series:
    """Errors of a type."""
    return {series(ERRORS[system], system, {"type": kind}): counter(*pieces, start=start)}
