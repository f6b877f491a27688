"""AlAwael: transactions and accounts on MongoDB, with a cache whose only metrics come from the Redis exporter."""

from collections.abc import Callable
from random import Random
from typing import Final

from demo.alerts import BURN, REVENUE
from demo.conditions import Conditions
from demo.faults import fault
from demo.systems import node
from demo.systems.profile import (
    UNMATCHED,
    Operation,
    Pace,
    Profile,
    Route,
    counter,
    gauge,
    histogram,
)
from demo.systems.simulation import Output, Simulation

LookUp = Callable[[int, int], None]
"""Looks up this many keys that are in the cache, and this many that are not."""

_HTTP: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
_DATABASE: Final = (0.01, 0.05, 0.1, 0.5, 1.0)
"""Upper bounds of its histograms, seconds: not those of the other systems."""

_ROUTE_LABELS: Final = ("method", "route", "status_code")
_PRODUCT: Final = "/api/products/:id"
_REPORTS: Final = "/api/reports/sales"

PROFILE: Final = Profile(
    name="alawael",
    port=3002,
    series=(
        counter("http_requests_total", "Requests answered.", *_ROUTE_LABELS),
        histogram("http_request_duration_seconds", "Time to answer a request.", _HTTP, *_ROUTE_LABELS),
        histogram("db_query_duration_seconds", "Time a database query took.", _DATABASE, "operation", "collection"),
        counter("transactions_processed_total", "Business transactions completed."),
        gauge("users_online", "Users who are online."),
        counter("revenue_usd_total", "Revenue."),
        counter("api_calls_total", "Calls of the API."),
        *node.SERIES,
    ),
    pace=Pace(requests=10, transactions=1.1, revenue_usd=140, users=180),
    routes=(
        Route(method="GET", template="/api/customers", weight=16, median=0.06),
        Route(method="GET", template="/api/customers/:id", weight=20, median=0.03),
        Route(method="GET", template="/api/products", weight=22, median=0.05),
        Route(method="POST", template="/api/transactions", weight=11, median=0.14, status=201, refused=0.02),
        Route(method="GET", template="/api/transactions/:id", weight=12, median=0.035),
        Route(method="PUT", template=_PRODUCT, weight=3, median=0.07, refused=0.02),
        Route(method="GET", template=_REPORTS, weight=10, median=0.17),
        Route(method="GET", template=UNMATCHED, weight=2, median=0.004, status=404),
    ),
    slow_route=_REPORTS,
    counts={"transactions": "transactions_processed_total", "revenue": "revenue_usd_total"},
    operations=(
        Operation(name="find", on="customers", median=0.006, per_request=0.7),
        Operation(name="find", on="products", median=0.008, per_request=0.6),
        Operation(name="insert", on="transactions", median=0.01, per_request=0.12),
        Operation(name="update", on="products", median=0.012, per_request=0.1),
        Operation(name="aggregate", on="transactions", median=0.14, per_second=0.4, report=True),
    ),
    faults=(
        fault("high-error-rate", "8 % of the requests are answered with 500", errors=0.08),
        fault("critical-error-rate", "a quarter of the requests is answered with 500", errors=0.25),
        fault("route-failing", "every change of a product is answered with 500", broken_route=_PRODUCT),
        fault("high-client-error-rate", "two fifths of the requests are refused with 400", client_errors=0.4),
        fault(
            "high-response-time", "a fifth of the reports take three seconds", slow_share=0.2, slow_seconds=(2.7, 4)
        ),
        fault("critical-response-time", "half of the reports take seven seconds", slow_share=0.5, slow_seconds=(6, 9)),
        fault("slow-database-queries", "the queries for reports take two seconds", slow_queries=(1.4, 2.4)),
        fault("event-loop-blocked", "code in the event loop delays every callback by 0.8 seconds", event_loop_lag=0.8),
        fault("heap-near-limit", "what is never freed fills 96 % of the heap", heap=0.96),
        fault("low-cache-hit-rate", "the cache answers 68 % of the look-ups", cache_misses=0.32),
        fault("new-error-type", "the route of a new release fails", may_raise=BURN),
        fault("unusual-traffic", "a crawler reads five times as much as all users", crawler=5),
        fault("performance-degradation", "every request takes three times as long", slowness=3),
        fault("revenue-drop", "the transactions are worth a fifth of the usual", order_value=0.2),
        fault("low-user-activity", "an eighth of the usual users is online", users=0.125),
        fault("transactions-stalled", "no transaction is completed", transactions=0, may_raise=(REVENUE,)),
    ),
)


class Alawael(Simulation):
    """Simulation of AlAwael."""

    profile = PROFILE

    def __init__(self, out: Output, random: Random, look_up: LookUp) -> None:
        self._look_up = look_up
        super().__init__(out, random)

    def start_route(self, route: Route) -> None:
        """Start the route's 5xx counter."""
        self.out.start("http_requests_total", **_labels(route, 500))

    def start(self) -> None:
        """Nothing to do: its other series have no labels, so they exist."""

    def answered(self, route: Route, status: int, seconds: float) -> None:
        """Count it."""
        self.out.inc("http_requests_total", **_labels(route, status))
        self.out.observe("http_request_duration_seconds", seconds, **_labels(route, status))
        self.out.inc("api_calls_total")

    def queried(self, operation: Operation, seconds: float, *, failed: bool) -> None:  # noqa: ARG002 - not exposed
        """Count it; whether it failed is not exposed."""
        self.out.observe("db_query_duration_seconds", seconds, operation=operation.name, collection=operation.on)

    def fail_anew(self, name: str) -> None:
        """Fail a route that did not exist before."""
        self.answered(Route(method="GET", template=f"/api/{name}", weight=0, median=0.05), 500, 0.05)

    def live(self, now: float, busy: float, requests: int, how: Conditions) -> None:
        """Update the process, the cache and the business."""
        self.run_node(now, busy, how)
        pace = PROFILE.pace
        looked_up = self.events(1.2 * requests / self.seconds)
        misses = sum(self.pick("cache", how.cache_misses) for _ in range(looked_up))
        self._look_up(looked_up - misses, misses)
        for _ in range(self.events(pace.transactions * busy * how.transactions)):
            self.out.inc("transactions_processed_total")
            self.out.inc("revenue_usd_total", self.random.gammavariate(2, pace.revenue_usd / 2) * how.order_value)
        self.out.set("users_online", round(self.level("users", pace.users * busy * how.users, 0.02)))


def _labels(route: Route, status: int) -> dict[str, str]:
    return {"method": route.method, "route": route.template, "status_code": str(status)}
