"""The alerts that each kind of fault must raise."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple


class Alert(NamedTuple):
    """An alert of the rules, with one of its severities."""

    name: str
    severity: Literal["critical", "warning", "info"]


BURN: Final = (Alert("SLOErrorBudgetBurn", "critical"), Alert("SLOErrorBudgetBurn", "warning"))
"""Failing or slow requests use up an error budget; how soon this alerts depends on the previous hours."""

PERFORMANCE: Final = Alert("PerformanceDegradation", "info")
TRAFFIC: Final = Alert("UnusualTraffic", "info")
REVENUE: Final = Alert("RevenueDrop", "warning")
FAILURES: Final = Alert("HighFailureRate", "critical")

CLIENT_ERRORS: Final = Alert("HighClientErrorRate", "warning")
ERROR_RATE: Final = (Alert("CriticalErrorRate", "critical"), Alert("HighErrorRate", "warning"))

_ERRORS: Final = Alert("HighErrorRate", "warning")
_RESPONSE: Final = Alert("HighResponseTime", "warning")
_POOL: Final = Alert("DatabasePoolUsage", "warning")
_CACHE: Final = Alert("LowCacheHitRate", "warning")
_MEMORY: Final = Alert("HighMemoryUsage", "warning")
_SIGN_IN: Final = Alert("AuthenticationFailureSpike", "warning")

MINUTES: Final[Mapping[str, int]] = {
    "LowCacheHitRate": 14,
    "CriticalCacheHitRate": 14,
    "IntegrationIssues": 14,
    "HeapNearLimit": 14,
    "NewErrorType": 17,
    "TransactionsStalled": 20,
    "UnusualTraffic": 20,
    "QueriesPerRequest": 20,
    "TokenBudget": 20,
    "PerformanceDegradation": 35,
    # The hourly value is half that of a week ago only after the fault has lasted most of the hour.
    "LowOrderRate": 45,
    "RevenueDrop": 45,
    "LowUserActivity": 55,
}
"""How long a fault lasts before its alert fires, where that is more than `SOON`."""

SOON: Final = 10
"""Five minutes of waiting at most, and the time until a rate over five minutes shows the fault."""

_Alerts = tuple[Alert, ...]

RAISED: Final[Mapping[str, tuple[_Alerts, _Alerts]]] = {
    "high-error-rate": ((_ERRORS,), BURN),
    "critical-error-rate": ((Alert("CriticalErrorRate", "critical"), _ERRORS), BURN),
    "route-failing": ((Alert("RouteFailing", "warning"),), BURN),
    "high-client-error-rate": ((CLIENT_ERRORS,), (TRAFFIC,)),
    "high-failure-rate": ((FAILURES,), ()),
    "high-response-time": ((_RESPONSE,), (*BURN, PERFORMANCE)),
    "critical-response-time": ((Alert("CriticalResponseTime", "critical"), _RESPONSE), (*BURN, PERFORMANCE)),
    "slow-database-queries": ((Alert("SlowDatabaseQueries", "warning"),), ()),
    "database-pool-usage": ((_POOL,), ()),
    "database-pool-exhausted": ((Alert("DatabasePoolExhausted", "critical"), _POOL), ()),
    "database-errors": ((Alert("DatabaseErrors", "warning"),), ()),
    "queries-per-request": ((Alert("QueriesPerRequest", "info"),), ()),
    "database-timeouts": ((Alert("DatabaseTimeouts", "warning"),), ()),
    "low-cache-hit-rate": ((_CACHE,), ()),
    "critical-cache-hit-rate": ((Alert("CriticalCacheHitRate", "critical"), _CACHE), ()),
    "high-memory-usage": ((_MEMORY,), ()),
    "critical-memory-usage": ((Alert("CriticalMemoryUsage", "critical"), _MEMORY), ()),
    "high-goroutine-count": ((Alert("HighGoroutineCount", "warning"),), ()),
    "event-loop-blocked": ((Alert("EventLoopBlocked", "warning"),), ()),
    "heap-near-limit": ((Alert("HeapNearLimit", "warning"),), ()),
    "api-rate-limit-near": ((Alert("ApiRateLimitNear", "warning"),), ()),
    "external-api-slow": ((Alert("ExternalApiSlow", "warning"),), ()),
    "external-api-errors": ((Alert("ExternalApiErrors", "warning"),), ()),
    "integration-issues": ((Alert("IntegrationIssues", "info"),), ()),
    "new-error-type": ((Alert("NewErrorType", "info"),), ()),
    "unusual-traffic": ((TRAFFIC,), ()),
    "performance-degradation": ((PERFORMANCE,), ()),
    "low-order-rate": ((Alert("LowOrderRate", "warning"), REVENUE), ()),
    "high-cancellation-rate": ((Alert("HighCancellationRate", "warning"),), ()),
    "revenue-drop": ((REVENUE,), ()),
    "low-user-activity": ((Alert("LowUserActivity", "info"),), ()),
    "low-inventory": ((Alert("LowInventory", "warning"),), ()),
    "transactions-stalled": ((Alert("TransactionsStalled", "critical"),), ()),
    "meetings-failing": ((Alert("MeetingsFailing", "warning"),), ()),
    "authentication-failure-spike": ((_SIGN_IN,), (TRAFFIC, CLIENT_ERRORS)),
    "critical-authentication-failure-spike": (
        (Alert("AuthenticationFailureSpike", "critical"), _SIGN_IN),
        (TRAFFIC, CLIENT_ERRORS),
    ),
    "rate-limit-violations": ((Alert("RateLimitViolations", "warning"),), (TRAFFIC, CLIENT_ERRORS)),
    "suspicious-activity": ((Alert("SuspiciousActivity", "critical"),), ()),
    "token-budget": ((Alert("TokenBudget", "info"),), ()),
    # Only of the shop
    "database-gone": (
        (Alert("CriticalErrorRate", "critical"), _ERRORS, Alert("EndpointDown", "critical")),
        (
            *BURN,
            Alert("RouteFailing", "warning"),
            Alert("LowOrderRate", "warning"),
            REVENUE,
            Alert("LowUserActivity", "info"),
        ),
    ),
    "log-burst": ((), (TRAFFIC, CLIENT_ERRORS)),
}
"""By the fault's name: the alerts that it raises, and those that it may also raise."""
