"""Every alert on deviations from a system's own normal values, from each system's own raw series.

Days of samples are slow in promtool: series have a value each minute, rules are evaluated every 5 or 15 minutes.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rules.promql import matchers
from tests.rules.course import Piece, counter
from tests.rules.harness import Case, Firing, Says, promtool
from tests.rules.raw import HTTP, Series, distribution, series
from tests.rules.trends import BIRTH, DAY, ERRORS, HOUR, ROUTE, SYSTEMS, answered, case, error, firing, there, time


def new(
    name: str,
    found: Series,
    expect: dict[str, list[Firing]],
    *,
    every: str = "15m",
    says: Says | None = None,
) -> Case:
    return case("NewErrorType", name, found, expect, made=("thresholds", "history"), every=every, says=says)


def series_of_log(name: str, **labels: str) -> str:
    """A series that Loki counts of the service web of depot."""
    return name + matchers({"system": "depot", "service": "web", **labels})


def from_log(name: str, found: Series, expect: dict[str, list[Firing]], says: Says | None = None) -> Case:
    """A case in which NewErrorType reads what Loki counted."""
    return Case(
        name=f"NewErrorType {name}",
        alert="NewErrorType",
        series=found,
        expect=expect,
        load=("trends.yaml", "logs.yaml"),
        made=("thresholds",),
        step="1m",
        every="1m",
        says=says,
    )


def of_type(system: str, kind: str) -> Firing:
    return firing("NewErrorType", "new_error_type", system, kind="type", name=kind)


def of_route(system: str, route: str) -> Firing:
    return firing("NewErrorType", "new_error_type", system, kind="route", name=route)


BORN: Final[Sequence[Piece]] = ((BIRTH, None), (3 * HOUR, 0))
"""With a start of 1: the first value is the only error."""


def _new_errors() -> Iterator[Case]:
    for system in ERRORS:
        expect = {
            time(BIRTH + 14): [],
            time(BIRTH + 15): [of_type(system, "deadlock")],
            time(BIRTH + 59): [of_type(system, "deadlock")],
            time(BIRTH + 60): [],
        }
        told = Says(
            summary=f"{system}: new type of error deadlock",
            description=(
                f"{system} reports errors of type deadlock, which it had not done in the day before. The count is 1."
            ),
        )
        found = there(system) | error(system, "deadlock", *BORN, start=1)
        yield new(f"fires for a type of {system} born at 1, until an hour after", found, expect, says=told, every="5m")
    for system in SYSTEMS:
        found = there(system) | answered(system, "/new", "503", *BORN, start=1)
        if system == "hospital":
            yield new("is not asked of hospital", found, {time(BIRTH + 30): []})
            continue
        told = Says(
            summary=f"{system}: first 5xx of route /new",
            description=(
                f"Route /new of {system} returns 5xx, which it had not done in the day before. The count is 1."
            ),
        )
        expect = {time(BIRTH + 14): [], time(BIRTH + 15): [of_route(system, "/new")]}
        yield new(f"fires for a route of {system} with a first 5xx", found, expect, says=told)
    lines = {series_of_log("app:log_lines:count1m", level="info"): counter((28 * HOUR, 900))}
    group = series_of_log("app:errors_by_fingerprint:count1m", error_kind="0a1")
    grouped = [firing("NewErrorType", "new_error_type", "depot", kind="fingerprint", name="web 0a1")]
    told = Says(
        summary="depot: new error in the log of web 0a1",
        description=(
            "depot logs errors of service and group web 0a1, which it had not done in the day before. The count is 1."
        ),
    )
    yield from_log(
        "fires for a single line with a fingerprint that is new",
        lines | {group: f"_x{BIRTH} 1 _x120"},
        {time(BIRTH + 14): [], time(BIRTH + 16): grouped, time(BIRTH + 58): grouped, time(BIRTH + 62): []},
        says=told,
    )
    yield from_log(
        "is silent about a fingerprint that was logged 20 hours before",
        lines | {group: f"_x{5 * HOUR} 1 _x{20 * HOUR - 1} 1 _x120"},
        {time(BIRTH + 20): [], time(BIRTH + 50): []},
    )
    yield from_log(
        "is silent about a fingerprint of a system with less than a day of lines",
        {series_of_log("app:log_lines:count1m", level="info"): f"_x{2 * HOUR} 900x{26 * HOUR}"}
        | {group: f"_x{BIRTH} 1 _x120"},
        {time(BIRTH + 20): [], time(BIRTH + 50): []},
    )
    yield new(
        "is silent about a route that answers 4xx",
        there("depot") | answered("depot", "/new", "404", *BORN, start=1),
        {time(BIRTH + 30): []},
    )
    yield new(
        "is silent in a system that has been seen for less than a day",
        there("depot", since=2 * HOUR) | error("depot", "deadlock", *BORN, start=1),
        {time(BIRTH + 20): [], time(BIRTH + 50): []},
    )
    yield new(
        "is silent about a type last seen 23 hours ago, before a restart",
        there("depot") | error("depot", "deadlock", (2 * HOUR, 1), (23 * HOUR, None), (2 * HOUR, 0)),
        {time(BIRTH + 20): [], time(BIRTH + 50): []},
    )
    yield new(
        "fires for a type last seen more than a day ago",
        there("depot") | error("depot", "deadlock", (HOUR, 1), (25 * HOUR, None), (2 * HOUR, 0)),
        {time(26 * HOUR + 14): [], time(26 * HOUR + 15): [of_type("depot", "deadlock")]},
    )
    yield new(
        "waits for the first error of a type born at 0",
        there("depot") | error("depot", "deadlock", (BIRTH, None), (30, 0), (1, 1), (HOUR, 0)),
        {time(BIRTH + 44): [], time(BIRTH + 45): [of_type("depot", "deadlock")]},
    )


# Traffic


def unusual(
    name: str,
    found: Series,
    expect: dict[str, list[Firing]],
    *,
    every: str = "15m",
    **more: Any,  # noqa: ANN401
) -> Case:
    made = ("thresholds", "signals", "history")
    return case("UnusualTraffic", name, found, expect, made=made, every=every, **more)


LEVELS: Final = (7, 8, 9, 10, 11, 12, 13)
"""Requests per second on each of seven days: 10 on average, with a variance of 4."""


def swinging(level: float, length: int) -> list[Piece]:
    """Every 15 minutes one request per second more, or less, than the level: a variance of 1 within each hour."""
    return [(15, HOUR * (level + swing)) for swing in (-1, 1) * (length // 30)]


def traffic_of_a_week() -> Series:
    """Seven days of all levels, and an eighth with the tested values; the deviation is the root of 5: 2.236."""
    pieces: list[Piece] = [(1, 0)]
    for day, level in enumerate(LEVELS):
        # A large deviation on the last evening, when there are only six days to compare with.
        evening = [(2 * HOUR, HOUR * 100)] if day == 6 else swinging(level, 2 * HOUR)
        pieces += [*swinging(level, 12 * HOUR), *evening, *swinging(level, 10 * HOUR)]
    tried = (10, 10 + 2.98 * 5**0.5, 10 + 3.02 * 5**0.5, 10, 10 - 2.98 * 5**0.5, 10 - 3.02 * 5**0.5)
    pieces += [(HOUR, HOUR * rate) for rate in tried]
    return answered("depot", "/", "200", *pieces)


def steady(systems: Sequence[str]) -> Series:
    """Constant traffic for a week; then each system in turn has, for an hour, 3.1 % more, and 2.9 % otherwise.

    Their rates are not round numbers, so that rounding leaves some variances that are not exactly 0.
    """
    found: Series = {}
    for index, system in enumerate(systems):
        before, after = HOUR * (index + 1), HOUR * (len(systems) - index)
        shares = ((7 * DAY, 1), (before, 1.029), (HOUR, 1.031), (after, 1.029))
        pieces = ((1, 0), *((count, 1000 / 3 * (index + 1) * share) for count, share in shares))
        found |= answered(system, "/", "200", *pieces)
    return found


USUAL: Final = {"app:http_requests:usual_mean": 10, "app:http_requests:usual_stddev": 5**0.5}


def _traffic() -> Iterator[Case]:
    fires = [firing("UnusualTraffic", "traffic", "depot")]
    week = 7 * DAY
    yield unusual(
        "fires three standard deviations off the last seven days at this hour, above and below",
        traffic_of_a_week(),
        {
            time(6 * DAY + 13 * HOUR): [],
            time(week + 2 * HOUR): [],
            time(week + 2 * HOUR + 29): [],
            time(week + 2 * HOUR + 30): fires,
            time(week + 4 * HOUR): [],
            time(week + 5 * HOUR): [],
            time(week + 5 * HOUR + 29): [],
            time(week + 5 * HOUR + 30): fires,
        },
        values={name: [({"system": "depot"}, round(value, 6))] for name, value in USUAL.items()},
        at=time(week + 2 * HOUR),
    )
    expect: dict[str, list[Firing]] = {}
    for index, system in enumerate(SYSTEMS):
        begin = week + HOUR * (index + 1)
        expect[time(begin + 29)] = []
        expect[time(begin + 30)] = [firing("UnusualTraffic", "traffic", system)]
    yield unusual("takes one percent for the least deviation, of each system alone", steady(SYSTEMS), expect)
    yield unusual(
        "is silent with less than seven days to compare with",
        answered("depot", "/", "200", (7 * DAY - 2 * HOUR, 600), (2 * HOUR, 1200)),
        {time(week - HOUR): [], time(week): []},
    )
    yield unusual(
        "fires when its time is over, and tells both rates and the distance",
        answered("depot", "/", "200", (7 * DAY, 600), (2 * HOUR, 1200)),
        {time(week + 19): [], time(week + 20): fires},
        every="5m",
        says=Says(
            summary="Traffic of depot differs from that of the last week at this hour",
            description=(
                "depot gets 20 requests a second. At this hour of the last seven days it got 10: "
                "it is 100.0 standard deviations off, and 3 are accepted."
            ),
        ),
    )


# Response times


def latencies(system: str, *pieces: tuple[int, float], rate: float = 1) -> Series:
    """Requests whose 95th percentile is so many seconds, for so many minutes each."""
    name, unit = ("http_request_duration_ms", 1000) if system == "print-shop" else ("http_request_duration_seconds", 1)
    labels = {"method": "GET", ROUTE.get(system, "route"): "/"}
    found = {}
    for index, bound in enumerate((*HTTP, None)):
        risen = [
            (count, HOUR * rate * (1 if bound is None else distribution(0.95, at, HTTP)[index]))
            for count, at in pieces
        ]
        le = "+Inf" if bound is None else f"{bound * unit:g}"
        found[series(f"{name}_bucket", system, {**labels, "le": le})] = counter(*risen)
    return found


def slower(name: str, found: Series, expect: dict[str, list[Firing]], **more: Any) -> Case:  # noqa: ANN401
    made = ("thresholds", "signals", "history")
    return case("PerformanceDegradation", name, found, expect, made=made, every="15m", **more)


def _latencies() -> Iterator[Case]:
    # The mean of the day rises with the last hour's values: to 0.203 s within 45 minutes.
    found: Series = {}
    expect: dict[str, list[Firing]] = {}
    for index, system in enumerate(SYSTEMS):
        begin = 25 * HOUR + HOUR * index
        found |= latencies(system, (begin + 1, 0.2), (HOUR, 0.31), (HOUR * (len(SYSTEMS) - index), 0.2))
        expect[time(begin + 44)] = []
        expect[time(begin + 45)] = [firing("PerformanceDegradation", "performance", system)]
    yield slower("fires half above the mean of the day, for each system alone", found, expect)
    found = {}
    for system in SYSTEMS:
        found |= latencies(system, (25 * HOUR, 0.2), (2 * HOUR, 0.298))
    yield slower("is silent just under", found, {time(26 * HOUR): [], time(27 * HOUR): []})
    yield slower(
        "is silent with too little traffic",
        latencies("depot", (25 * HOUR, 0.2), (2 * HOUR, 0.45), rate=0.09),
        {time(26 * HOUR): [], time(27 * HOUR): []},
    )
    yield slower(
        "is silent in a system that has been seen for less than a day",
        latencies("depot", (21 * HOUR, 0.2), (2 * HOUR, 0.45)),
        {time(22 * HOUR): [], time(23 * HOUR): []},
    )
    yield slower(
        "tells both times",
        latencies("depot", (25 * HOUR, 0.2), (2 * HOUR, 0.45)),
        {time(25 * HOUR + 45): [firing("PerformanceDegradation", "performance", "depot")]},
        says=Says(
            summary="depot is slower than on its last day",
            description=(
                "95 % of requests to depot are answered within 450ms; over the last day it was 208.9ms. "
                "More than 150% of that is too slow."
            ),
        ),
    )


# Database queries per request

TABLE: Final = {"studio": {"table": "orders"}}


def queries(system: str, *pieces: tuple[int, float]) -> Series:
    """Ten requests per second, and so many database queries each, for so many minutes."""
    found = answered(system, "/", "200", (sum(count for count, _ in pieces), 10 * HOUR))
    name = series("db_queries_total", system, {"operation": "select", **TABLE.get(system, {}), "status": "success"})
    return found | {name: counter(*((count, 10 * HOUR * each) for count, each in pieces))}


def more_queries(name: str, found: Series, expect: dict[str, list[Firing]], says: Says | None = None) -> Case:
    return Case(
        name=f"QueriesPerRequest {name}",
        alert="QueriesPerRequest",
        series=found,
        expect=expect,
        load=("applications.yaml",),
        made=("thresholds", "signals", "history"),
        step="1m",
        every="15m",
        says=says,
    )


def _queries() -> Iterator[Case]:
    week = 7 * DAY + 2 * HOUR
    fires = {
        system: firing("QueriesPerRequest", "queries_per_request", system, component="database")
        for system in ("depot", "studio")
    }
    found = queries("depot", (week, 2), (HOUR, 5.9), (HOUR, 6.2), (HOUR, 2))
    found |= queries("studio", (week, 2), (2 * HOUR, 5.9), (HOUR, 6.4))
    expect: dict[str, list[Firing]] = {
        time(week + HOUR): [],
        time(week + HOUR + 29): [],
        time(week + HOUR + 30): [fires["depot"]],
        time(week + 2 * HOUR + 29): [],
        time(week + 2 * HOUR + 30): [fires["studio"]],
    }
    yield more_queries("fires above three times the mean of its last week, of each system alone", found, expect)
    yield more_queries(
        "is not compared with less than a week",
        queries("depot", (7 * DAY - 3 * HOUR, 2), (2 * HOUR, 8)),
        {time(7 * DAY - 2 * HOUR): [], time(7 * DAY - HOUR): []},
    )
    yield more_queries(
        "tells the mean of the week",
        queries("depot", (week, 2), (HOUR, 8)),
        {time(week + 30): [fires["depot"]]},
        Says(
            summary="depot: 8 database queries a request",
            description=(
                "depot made 8 database queries a request over the last 5 minutes; 20 are accepted, and 3 times the "
                "mean of the last week, which is 2. A query for each row of a list is the usual cause."
            ),
        ),
    )


CASES: Final = (*_new_errors(), *_traffic(), *_latencies(), *_queries())

test_alerts = promtool(CASES)
