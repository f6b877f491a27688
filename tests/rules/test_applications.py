"""Every application alert, for every system that has it, from the system's own raw series.

The table is that of the requirements; each of its entries becomes the cases that `cases` lists.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rules.promql import matchers
from tests.rules.condition import Condition, Row
from tests.rules.conditions import CONDITIONS
from tests.rules.harness import Case, Firing, Says, promtool
from tests.rules.measures import Shape
from tests.rules.raw import HTTP, STEP, Series, counter, gauge, native, series

LOAD = ("applications.yaml", "processes.yaml", "external_apis.yaml")
FLOOR = 0.1
"""Events per second that a share or a percentile needs."""

LATE = 1320
"""Seconds after which every alert's wait is over, however slowly its figure rises."""


def cases(*, every_system: bool) -> Iterator[Case]:
    """The cases of each row for every system that has it, or for the first of them."""
    for condition in CONDITIONS:
        for row in condition.rows:
            for system in [*row.limits][: None if every_system else 1]:
                yield _fires(condition, row, system)
                yield _just_short(condition, row, system)
                yield _of_another(condition, row, system)
                if condition.floor:
                    yield _with_traffic(condition, row, system, "just enough", 1.05)
                    yield _with_traffic(condition, row, system, "too little", 0.95)


def _value(condition: Condition, limit: float, by: float) -> float:
    """A value beyond the limit by a share of it; within it if the share is negative."""
    return limit * (1 - by if condition.below else 1 + by)


def _series(
    condition: Condition,
    system: str,
    value: float,
    rate: float,
    *,
    labelled: str | None = None,
    quantile: float | None = None,
) -> Series:
    quantile = quantile or condition.quantile.get(system, 0.95)
    return condition.measure(Shape(like=system, system=labelled or system, rate=rate, quantile=quantile), value)


def _floor(row: Row, value: float) -> float:
    """Events per second that the alert needs at this value: those of a share, and those of so many failures."""
    return max(FLOOR, row.failures / (300 * value))


def _firings(condition: Condition, system: str, value: float, after: int, rate: float = 10) -> list[Firing]:
    """The alerts on this figure that fire after so many seconds of this value at so many events per second."""
    labels = {"component": condition.component, "condition": condition.name, "system": system, "team": system}
    labels |= {label: value.format(system=system) for label, value in condition.labels.items()}
    labels |= condition.labels_of.get(system, {})
    return [
        Firing(alert=row.alert, labels={**labels, "severity": row.severity})
        for row in condition.rows
        if condition.breached(row, system, value)
        and after >= condition.begin + row.wait_of(system)
        and (not condition.floor or rate >= _floor(row, value))
    ]


def _time(seconds: int) -> str:
    return f"{seconds // 60}m{seconds % 60}s"


def _fires(condition: Condition, row: Row, system: str) -> Case:
    """Two percent beyond the limit: when its wait is over, and not 30 seconds earlier."""
    value = _value(condition, row.limits[system], 0.02)
    over = condition.begin + row.wait_of(system)
    return Case(
        name=f"{row.alert} of {system} fires when its time is over",
        alert=row.alert,
        series=_series(condition, system, value, 10),
        expect={_time(time): _firings(condition, system, value, time) for time in (over - STEP, over)},
        load=LOAD,
        says=Says(summary=row.summary, description=row.description) if system == next(iter(row.limits)) else None,
    )


def _just_short(condition: Condition, row: Row, system: str) -> Case:
    """Two percent within the limit, for a long time."""
    value = _value(condition, row.limits[system], -0.02)
    return Case(
        name=f"{row.alert} of {system} is silent just short of its limit",
        alert=row.alert,
        series=_series(condition, system, value, 10),
        expect={_time(LATE): _firings(condition, system, value, LATE)},
        load=LOAD,
        every="1m",
    )


def _with_traffic(condition: Condition, row: Row, system: str, how_much: str, times: float) -> Case:
    """Far beyond the limit, with so many times the events per second that the alert needs."""
    value = _value(condition, row.limits[system], 0.3)
    quantile = None
    if condition.percentile:
        # Half of the events are slow: more than the three that a percentile needs.
        value, quantile = _value(condition, row.limits[system], 0.02), 0.5
    rate = times * _floor(row, value)
    return Case(
        name=f"{row.alert} of {system} with {how_much} traffic",
        alert=row.alert,
        series=_series(condition, system, value, rate, quantile=quantile),
        expect={_time(LATE): _firings(condition, system, value, LATE, rate)},
        load=LOAD,
        every="1m",
    )


