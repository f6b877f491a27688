"""Every business alert on current values, from each system's own raw series."""

from typing import Any, Final

from tests.rules import course
from tests.rules.harness import Case, Firing, Says, promtool
from tests.rules.raw import Series, counter, gauge, series

LOAD: Final = ("business.yaml",)


def firing(alert: str, severity: str, condition: str, system: str, **more: str) -> Firing:
    labels = {"severity": severity, "component": "business", "condition": condition, "system": system, "team": system}
    return Firing(alert=alert, labels={**labels, **more})


def cancelled(share: float, *, rate: float, system: str = "depot") -> Series:
    """Orders per second, and a share of them that is cancelled."""
    return {
        series("orders_created_total", system): counter(rate),
        series("orders_cancelled_total", system): counter(rate * share),
    }


def cancellations(name: str, found: Series, expect: dict[str, list[Firing]], **more: Any) -> Case:  # noqa: ANN401
    alert = "HighCancellationRate"
    return Case(name=f"{alert} {name}", alert=alert, series=found, expect=expect, load=LOAD, **more)


# A rate covers its window after five minutes; at 0.12 per second it reaches 0.1 after four and a half.
HIGH_CANCELLATION_RATE: Final = (
    cancellations(
        "fires when its time is over",
        cancelled(0.102, rate=0.12),
        {"9m": [], "9m30s": [firing("HighCancellationRate", "warning", "cancellation_rate", "depot")]},
        says=Says(
            summary="Many orders of depot are cancelled",
            description=(
                "For every 100 orders placed with depot in the last five minutes, 10.2 were cancelled; "
                "10 are accepted."
            ),
        ),
    ),
    cancellations("is silent just under its limit", cancelled(0.098, rate=10), {"25m": []}),
    cancellations("is silent with too few orders", cancelled(0.5, rate=0.09), {"25m": []}),
    cancellations(
        "is silent about series of print-shop",
        cancelled(0.5, rate=10, system="print-shop"),
        {"25m": []},
        systems=("depot", "print-shop"),
    ),
)


def stock(**figures: float) -> Series:
    """The stock of each article, in one warehouse."""
    return {
        series("inventory_stock_level", "depot", {"sku": sku, "warehouse": "north"}): gauge(left)
        for sku, left in figures.items()
    }


LOW_INVENTORY: Final = (
    Case(
        name="LowInventory fires for the one article that is short, when its time is over",
        alert="LowInventory",
        series=stock(bolt=9, nut=10),
        expect={
            "4m30s": [],
            "5m": [firing("LowInventory", "warning", "inventory", "depot", sku="bolt", warehouse="north")],
        },
        load=LOAD,
        says=Says(
            summary="An item of depot is nearly out of stock",
            description="9 left of the item with sku bolt warehouse north; there should be at least 10.",
        ),
    ),
    Case(
        name="LowInventory is silent at its limit",
        alert="LowInventory",
        series=stock(bolt=10),
        expect={"25m": []},
        load=LOAD,
    ),
    Case(
        name="LowInventory is silent about series of print-shop",
        alert="LowInventory",
        series={series("inventory_stock_level", "print-shop", {"sku": "bolt", "warehouse": "north"}): gauge(1)},
        expect={"25m": []},
        load=LOAD,
        systems=("depot", "print-shop"),
    ),
)


def processed(failed: float, *, rate: float, system: str = "studio") -> Series:
    """Meetings per second, and the share of them that failed."""
    return {
        series("meetings_processed_total", system, {"status": "success"}): counter(rate * (1 - failed)),
        series("meetings_processed_total", system, {"status": "timeout"}): counter(rate * failed),
    }


MEETINGS_FAILING: Final = (
    Case(
        name="MeetingsFailing fires when its time is over",
        alert="MeetingsFailing",
        series=processed(0.102, rate=0.12),
        expect={"9m": [], "9m30s": [firing("MeetingsFailing", "warning", "meetings", "studio")]},
        load=LOAD,
        says=Says(
            summary="Meetings of studio are not processed",
            description=(
                "10.2% of the meetings that studio processed in the last five minutes failed; 10% is accepted."
            ),
        ),
    ),
    Case(
        name="MeetingsFailing is silent just under its limit",
        alert="MeetingsFailing",
        series=processed(0.098, rate=10),
        expect={"25m": []},
        load=LOAD,
    ),
    Case(
        name="MeetingsFailing is silent with too few meetings",
        alert="MeetingsFailing",
        series=processed(0.5, rate=0.09),
        expect={"25m": []},
        load=LOAD,
    ),
    Case(
        name="MeetingsFailing is silent about series of depot",
        alert="MeetingsFailing",
        series=processed(0.5, rate=10, system="depot"),
        expect={"25m": []},
        load=LOAD,
        systems=("studio", "depot"),
    ),
)

DAY: Final = 24 * 60
"""Minutes."""


def tokens(a_day: float, *, system: str = "studio") -> Series:
    """Two days of so many tokens each, three quarters of them prompts; a value each minute."""
    return {
        series("openai_api_tokens_total", system, {"type": kind}): course.counter((2 * DAY, a_day / DAY * share))
        for kind, share in {"prompt": 0.75, "completion": 0.25, "total": 1}.items()
    }


def budget(
    name: str,
    found: Series,
    expect: dict[str, list[Firing]],
    *,
    tokens_per_day: float = 1e6,
    **more: Any,  # noqa: ANN401
) -> Case:
    return Case(
        name=f"TokenBudget {name}",
        alert="TokenBudget",
        series=found,
        expect=expect,
        load=LOAD,
        made=("thresholds", "history"),
        step="1m",
        every="15m",
        settings={"systems": {"studio": {"thresholds": {"tokensPerDay": {"info": tokens_per_day}}}}},
        **more,
    )


TOKEN_BUDGET: Final = (
    # 1,010,000 in 24 hours, from a counter that had begun a minute before: above 1,000,000 after 23 h 46 min.
    budget(
        "fires when a day's tokens are over it and its time is over",
        tokens(1_010_000),
        {"24h14m": [], "24h15m": [firing("TokenBudget", "info", "token_budget", "studio")]},
        says=Says(
            summary="studio is over its daily budget of API tokens",
            description="studio used 1.01M tokens in the last 24 hours; the budget is 1M.",
        ),
    ),
    budget("is silent just under it", tokens(990_000), {"47h": []}),
    budget("is silent within a bigger one", tokens(1_010_000), {"47h": []}, tokens_per_day=1_020_000),
    budget(
        "is silent about series of depot",
        tokens(5_000_000, system="depot"),
        {"47h": []},
        systems=("studio", "depot"),
    ),
)

CASES: Final = (*HIGH_CANCELLATION_RATE, *LOW_INVENTORY, *MEETINGS_FAILING, *TOKEN_BUDGET)

test_alerts = promtool(CASES)
