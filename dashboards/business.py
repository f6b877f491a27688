"""Business: a system's own metrics, compared with a week ago and with their thresholds."""

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.common import Panel, graph, number, over_time
from dashboards.figures import figures
from dashboards.layout import Row, assemble
from dashboards.subject import Subject

COMPONENT = 'component="business"'


def business(subject: Subject) -> dashboard.Dashboard | None:
    """The dashboard; None for a system without business metrics."""
    signals = subject.system.signals
    own = figures(subject, "business")
    compared = [
        _against_last_week(
            subject, "Orders", "app:orders:increase1h", "orders_week_ratio", "short", "Orders of the last hour"
        )
        if signals.orders
        else None,
        _against_last_week(
            subject,
            "Revenue",
            "app:revenue_usd:increase1h",
            "revenue_week_ratio",
            "currencyUSD",
            "Revenue of the last hour",
        )
        if signals.revenue
        else None,
        _against_last_week(
            subject,
            "Active Users",
            "app:active_users:avg1h",
            "users_week_ratio",
            "short",
            "Active users, average of the last hour",
        )
        if signals.active_users
        else None,
        _transactions(subject) if signals.transactions else None,
        _cancellations(subject) if signals.cancellations else None,
        _stock(subject) if signals.inventory else None,
        _meetings(subject) if signals.meetings else None,
        _tokens(subject) if signals.api_tokens else None,
    ]
    if not own and not any(compared):
        return None
    alerts = f"{COMPONENT},{subject.alerts}"
    return assemble(
        f"{subject.name}-business",
        f"{subject.system.title}: Business",
        "The system's business metrics.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(alerts),
                    state.firing_since(alerts),
                    _orders_now(subject) if signals.orders else None,
                    _revenue_now(subject) if signals.revenue else None,
                    _users_now(subject) if signals.active_users else None,
                    _transactions_now(subject) if signals.transactions else None,
                    _tokens_now(subject) if signals.api_tokens else None,
                ],
            ),
            Row("Metrics", own),
            Row("Trends and Thresholds", compared),
        ],
        tags=subject.tags,
        links=subject.links,
        alerts=alerts,
        period="24h",
    )


def _orders_now(subject: Subject) -> Panel:
    return number(
        "Orders in the Last Hour", "Orders placed.", "short", over_time(subject.of("app:orders:increase1h"))
    ).decimals(0)


def _revenue_now(subject: Subject) -> Panel:
    return number(
        "Revenue in the Last Hour", "Revenue.", "currencyUSD", over_time(subject.of("app:revenue_usd:increase1h"))
    )


def _users_now(subject: Subject) -> Panel:
    return number("Active Users Now", "Active users.", "short", over_time(subject.of("app:active_users:count")))


def _transactions_now(subject: Subject) -> Panel:
    return number(
        "Transactions in 15 Minutes",
        "Business transactions completed.",
        "short",
        over_time(subject.of("app:transactions:increase15m")),
    ).decimals(0)


def _tokens_now(subject: Subject) -> Panel:
    return number(
        "Tokens in a Day",
        "Paid tokens used in the last 24 hours; coloured above the budget.",
        "short",
        over_time(subject.of("app:api_tokens:increase1d")),
    ).thresholds(subject.colours("tokens_per_day"))


def _against_last_week(subject: Subject, what: str, series: str, ratio: str, unit: str, words: str) -> Panel:
    last_week = f"{subject.of(series)} offset 1w"
    least = f"{last_week} * on (system) group_right () {subject.of(f'app:threshold:{ratio}')}"
    return graph(
        f"{what} Against Last Week",
        f"{words}, in the same hour a week ago, and the least that is expected; the first week has only the present.",
        unit,
        over_time(subject.of(series), "now"),
        over_time(last_week, "a week ago", "B"),
        limits=least if subject.thresholds.get(ratio) else None,
    )


def _transactions(subject: Subject) -> Panel:
    return graph(
        "Transactions Against Last Week",
        "In the last hour, the same hour a week ago, and the last 15 minutes: none in these means stalled.",
        "short",
        over_time(subject.of("app:transactions:increase1h"), "last hour"),
        over_time(f"{subject.of('app:transactions:increase1h')} offset 1w", "a week ago", "B"),
        over_time(subject.of("app:transactions:increase15m"), "last 15 minutes", "C"),
        over_time(subject.of("app:threshold:usual_transactions"), "compared from", "D"),
    )


def _cancellations(subject: Subject) -> Panel:
    return graph(
        "Share of Cancelled Orders",
        "Cancelled orders for each order placed.",
        "percentunit",
        over_time(subject.of("app:cancellations:ratio_rate5m"), "cancelled"),
        limits=subject.limits("cancellation_ratio"),
    )


def _stock(subject: Subject) -> Panel:
    inventory = subject.system.signals.inventory
    item = " ".join(f"{{{{{label}}}}}" for label in inventory.item) if inventory else ""
    return graph(
        "Lowest Stock",
        "The ten items with the lowest stock.",
        "short",
        over_time(f"bottomk(10, {subject.of('app:inventory:count')})", item),
        limits=subject.limits("stock"),
    )


def _meetings(subject: Subject) -> Panel:
    return graph(
        "Share of Failed Meetings",
        "Share of processed meetings that failed.",
        "percentunit",
        over_time(subject.of("app:meeting_failures:ratio_rate5m"), "failed"),
        limits=subject.limits("meeting_failure_ratio"),
    )


def _tokens(subject: Subject) -> Panel:
    return graph(
        "Paid Tokens Against the Budget",
        "Tokens of paid APIs used in 24 hours.",
        "short",
        over_time(subject.of("app:api_tokens:increase1d"), "tokens a day"),
        limits=subject.limits("tokens_per_day"),
    )
