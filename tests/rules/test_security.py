"""Every security alert, from depot's own raw series."""

from collections.abc import Mapping
from typing import Final

from tests.rules import course
from tests.rules.harness import Case, Firing, Says, promtool
from tests.rules.raw import COUNT, Series, counter, gauge, series

LONG: Final = "25m"
"""When every alert's wait is over."""


def firing(alert: str, severity: str, condition: str, **more: str) -> Firing:
    labels = {"severity": severity, "component": "security", "condition": condition}
    return Firing(alert=alert, labels={**labels, "system": "depot", "team": "depot", **more})


def case(alert: str, name: str, found: Series, expect: Mapping[str, list[Firing]], says: Says | None = None) -> Case:
    """A case in which the rules of another system are loaded too."""
    return Case(
        name=f"{alert} {name}",
        alert=alert,
        series=found,
        expect=expect,
        load=("security.yaml",),
        systems=("depot", "studio"),
        says=says,
    )


def attempts(failed: float, *, system: str = "depot") -> Series:
    """Ten successful sign-ins per second, and so many more that fail for various reasons."""
    rates = {"success": 10.0, "failure": failed / 2, "locked": failed / 2}
    return {series("auth_attempts_total", system, {"result": result}): counter(rate) for result, rate in rates.items()}


SPIKE: Final = "AuthenticationFailureSpike"
MANY: Final = firing(SPIKE, "warning", "auth_failures")
TOO_MANY: Final = firing(SPIKE, "critical", "auth_failures")

# A rate covers its window after five minutes.
AUTHENTICATION: Final = (
    case(
        SPIKE,
        "is a warning after five minutes",
        attempts(0.51),
        {"9m30s": [], "10m": [MANY], LONG: [MANY]},
        Says(
            summary="Many sign-ins to depot fail",
            description=(
                "0.51 sign-ins a second to depot fail, of 10.51 attempts a second; "
                "0.5 a second is accepted; above 5 a second it is critical."
            ),
        ),
    ),
    case(
        SPIKE,
        "is critical after two minutes",
        attempts(5.1),
        {"6m30s": [MANY], "7m": [TOO_MANY, MANY], LONG: [TOO_MANY, MANY]},
        Says(
            summary="Many sign-ins to depot fail",
            description=(
                "5.10 sign-ins a second to depot fail, of 15.10 attempts a second; "
                "0.5 a second is accepted; above 5 a second it is critical."
            ),
        ),
    ),
    case(SPIKE, "is no more than a warning just under the critical limit", attempts(4.9), {LONG: [MANY]}),
    case(SPIKE, "is silent just under its limit", attempts(0.49), {LONG: []}),
    case(SPIKE, "is silent about series of studio", attempts(20, system="studio"), {LONG: []}),
)


def refused(rate: float, *, system: str = "depot") -> Series:
    """So many refused requests per second, on two routes."""
    return {
        series("rate_limit_exceeded_total", system, {"route": route}): counter(rate / 2)
        for route in ("/login", "/orders")
    }


LIMIT: Final = "RateLimitViolations"

RATE_LIMIT: Final = (
    case(
        LIMIT,
        "fires when its time is over",
        refused(1.02),
        {"9m30s": [], "10m": [firing(LIMIT, "warning", "rate_limit")]},
        Says(
            summary="depot rejects many requests by rate limit",
            description=(
                "depot rejects 1.02 requests a second because their clients exceed the rate limit; "
                "1 a second is accepted."
            ),
        ),
    ),
    case(LIMIT, "is silent just under its limit", refused(0.98), {LONG: []}),
    case(LIMIT, "is silent about series of studio", refused(10, system="studio"), {LONG: []}),
)

SUSPICIOUS: Final = "SuspiciousActivity"


def suspicious(values: str, *, system: str = "depot", there: str = gauge(1)) -> Series:
    """A counter of one kind of suspicious event, and whether its target is up."""
    return {
        series("suspicious_activity_total", system, {"kind": "sql_injection"}): values,
        series("up", system): there,
    }


# The first value is at ten minutes.
BORN: Final = course.counter((20, None), (COUNT, 0), start=1)

SUSPICIOUS_ACTIVITY: Final = (
    case(
        SUSPICIOUS,
        "fires with the scrape that shows a counter born at 1, for five minutes",
        suspicious(BORN),
        {
            "9m30s": [],
            "10m": [firing(SUSPICIOUS, "critical", "suspicious_activity", kind="sql_injection")],
            "14m30s": [firing(SUSPICIOUS, "critical", "suspicious_activity", kind="sql_injection")],
            "15m30s": [],
        },
        Says(
            summary="depot reports suspicious activity",
            description=(
                "depot counted about 1 suspicious events in the last five minutes, kind sql_injection. Accepted are 0."
            ),
        ),
    ),
    case(
        SUSPICIOUS,
        "fires when a counter rises by one",
        suspicious(course.counter((20, 0), (1, 1), (20, 0), start=7)),
        {"9m30s": [], "10m": [firing(SUSPICIOUS, "critical", "suspicious_activity", kind="sql_injection")]},
    ),
    case(SUSPICIOUS, "is silent while a counter stands", suspicious(course.counter((COUNT, 0), start=7)), {LONG: []}),
    case(
        SUSPICIOUS,
        "is silent about a counter that comes with its target",
        suspicious(BORN, there=course.gauge((20, None), (40, 1))),
        {"10m": [], "12m": [], "15m": [], LONG: []},
    ),
    case(SUSPICIOUS, "is silent about series of studio", suspicious(BORN, system="studio"), {"10m": [], "12m": []}),
)

CASES: Final = (*AUTHENTICATION, *RATE_LIMIT, *SUSPICIOUS_ACTIVITY)

test_alerts = promtool(CASES)
