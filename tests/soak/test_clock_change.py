"""Alerts that compare hours, in the days after the clocks of the customers change, which UTC does not.

Customers do the same at the same time by their clock every day. The clocks change on the Sunday of the first week at
01:00 UTC; time 0 is a Monday, 00:00 UTC. A value every 5 minutes, rules are evaluated as often.
"""

from collections.abc import Callable, Iterator
from typing import Final

from tests.rules.harness import Case, Firing, promtool

HOURLY: Final = (
    *(5, 5, 5, 5, 5, 5, 10, 30, 70, 100, 110, 110),
    *(105, 105, 100, 100, 100, 95, 95, 90, 85, 70, 40, 20),
)
"""Orders an hour at each full hour by the clock of the customers, from midnight on; in between they change evenly.

At 22:00 there are 40 and at 23:00 20, then 10 at midnight; so the rise in the morning is steeper than the fall.
"""

OFFICE: Final = (*(0,) * 7, *(120,) * 10, *(0,) * 7)
"""The same of a system that is used from 7 to 17 o'clock only."""

DAY: Final = 24 * 12
"""Values, one every 5 minutes."""

WEEK: Final = 7 * DAY
CHANGE: Final = 6 * DAY + 12
"""Sunday, 01:00 UTC."""

AUTUMN: Final = (2, 1)
SPRING: Final = (1, 2)
"""Hours by which the clock is ahead of UTC, before and after it changes: Berlin's."""

OF: Final = '{system="depot"}'
FIRED: Final = 'count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[3d]))'
"""Evaluated at the end of the second Tuesday: the Sunday of the change, and two days."""


def by_the_clock(hourly: tuple[int, ...], clock: tuple[int, int], at: int) -> float:
    """The value at a time, which is a number of 5 minutes since the start."""
    local = at / 12 + clock[at >= CHANGE]
    hour, part = int(local) % 24, local % 1
    return hourly[hour] + (hourly[(hour + 1) % 24] - hourly[hour]) * part


def course(hourly: tuple[int, ...], clock: tuple[int, int], *, times: float = 1, now: float = 1) -> str:
    """Nine days; `now`: the share of the usual from the second Monday on."""
    values = (by_the_clock(hourly, clock, at) * times * (now if at >= WEEK else 1) for at in range(WEEK + 2 * DAY + 1))
    return " ".join(f"{value:.6g}" for value in values)


def total(hourly: tuple[int, ...], clock: tuple[int, int], minutes: int, *, stop: int | None = None) -> str:
    """The sum over so many minutes of what comes at these rates an hour; none from `stop` on."""
    steps = minutes // 5
    rates = [
        0.0 if stop is not None and at >= stop else by_the_clock(hourly, clock, at) / 12
        for at in range(-steps, WEEK + 2 * DAY + 1)
    ]
    return " ".join(f"{sum(rates[index : index + steps]):.6g}" for index in range(len(rates) - steps))


def case(name: str, alert: str, found: dict[str, str], load: str = "business.yaml", **more: object) -> Case:
    made: tuple[str, ...] = ("thresholds", "history") if load == "trends.yaml" else ("thresholds",)
    return Case(
        name=f"{alert} {name}",
        alert=alert,
        series=found,
        load=(load,),
        made=made,
        systems=("depot", "hospital"),
        step="5m",
        every="5m",
        at="9d",
        **more,  # type: ignore[arg-type]  # fields of a case
    )


Course = Callable[[tuple[int, int], float], dict[str, str]]
"""The series of a clock, with a share of the usual from the second Monday on."""


def orders(clock: tuple[int, int], now: float) -> dict[str, str]:
    return {f"app:orders:increase1h{OF}": course(HOURLY, clock, now=now)}


def revenue(clock: tuple[int, int], now: float) -> dict[str, str]:
    # Of a system with orders, so many are needed for a comparison.
    return orders(clock, 1) | {f"app:revenue_usd:increase1h{OF}": course(HOURLY, clock, times=80, now=now)}


def users(clock: tuple[int, int], now: float) -> dict[str, str]:
    return {f"app:active_users:avg1h{OF}": course(HOURLY, clock, now=now)}


def traffic(clock: tuple[int, int], now: float) -> dict[str, str]:
    return {f"app:http_requests:rate5m{OF}": course(HOURLY, clock, times=0.1, now=now)}


COMPARED: Final[dict[str, tuple[Course, str, str, str, str]]] = {
    "LowOrderRate": (orders, "business.yaml", "warning", "business", "order_rate"),
    "RevenueDrop": (revenue, "business.yaml", "warning", "business", "revenue"),
    "LowUserActivity": (users, "business.yaml", "info", "business", "user_activity"),
    "UnusualTraffic": (traffic, "trends.yaml", "info", "application", "traffic"),
}
"""By alert: its series, its file, its severity, its component and its condition."""


def _cases() -> Iterator[Case]:
    for alert, (of, load, severity, component, condition) in COMPARED.items():
        for name, clock in (("back", AUTUMN), ("forward", SPRING)):
            found = of(clock, 1)
            yield case(f"is silent when the clocks go {name}", alert, found, load, values={FIRED: []})
        labels = {"severity": severity, "component": component, "condition": condition}
        firing = Firing(alert=alert, labels={**labels, "system": "depot", "team": "depot"})
        yield case(
            "fires on the Monday after a change with two fifths of the usual",
            alert,
            of(AUTUMN, 0.4),
            load,
            expect={"7d12h": [firing], "7d14h": [firing]},
        )
    yield from _stalled()


def _stalled() -> Iterator[Case]:
    """Transactions during office hours only: none in 15 minutes is an alert within them."""
    of = '{system="hospital"}'
    hour, quarter = f"app:transactions:increase1h{of}", f"app:transactions:increase15m{of}"
    for name, clock in (("back", AUTUMN), ("forward", SPRING)):
        found = {hour: total(OFFICE, clock, 60), quarter: total(OFFICE, clock, 15)}
        yield case(f"is silent when the clocks go {name}", "TransactionsStalled", found, values={FIRED: []})
    labels = {"severity": "critical", "component": "business", "condition": "transactions"}
    firing = Firing(alert="TransactionsStalled", labels={**labels, "system": "hospital", "team": "hospital"})
    stop = WEEK + 10 * 12
    yield case(
        "fires on the Monday after a change 15 minutes after the last transaction",
        "TransactionsStalled",
        {hour: total(OFFICE, AUTUMN, 60, stop=stop), quarter: total(OFFICE, AUTUMN, 15, stop=stop)},
        expect={"7d10h10m": [], "7d10h20m": [firing], "7d12h": [firing]},
    )


CASES: Final = tuple(_cases())

test_alerts = promtool(CASES)
