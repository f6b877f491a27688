"""NeuroERP: customers, finance, stock and analytics behind one back end."""

from typing import Final

from demo.alerts import BURN, FAILURES
from demo.conditions import Conditions
from demo.faults import fault
from demo.systems.profile import (
    DATABASE_SECONDS,
    HTTP_SECONDS,
    UNMATCHED,
    Operation,
    Pace,
    Profile,
    Route,
    counter,
    gauge,
    histogram,
)
from demo.systems.simulation import Simulation

MEMORY_BYTES: Final = 300e6
TRANSACTIONS: Final = (
    ("finance", "payment", 4),
    ("finance", "invoice", 3),
    ("inventory", "movement", 5),
    ("crm", "offer", 2),
    ("analytics", "forecast", 1),
)
"""Domain, type and weight."""

_KPIS: Final = "/api/analytics/kpis"
_ROUTE_LABELS: Final = ("method", "route", "status_code", "domain")

PROFILE: Final = Profile(
    name="neuroerp",
    port=3001,
    series=(
        histogram("http_request_duration_seconds", "Time to answer a request.", HTTP_SECONDS, *_ROUTE_LABELS),
        counter("http_requests_failed_total", "Requests that failed.", "domain"),
        histogram("db_query_duration_seconds", "Time a database query took.", DATABASE_SECONDS, "operation"),
        counter("erp_transactions_total", "Business transactions completed.", "domain", "type"),
        gauge("server_uptime_seconds", "Time since the server started."),
        gauge("memory_usage_bytes", "Memory that the process uses."),
    ),
    pace=Pace(requests=9, transactions=1.5),
    counts={"transactions": 'erp_transactions_total{domain="finance",type="payment"}'},
    routes=(
        Route(method="GET", template="/api/crm/customers", weight=14, median=0.05, domain="crm"),
        Route(method="GET", template="/api/crm/customers/:id", weight=16, median=0.025, domain="crm"),
        Route(
            method="POST", template="/api/crm/offers", weight=5, median=0.08, domain="crm", status=201, refused=0.02
        ),
        Route(method="GET", template="/api/finance/invoices", weight=12, median=0.07, domain="finance"),
        Route(method="POST", template="/api/finance/payments", weight=9, median=0.11, domain="finance", status=201),
        Route(method="GET", template="/api/inventory/items", weight=18, median=0.04, domain="inventory"),
        Route(
            method="POST", template="/api/inventory/movements", weight=12, median=0.06, domain="inventory", status=201
        ),
        Route(method="GET", template=_KPIS, weight=7, median=0.16, domain="analytics"),
        Route(method="GET", template=UNMATCHED, weight=1, median=0.004, domain="crm", status=404),
    ),
    operations=(
        Operation(name="select", median=0.007, per_request=1.8),
        Operation(name="insert", median=0.01, per_request=0.4),
        Operation(name="update", median=0.012, per_request=0.3),
        Operation(name="aggregate", median=0.15, per_second=0.4, report=True),
    ),
    faults=(
        fault("high-failure-rate", "a tenth of the requests fails with 500", errors=0.1, may_raise=BURN),
        fault("route-failing", "every request for key figures fails with 500", broken_route=_KPIS, also=(FAILURES,)),
        fault("high-client-error-rate", "two fifths of the requests are refused with 400", client_errors=0.4),
        fault("slow-database-queries", "the queries for analytics take two seconds", slow_queries=(1.4, 2.4)),
        fault("unusual-traffic", "a crawler reads five times as much as all users", crawler=5),
        fault("performance-degradation", "every request takes 2.5 times as long", slowness=2.5),
        fault("transactions-stalled", "no transaction is completed", transactions=0),
    ),
)


class Neuroerp(Simulation):
    """Simulation of NeuroERP."""

    profile = PROFILE

    def start_route(self, route: Route) -> None:
        """Start the route's 5xx: here only the histogram of durations counts requests."""
        self.out.start("http_request_duration_seconds", **_labels(route, 500))

    def start(self) -> None:
        """Start failures by domain and transactions by type."""
        self._started: float | None = None
        for domain, kind, _ in TRANSACTIONS:
            self.out.start("http_requests_failed_total", domain=domain)
            self.out.start("erp_transactions_total", domain=domain, type=kind)

    def answered(self, route: Route, status: int, seconds: float) -> None:
        """Count it."""
        self.out.observe("http_request_duration_seconds", seconds, **_labels(route, status))
        if status >= 500:
            self.out.inc("http_requests_failed_total", domain=route.domain)

    def queried(self, operation: Operation, seconds: float, *, failed: bool) -> None:  # noqa: ARG002 - not exposed
        """Count it; whether it failed is not exposed."""
        self.out.observe("db_query_duration_seconds", seconds, operation=operation.name)

    def live(self, now: float, busy: float, requests: int, how: Conditions) -> None:  # noqa: ARG002 - not all is used
        """Update the process and the business."""
        self._started = self._started or now
        self.out.set("server_uptime_seconds", round(now - self._started, 1))
        # A heap that grows for four hours until it is collected.
        memory = MEMORY_BYTES * (1 + 0.4 * busy + 0.2 * (now % 14400) / 14400)
        self.out.set("memory_usage_bytes", round(self.level("memory", memory)))
        weights = [weight for _, _, weight in TRANSACTIONS]
        for _ in range(self.events(PROFILE.pace.transactions * busy * how.transactions)):
            ((domain, kind, _),) = self.random.choices(TRANSACTIONS, weights)
            self.out.inc("erp_transactions_total", domain=domain, type=kind)


def _labels(route: Route, status: int) -> dict[str, str]:
    return {
        "method": route.method,
        "route": route.template,
        "status_code": str(status),
        "domain": route.domain,
    }