def _of_another(condition: Condition, row: Row, system: str) -> Case:
    """The same series of another system: one that accepts the value, or that has no such limit."""
    value = _value(condition, row.limits[system], 0.02)
    others = ("depot", "academy", "studio", "print-shop", "hospital", "elsewhere")
    fine = (
        name
        for name in others
        if name != system and not any(condition.breached(other, name, value) for other in condition.rows)
    )
    other = next(fine)
    return Case(
        name=f"{row.alert} of {system} is silent about series of {other}",
        alert=row.alert,
        series=_series(condition, system, value, 10, labelled=other),
        expect={_time(LATE): []},
        load=LOAD,
        every="1m",
        systems=(system, other),
    )


def _timeouts() -> Iterator[Case]:
    """A single query timeout is enough."""
    labels = {"severity": "warning", "component": "database", "condition": "db_timeouts"}
    firing = Firing(alert="DatabaseTimeouts", labels={**labels, "system": "depot", "team": "depot"})
    timeouts, up = series("db_timeouts_total", "depot"), series("up", "depot")
    for name, found, expect in (
        ("fires for one query", {timeouts: "5x10 6x40"}, {"6m": [], "6m30s": [firing], "9m": [firing], "12m": []}),
        ("sees a counter born at 1", {timeouts: "_x10 1x40"}, {"5m30s": [], "6m": [firing], "12m": []}),
        ("sees one born in a target that was there", {timeouts: "_x20 1x40", up: "1x60"}, {"11m": [firing]}),
        ("is silent about what is counted from before", {timeouts: "5x60"}, {"5m": [], "12m": []}),
        (
            "is silent about a counter that could not be read before",
            {timeouts: "5x4 _x20 6x40", up: "1x4 0x19 1x40"},
            {"13m30s": [], "15m": [], "20m": []},
        ),
        (
            "is silent about queries of studio",
            {
                series("db_timeouts_total", "studio"): counter(1),
                series("up", "depot"): "1x60",
                series("go_goroutines", "depot"): "5x60",
            },
            {"10m": []},
        ),
    ):
        says = Says(
            summary="depot: database queries time out",
            description=(
                "Number of database queries of depot that timed out in the last 5 minutes: 1. Accepted are 0."
            ),
        )
        yield Case(
            name=f"DatabaseTimeouts {name}",
            alert="DatabaseTimeouts",
            series=found,
            expect=expect,
            load=LOAD,
            systems=("depot", "studio"),
            says=says if any(expect.values()) else None,
        )


def _environments() -> Iterator[Case]:
    """The threshold of an environment overrides that of the system's file."""
    (errors,) = (condition for condition in CONDITIONS if condition.name == "error_rate")
    for warning, critical, share, fires in (("20%", "30%", 0.15, False), ("1%", "30%", 0.03, True)):
        yield Case(
            name=f"HighErrorRate of depot where its environment accepts {warning}",
            alert="HighErrorRate",
            series=_series(errors, "depot", share, 10),
            # Alerts that fire at 6 % by the system's own file: the warning, without the critical.
            expect={_time(LATE): _firings(errors, "depot", 0.06, LATE) if fires else []},
            load=LOAD,
            settings={
                "systems": {"depot": {"thresholds": {"errorRatio": {"warning": warning, "critical": critical}}}}
            },
        )


def _native() -> Iterator[Case]:
    """A histogram may be a native one, regardless of the system's file."""
    (times,) = (condition for condition in CONDITIONS if condition.name == "response_time")
    for value in (0.98, 1.02):
        labels = {"method": "GET", "path": "/orders"}
        yield Case(
            name=f"HighResponseTime of depot from a native histogram whose percentile is {value} s",
            alert="HighResponseTime",
            series=native(
                "http_request_duration_seconds",
                "depot",
                labels,
                quantile=0.95,
                at=value,
                rate=1,
                bounds=HTTP,
            ),
            expect={_time(LATE): _firings(times, "depot", value, LATE)},
            load=LOAD,
        )


