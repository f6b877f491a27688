"""Thresholds of applications, business, security and SLOs.

Thresholds that a system's owner sets have no default: a system has the alert if its file has the value. Those that
prevent false alarms, such as the minimum traffic, have a default with its reason.
"""

from collections.abc import Mapping
from typing import Final

from observability.systems.threshold_spec import ThresholdSpec, spec

FLOORS: Final[Mapping[str, ThresholdSpec]] = {
    "event_rate": spec(
        "Minimum of events a second, over 5 minutes, for a share or a percentile.",
        "per_second",
        floor=True,
        info=0.1,
        warning=0.1,
        critical=0.1,
        reason="30 events in 5 minutes: with fewer, one or two failures are a large share.",
    ),
    "slow_events": spec(
        "Minimum of slow events in 5 minutes for a percentile.",
        "count",
        floor=True,
        warning=3,
        critical=3,
        reason="One slow request at night is no incident, and two may be one user who retried.",
    ),
    "failed_events": spec(
        "Minimum of failed events in the short window of an alert on a share or an error budget that pages.",
        "count",
        floor=True,
        critical=10,
        reason="Fewer failures in 5 minutes can wait for working hours, however large their share.",
    ),
}

APPLICATION: Final[Mapping[str, ThresholdSpec]] = {
    "error_ratio": spec("Share of requests with a 5xx status.", "ratio", "warning", "critical", signal="httpRequests"),
    "route_failure_ratio": spec(
        "Share of a route's requests with a 5xx status above which the route does not work.",
        "ratio",
        signal="httpRequests",
        warning=0.9,
        reason="Overload fails some requests; a route that fails nearly always is broken, which the total may hide.",
    ),
    "route_failed_events": spec(
        "Minimum of failed requests of a route in 5 minutes.",
        "count",
        signal="httpRequests",
        floor=True,
        warning=10,
        reason="A route may have too little traffic for event_rate; ten failures are not chance.",
    ),
    "client_error_growth": spec(
        "Share of requests with a 4xx status, relative to the last day.",
        "factor",
        signal="httpRequests",
        warning=3,
        reason="The share varies by a factor of two with the clients; a factor of three is a change of the system.",
    ),
    "client_error_ratio": spec(
        "Share of requests with a 4xx status below which its growth is ignored.",
        "ratio",
        signal="httpRequests",
        floor=True,
        warning=0.1,
        reason="Three times 1% is still the noise of scanners and mistyped addresses.",
    ),
    "steady_traffic": spec(
        "Requests a second in the lowest hour of the last day from which on a system always has traffic.",
        "per_second",
        signal="httpRequests",
        floor=True,
        critical=0.1,
        reason="With 30 expected requests, 5 minutes without any are not chance.",
    ),
    "failure_rate": spec("Failures a second.", "per_second", "critical", signal="failures"),
    "response_time": spec(
        "Response time, by route.", "seconds", "warning", "critical", signal="httpLatency", percentile=True
    ),
    "db_query_time": spec("Time of a query, by operation.", "seconds", "warning", signal="dbLatency", percentile=True),
    "db_pool_ratio": spec("Share of the pool in use.", "ratio", "warning", "critical", signal="dbPool"),
    "db_failure_ratio": spec("Share of queries that failed.", "ratio", "warning", signal="dbQueries"),
    "queries_per_request": spec(
        "Database queries for each request.",
        "count",
        signal="dbQueries",
        info=20,
        reason="A list page needs a few queries; tens mean one query for each row (N+1).",
    ),
    "queries_per_request_growth": spec(
        "Database queries for each request, relative to the average of the last week.",
        "factor",
        signal="dbQueries",
        info=3,
        reason="The mix of requests changes the average by some tens of percent; a factor of three is a code change.",
    ),
    "db_timeouts": spec("Timed-out queries in 5 minutes.", "count", "warning", signal="dbTimeouts"),
    "cache_hit_ratio": spec("Cache hit ratio.", "ratio", "warning", "critical", signal="cache", breached="below"),
    "process_memory_ratio": spec(
        "Memory of a process as a share of its limit.", "ratio", "warning", "critical", signal="processMemory.limit"
    ),
    "goroutines": spec("Goroutines of a process.", "count", "warning", signal="goroutines"),
    "event_loop_lag": spec(
        "Delay of the event loop of a process.",
        "seconds",
        signal="eventLoopLag",
        warning=0.5,
        reason="An idle loop has a lag of some ms; half a second is added to every response of the process.",
    ),
    "heap_ratio": spec(
        "Heap of a process as a share of its limit.",
        "ratio",
        signal="heap.limit",
        warning=0.9,
        reason="Above it garbage collection takes most of the time, and at the limit the process exits.",
    ),
    "external_api_time": spec(
        "Duration of a call to an external API.", "seconds", "warning", signal="externalApis.latency", percentile=True
    ),
    "external_api_failure_ratio": spec("Share of failed calls.", "ratio", "warning", signal="externalApis"),
    "external_api_rate_limit": spec(
        "Calls a minute that the provider of another's API accepts: its rate limit.",
        "count",
        "warning",
        signal="externalApis",
        per_api=True,
    ),
    "external_api_rate_limit_ratio": spec(
        "Share of the rate limit that the calls use.",
        "ratio",
        signal="externalApis",
        warning=0.8,
        reason="A fifth is left for a burst within the minute, which a mean of 5 minutes does not show.",
    ),
    "integration_failure_ratio": spec("Share of failed events.", "ratio", "info", signal="integrations"),
    "traffic_deviations": spec(
        "Deviation of the traffic from the usual.",
        "deviations",
        signal="httpRequests",
        info=3,
        reason="By chance 3 of 1000 values exceed three standard deviations.",
    ),
    "latency_growth": spec(
        "95th percentile relative to that of the last day.",
        "factor",
        signal="httpLatency",
        info=1.5,
        reason="An increase by half is noticeable, and more than the daily variation.",
    ),
}

