"""Thresholds of the systems' own applications, their business, their security, and their objectives.

What an owner demands has no default: a system has the alert where its file has the value. What keeps an alert from
firing for no reason, such as the least traffic that is judged, has one with its reason.
"""

from collections.abc import Mapping
from typing import Final

from observability.systems.threshold_spec import ThresholdSpec, spec

FLOORS: Final[Mapping[str, ThresholdSpec]] = {
    "event_rate": spec(
        "Events a second, over 5 minutes, without which a share or a percentile is not judged.",
        "per_second",
        floor=True,
        info=0.1,
        warning=0.1,
        critical=0.1,
        reason="30 events in 5 minutes: with fewer, one or two failures are a share that looks like an outage.",
    ),
    "slow_events": spec(
        "Slow events in 5 minutes without which a percentile is not judged.",
        "count",
        floor=True,
        warning=3,
        critical=3,
        reason="One slow request at night is no incident, and two may be one user who tried again.",
    ),
    "failed_events": spec(
        "Failed events in the short window of an alert that wakes someone because of a share or an error budget.",
        "count",
        floor=True,
        critical=10,
        reason="What fails fewer times in 5 minutes can wait for the morning, however large its share.",
    ),
}

APPLICATION: Final[Mapping[str, ThresholdSpec]] = {
    "error_ratio": spec("Share of requests answered 5xx.", "ratio", "warning", "critical", signal="httpRequests"),
    "route_failure_ratio": spec(
        "Share of a route's requests answered 5xx above which the route does not work.",
        "ratio",
        signal="httpRequests",
        warning=0.9,
        reason="Overload fails some requests; what fails nearly always is broken, and the total may not show it.",
    ),
    "route_failed_events": spec(
        "Failed requests of a route in 5 minutes without which the route is not judged.",
        "count",
        signal="httpRequests",
        floor=True,
        warning=10,
        reason="A route may carry too little for the floor of shares; ten failures in a row are no chance.",
    ),
    "client_error_growth": spec(
        "Share of requests answered 4xx against its own last day.",
        "factor",
        signal="httpRequests",
        warning=3,
        reason="The share varies by a factor of two with the callers; three times as many is a change of the system.",
    ),
    "client_error_ratio": spec(
        "Share of requests answered 4xx below which its growth does not matter.",
        "ratio",
        signal="httpRequests",
        floor=True,
        warning=0.1,
        reason="Three times of 1% is still the noise of scanners and mistyped addresses.",
    ),
    "steady_traffic": spec(
        "Requests a second in the least of the hours of the last day from which on there always is some traffic.",
        "per_second",
        signal="httpRequests",
        floor=True,
        critical=0.1,
        reason="At 30 expected requests, 5 minutes with none are no chance.",
    ),
    "failure_rate": spec("Failures a second.", "per_second", "critical", signal="failures"),
    "response_time": spec(
        "Time to answer, by route.", "seconds", "warning", "critical", signal="httpLatency", percentile=True
    ),
    "db_query_time": spec("Time of a query, by operation.", "seconds", "warning", signal="dbLatency", percentile=True),
    "db_pool_ratio": spec("Share of the pool in use.", "ratio", "warning", "critical", signal="dbPool"),
    "db_failure_ratio": spec("Share of queries that failed.", "ratio", "warning", signal="dbQueries"),
    "queries_per_request": spec(
        "Database queries a request.",
        "count",
        signal="dbQueries",
        info=20,
        reason="A list and what belongs to it takes a handful of queries; tens are one query for each row (N+1).",
    ),
    "queries_per_request_growth": spec(
        "Database queries a request against their mean of the last week.",
        "factor",
        signal="dbQueries",
        info=3,
        reason="What users ask for changes the mean by some tens of percent; three times as many is a change of code.",
    ),
    "db_timeouts": spec("Queries out of time in 5 minutes.", "count", "warning", signal="dbTimeouts"),
    "cache_hit_ratio": spec(
        "Share of look-ups found.", "ratio", "warning", "critical", signal="cache", breached="below"
    ),
    "process_memory_ratio": spec(
        "Share of its limit a process uses.", "ratio", "warning", "critical", signal="processMemory.limit"
    ),
    "goroutines": spec("Goroutines of a process.", "count", "warning", signal="goroutines"),
    "event_loop_lag": spec(
        "Delay of the event loop of a process.",
        "seconds",
        signal="eventLoopLag",
        warning=0.5,
        reason="An idle loop is late by some ms; half a second is added to every answer of the process.",
    ),
    "heap_ratio": spec(
        "Share of its limit that the heap of a process uses.",
        "ratio",
        signal="heap.limit",
        warning=0.9,
        reason="From there on the garbage collector takes most of the time, and at the limit the process ends.",
    ),
    "external_api_time": spec(
        "Time of a call of another's API.", "seconds", "warning", signal="externalApis.latency", percentile=True
    ),
    "external_api_failure_ratio": spec("Share of failed calls.", "ratio", "warning", signal="externalApis"),
    "external_api_rate_limit": spec(
        "Calls a minute that the provider of another's API accepts: its rate limit.",
        "count",
        "warning",
        signal="externalApis",
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
        "How far traffic may be from the usual.",
        "deviations",
        signal="httpRequests",
        info=3,
        reason="Chance alone goes beyond three standard deviations in 3 of 1000 cases.",
    ),
    "latency_growth": spec(
        "95th percentile against that of the last day.",
        "factor",
        signal="httpLatency",
        info=1.5,
        reason="Half as much again is felt, and more than the load of a day changes by itself.",
    ),
}