def _apart() -> Iterator[Case]:
    """An alert on a route or an instance does not fire for the others."""
    (times,) = (condition for condition in CONDITIONS if condition.name == "response_time")
    (pool,) = (condition for condition in CONDITIONS if condition.name == "db_pool")
    slow, quick = _series(times, "academy", 3, 0.05), _series(times, "academy", 0.05, 10)
    yield Case(
        name="HighResponseTime is silent about a quiet route beside a busy one",
        alert="HighResponseTime",
        series=slow | {text.replace("/orders", "/home"): values for text, values in quick.items()},
        expect={_time(LATE): []},
        load=LOAD,
    )
    full, idle = _series(pool, "depot", 0.9, 0), _series(pool, "depot", 0.1, 0)
    yield Case(
        name="DatabasePoolUsage names the instance and counts no other",
        alert="DatabasePoolUsage",
        series=full | {text.replace("depot-1:", "depot-2:"): values for text, values in idle.items()},
        expect={_time(LATE): _firings(pool, "depot", 0.9, LATE)},
        load=LOAD,
    )


def _one_good_scrape() -> Iterator[Case]:
    """A gauge that is within the limit in one scrape of many neither resolves an alert nor restarts its wait."""
    for name, bad, good in (("event_loop_lag", 0.8, 0.01), ("heap_usage", 0.95, 0.4)):
        (condition,) = (condition for condition in CONDITIONS if condition.name == name)
        (row,) = condition.rows
        wait = row.wait_of("academy")
        worse, better = (_series(condition, "academy", value, 0) for value in (bad, good))
        # A scrape every 15 seconds: one during the wait is within the limit, and one while the alert fires.
        waits = wait // 15
        course = [bad] * 8 + [good] + [bad] * (waits - 4) + [good] + [bad] * 12
        found = {
            text: values if values == better[text] else _pieces(course, worse[text], better[text], bad)
            for text, values in worse.items()
        }
        firing = _firings(condition, "academy", bad, wait)
        end = 15 * len(course)
        yield Case(
            name=f"{row.alert} outlasts a scrape in which all is well",
            alert=row.alert,
            series=found,
            expect={_time(wait - 15): [], **{_time(at): firing for at in range(wait, end, 15)}},
            load=LOAD,
            step="15s",
            every="5s",
        )


def _pieces(course: Sequence[float], worse: str, better: str, bad: float) -> str:
    """One sample of either gauge for each value of the course."""
    values = {True: worse.partition("x")[0], False: better.partition("x")[0]}
    return " ".join(values[value == bad] for value in course)


def _rate_limits() -> Iterator[Case]:
    """Two external APIs, each with its own rate limit: 500 calls a minute to openai, 100 to maps."""
    (limits,) = (condition for condition in CONDITIONS if condition.name == "external_api_rate_limit")
    of = {"system": "studio", "api": "maps"}
    limit = "app:threshold:external_api_rate_limit" + matchers({**of, "team": "studio", "severity": "warning"})
    for openai, maps, which in ((0.6, 90, "maps"), (0.9, 70, "openai"), (0.6, 79, "")):
        firings = _firings(limits, "studio", 0.9, LATE)
        yield Case(
            name=f"ApiRateLimitNear with {openai:.0%} of the limit of openai and {maps} % of that of maps",
            alert="ApiRateLimitNear",
            series={
                **_series(limits, "studio", openai, 0),
                "app:external_api_calls:rate5m" + matchers(of): gauge(maps / 60),
                limit: gauge(100),
            },
            expect={
                _time(LATE): [replace(one, labels={**one.labels, "api": which}) for one in firings] if which else []
            },
            load=LOAD,
        )


_OTHERS = [*_rate_limits(), *_timeouts(), *_environments(), *_native(), *_apart(), *_one_good_scrape()]

CASES = [*cases(every_system=False), *_OTHERS]
"""Rules are the same for all systems, whose signals are tested in `test_signals`."""

EVERY_CASE = [*cases(every_system=True), *_OTHERS]

test_alerts = promtool(CASES)