BUSINESS: Final[Mapping[str, ThresholdSpec]] = {
    "orders_week_ratio": spec(
        "Orders an hour relative to a week ago.", "factor", "warning", signal="orders", breached="below"
    ),
    "usual_orders": spec(
        "Minimum of orders in the same hour a week ago for a comparison.",
        "count",
        signal="orders",
        floor=True,
        warning=30,
        reason="With 30 expected orders, fewer than half occur by chance in one hour of 500; with two, in one of ten.",
    ),
    "cancellation_ratio": spec("Orders cancelled to orders placed.", "ratio", "warning", signal="cancellations"),
    "revenue_week_ratio": spec(
        "Revenue of an hour relative to a week ago.", "factor", "warning", signal="revenue", breached="below"
    ),
    "usual_revenue": spec(
        "Minimum of USD in the same hour a week ago for a comparison.",
        "count",
        signal="revenue",
        floor=True,
        warning=100,
        reason="Less is the revenue of a few sales, which varies by chance.",
    ),
    "users_week_ratio": spec(
        "Active users relative to a week ago.", "factor", "info", signal="activeUsers", breached="below"
    ),
    "usual_users": spec(
        "Minimum of active users in the same hour a week ago for a comparison.",
        "count",
        signal="activeUsers",
        floor=True,
        info=10,
        reason="A few users vary by chance.",
    ),
    "usual_transactions": spec(
        "Transactions in the same hour a week ago from which on 15 minutes without any raise an alert.",
        "count",
        signal="transactions",
        floor=True,
        critical=40,
        reason="With ten expected in 15 minutes, none occurs by chance in one case of 20,000.",
    ),
    "stock": spec("Stock of an item.", "count", "warning", signal="inventory", breached="below"),
    "meeting_failure_ratio": spec("Share of failed meetings.", "ratio", "warning", signal="meetings"),
    "tokens_per_day": spec("Paid tokens used in a day.", "count", "info", signal="apiTokens"),
}

SECURITY: Final[Mapping[str, ThresholdSpec]] = {
    "auth_failure_rate": spec("Failed sign-ins a second.", "per_second", "warning", "critical", signal="authAttempts"),
    "rate_limited_rate": spec(
        "Requests a second rejected by a rate limit.", "per_second", "warning", signal="rateLimited"
    ),
    "suspicious_activity": spec("Suspicious events in 5 minutes.", "count", "critical", signal="suspiciousActivity"),
}

OBJECTIVES: Final[Mapping[str, ThresholdSpec]] = {
    "burn_rate_1h": spec(
        "Burn rate of an error budget over an hour and 5 minutes.",
        "factor",
        critical=14.4,
        reason="An hour uses 2% of the budget of 30 days; from Google's SRE workbook.",
    ),
    "burn_rate_6h": spec(
        "Burn rate of an error budget over 6 hours and 30 minutes.",
        "factor",
        critical=6,
        reason="6 hours use 5% of the budget of 30 days; from Google's SRE workbook.",
    ),
    "burn_rate_1d": spec(
        "Burn rate of an error budget over a day and 2 hours.",
        "factor",
        warning=3,
        reason="A day uses 10% of the budget of 30 days; from Google's SRE workbook.",
    ),
    "burn_rate_3d": spec(
        "Burn rate of an error budget over 3 days and 6 hours.",
        "factor",
        warning=1,
        reason="At this rate exactly the budget is used; from Google's SRE workbook.",
    ),
}

APPLICATIONS: Final[Mapping[str, ThresholdSpec]] = {**FLOORS, **APPLICATION, **BUSINESS, **SECURITY, **OBJECTIVES}
"""All of them, by name."""