BUSINESS: Final[Mapping[str, ThresholdSpec]] = {
    "orders_week_ratio": spec(
        "Orders an hour against a week ago.", "factor", "warning", signal="orders", breached="below"
    ),
    "usual_orders": spec(
        "Orders in the same hour a week ago without which the present ones are not compared.",
        "count",
        signal="orders",
        floor=True,
        warning=30,
        reason="Of 30 expected orders, chance leaves fewer than half in one hour of 500; of two, in one of ten.",
    ),
    "cancellation_ratio": spec("Orders cancelled to orders placed.", "ratio", "warning", signal="cancellations"),
    "revenue_week_ratio": spec(
        "Revenue of an hour against a week ago.", "factor", "warning", signal="revenue", breached="below"
    ),
    "usual_revenue": spec(
        "USD in the same hour a week ago without which the present revenue is not compared.",
        "count",
        signal="revenue",
        floor=True,
        warning=100,
        reason="An hour that brings less is made of a few sales, and says nothing about the next.",
    ),
    "users_week_ratio": spec(
        "Active users against a week ago.", "factor", "info", signal="activeUsers", breached="below"
    ),
    "usual_users": spec(
        "Active users in the same hour a week ago without which the present ones are not compared.",
        "count",
        signal="activeUsers",
        floor=True,
        info=10,
        reason="Half of a handful of users is one who went home.",
    ),
    "usual_transactions": spec(
        "Transactions in the same hour a week ago from which on 15 minutes without any mean a standstill.",
        "count",
        signal="transactions",
        floor=True,
        critical=40,
        reason="Ten are expected in 15 minutes; chance leaves none in one case of 20,000.",
    ),
    "stock": spec("Stock of an item.", "count", "warning", signal="inventory", breached="below"),
    "meeting_failure_ratio": spec("Share of failed meetings.", "ratio", "warning", signal="meetings"),
    "tokens_per_day": spec("Paid tokens used in a day.", "count", "info", signal="apiTokens"),
}

SECURITY: Final[Mapping[str, ThresholdSpec]] = {
    "auth_failure_rate": spec("Failed sign-ins a second.", "per_second", "warning", "critical", signal="authAttempts"),
    "rate_limited_rate": spec("Requests refused a second.", "per_second", "warning", signal="rateLimited"),
    "suspicious_activity": spec("Suspicious events in 5 minutes.", "count", "critical", signal="suspiciousActivity"),
}

OBJECTIVES: Final[Mapping[str, ThresholdSpec]] = {
    "burn_rate_1h": spec(
        "Burn of an error budget over an hour and 5 minutes, times as fast as it may.",
        "factor",
        critical=14.4,
        reason="An hour of it spends 2% of the budget of 30 days; the table of Google's SRE workbook.",
    ),
    "burn_rate_6h": spec(
        "Burn of an error budget over 6 hours and 30 minutes, times as fast as it may.",
        "factor",
        critical=6,
        reason="6 hours of it spend 5% of the budget of 30 days; the table of Google's SRE workbook.",
    ),
    "burn_rate_1d": spec(
        "Burn of an error budget over a day and 2 hours, times as fast as it may.",
        "factor",
        warning=3,
        reason="A day of it spends 10% of the budget of 30 days; the table of Google's SRE workbook.",
    ),
    "burn_rate_3d": spec(
        "Burn of an error budget over 3 days and 6 hours, times as fast as it may.",
        "factor",
        warning=1,
        reason="What goes on at this rate spends exactly the budget; the table of Google's SRE workbook.",
    ),
}

APPLICATIONS: Final[Mapping[str, ThresholdSpec]] = {**FLOORS, **APPLICATION, **BUSINESS, **SECURITY, **OBJECTIVES}
"""Every one of them by its name."""
