"""Every alert that compares an hour with the same hour a week ago, from each system's own raw series.

A week of samples is slow in promtool: rules are evaluated every 15 minutes, only those of the systems that have the
alert, and in between there are no samples. All systems have 51 % of what they had a week ago, and one after the other
49 % for an hour; so each hour shows that one system's alert fires, and that the others' do not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.rules.course import Piece, counter, gauge
from tests.rules.harness import Case, Firing, Says, promtool
from tests.rules.raw import Series, series

WEEK: Final = 7 * 24 * 60
"""Minutes, as for all lengths here: the series have one value per minute."""

FIRST: Final = 65
"""When the first system has less, after a week. The mean over an hour is below half after another half hour."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One alert, its series by system, and the value of such a series each minute."""

    alert: str
    severity: str
    condition: str
    names: dict[str, str]
    value: float
    says: Says
    gauge: bool = False

    def firing(self, system: str) -> Firing:
        labels = {"severity": self.severity, "component": "business", "condition": self.condition}
        return Firing(alert=self.alert, labels={**labels, "system": system, "team": system})

    def series(self, system: str, *pieces: Piece) -> Series:
        """The system's series; the pieces are shares of the usual value."""
        scaled = [(count, None if share is None else share * self.value) for count, share in pieces]
        return {series(self.names[system], system): (gauge if self.gauge else counter)(*scaled)}

    def case(self, name: str, found: Series, expect: dict[str, list[Firing]], says: Says | None = None) -> Case:
        return Case(
            name=f"{self.alert} {name}",
            alert=self.alert,
            series=found,
            expect=expect,
            load=("business.yaml",),
            # Only the gauge is read through its signal.
            made=("thresholds", "signals", "history") if self.gauge else ("thresholds", "history"),
            step="1m",
            every="15m",
            says=says,
        )


FIGURES: Final = (
    Figure(
        alert="LowOrderRate",
        severity="warning",
        condition="order_rate",
        names={"depot": "orders_created_total", "print-shop": "orders_created_total"},
        value=10,
        says=Says(
            summary="depot has far fewer orders than a week ago",
            description=(
                "depot took 180 orders in the last hour; in the same hour a week ago it took 600. "
                "Less than 50% of that is too few."
            ),
        ),
    ),
    Figure(
        alert="RevenueDrop",
        severity="warning",
        condition="revenue",
        names={
            "depot": "revenue_usd_total",
            "academy": "revenue_usd_total",
            "print-shop": "order_total_amount",
        },
        value=200,
        says=Says(
            summary="depot has far less revenue than a week ago",
            description=(
                "depot earned 3600 USD in the last hour; in the same hour a week ago it earned 12000 USD. "
                "Less than 50% of that is too little."
            ),
        ),
    ),
    Figure(
        alert="LowUserActivity",
        severity="info",
        condition="user_activity",
        names={
            "depot": "active_users",
            "academy": "users_online",
            "studio": "active_users",
            "print-shop": "active_users",
        },
        value=80,
        gauge=True,
        says=Says(
            summary="depot has far fewer active users than a week ago",
            description=(
                "depot had 24 active users on average over the last hour; in the same hour a week ago it had 80. "
                "Less than 50% of that is too few."
            ),
        ),
    ),
)


def time(minutes: int) -> str:
    """So many minutes after a week."""
    return f"7d{minutes // 60}h{minutes % 60}m"


def one_after_the_other(figure: Figure) -> Case:
    """An hour of 49 % for each, one after the other; the values of a week ago include the following hour."""
    found: Series = {}
    expect: dict[str, list[Firing]] = {}
    length = 60 * len(figure.names) + 120
    for index, system in enumerate(figure.names):
        begin = FIRST + 60 * index
        before, after = begin + 60, length + 60 - begin
        found |= figure.series(
            system, (length + 61, 1), (WEEK - length - 121, None), (before, 0.51), (60, 0.49), (after, 0.51)
        )
        expect[time(begin + 54)] = []
        expect[time(begin + 55)] = [figure.firing(system)]
        expect[time(begin + 84)] = [figure.firing(system)]
    return figure.case("is about one system's hour under half of a week ago", found, expect)


def says(figure: Figure) -> Case:
    """A single system with 30 %, and the text of its alert."""
    found = figure.series("depot", (181, 1), (WEEK - 241, None), (240, 0.3))
    return figure.case("tells both hours", found, {time(120): [figure.firing("depot")]}, figure.says)


def without_history(figure: Figure) -> Case:
    """Half a day of samples, of which the last hours have almost no traffic."""
    found: Series = {}
    for system in figure.names:
        found |= figure.series(system, (300, 1), (300, 0.01))
    return figure.case("is silent without history", found, {"9h": []})


def gone(figure: Figure) -> Case:
    """The counter ended hours ago; before, it rose as it did a week ago."""
    found = figure.series("depot", (301, 1), (WEEK - 361, None), (60, 1))
    return figure.case("takes a counter that is gone for none", found, {time(180): [figure.firing("depot")]})


TRANSACTIONS: Final = {
    "hospital": series("erp_transactions_total", "hospital", {"domain": "crm", "type": "invoice"}),
    "academy": series("transactions_processed_total", "academy"),
}


def stalled(system: str) -> Firing:
    labels = {"severity": "critical", "component": "business", "condition": "transactions"}
    return Firing(alert="TransactionsStalled", labels={**labels, "system": system, "team": system})


def transactions(name: str, now: Series, expect: dict[str, list[Firing]], says: Says | None = None) -> Case:
    return Case(
        name=f"TransactionsStalled {name}",
        alert="TransactionsStalled",
        series=now,
        expect=expect,
        load=("business.yaml",),
        made=("thresholds", "history"),
        step="1m",
        every="15m",
        says=says,
    )


def after_a_week(system: str, each: float, *pieces: Piece) -> Series:
    """So many transactions per minute a week ago, and the pieces from the end of the week on."""
    return {TRANSACTIONS[system]: counter((301, each), (WEEK - 301, None), *pieces)}


def _transactions() -> Iterator[Case]:
    yield transactions(
        "fires when hospital's last is 15 minutes ago, while academy has one in 15 minutes",
        after_a_week("hospital", 2, (61, 2), (60, 0), (60, 1))
        | after_a_week("academy", 2, *((2, 0), (1, 1), (12, 0)) * 16),
        {time(89): [], time(90): [stalled("hospital")], time(134): [stalled("hospital")], time(135): []},
        says=Says(
            summary="hospital processes no transactions",
            description=(
                "hospital has processed no transaction for 15 minutes; in the same hour a week ago it processed 120."
            ),
        ),
    )
    yield transactions(
        "fires when academy's counter is gone, not for hospital, which had none a week ago either",
        after_a_week("hospital", 0, (61, 2), (120, 0)) | after_a_week("academy", 2, (61, 2)),
        {time(89): [], time(90): [stalled("academy")], time(150): [stalled("academy")]},
    )
    yield transactions(
        "is silent without history",
        {series: counter((300, 2), (300, 0)) for series in TRANSACTIONS.values()},
        {"9h": []},
    )


def _cases() -> Iterator[Case]:
    for figure in FIGURES:
        yield one_after_the_other(figure)
        yield says(figure)
        yield without_history(figure)
        if not figure.gauge:
            yield gone(figure)
    yield from _transactions()


CASES: Final = tuple(_cases())

test_alerts = promtool(CASES)
