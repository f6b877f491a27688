"""Social Selling: the shop, which is real. Its traffic and its work are generated from the data here."""

from typing import Final

from demo.alerts import BURN, ERROR_RATE, PERFORMANCE
from demo.conditions import Conditions
from demo.faults import fault
from demo.systems import node
from demo.systems.profile import (
    DATABASE_SECONDS,
    HTTP_SECONDS,
    UNMATCHED,
    Pace,
    Profile,
    Route,
    counter,
    gauge,
    histogram,
)

RATE: Final = 4.0
"""Requests a second of its own customers at the busiest hour, unless the settings say otherwise."""

_MESSAGES: Final = "/api/users/{id}/messages"
_ROUTE_LABELS: Final = ("method", "route", "status_code")
_HTTP_MS: Final = tuple(1000 * bound for bound in HTTP_SECONDS)
_DATABASE_MS: Final = tuple(1000 * bound for bound in DATABASE_SECONDS)

PROFILE: Final = Profile(
    name="social-selling",
    port=3000,
    series=(
        counter("http_requests_total", "Requests of the API answered.", *_ROUTE_LABELS),
        histogram("http_request_duration_ms", "Time to answer a request of the API, ms.", _HTTP_MS, *_ROUTE_LABELS),
        histogram("db_query_duration_ms", "Time a database query took, ms.", _DATABASE_MS, "operation"),
        counter("cache_requests_total", "Look-ups in the cache.", "result"),
        counter("user_registrations_total", "Users registered."),
        counter("orders_created_total", "Orders placed."),
        counter("order_total_amount", "Worth of the orders placed, USD."),
        counter("products_created_total", "Products put on sale."),
        counter("messages_sent_total", "Messages sent."),
        gauge("active_users", "Users who did something in the last five minutes."),
        *node.SERIES,
    ),
    # From the mix below, the prices in the tables, and the 200 initial users.
    counts={"orders": "orders_created_total", "revenue": "order_total_amount"},
    pace=Pace(requests=RATE, orders=RATE * 0.08, revenue_usd=90, users=200),
    routes=(
        Route(method="GET", template="/api/products/{id}", weight=38, median=0.018),
        Route(method="GET", template="/api/products", weight=19, median=0.035),
        Route(method="GET", template="/api/users/{id}", weight=12, median=0.014),
        Route(method="GET", template=_MESSAGES, weight=10, median=0.028),
        Route(method="POST", template="/api/orders", weight=8, median=0.045, status=201),
        Route(method="POST", template="/api/messages", weight=7, median=0.02, status=201),
        Route(method="POST", template="/api/users", weight=3, median=0.04, status=201),
        Route(method="POST", template="/api/products", weight=1, median=0.03, status=201),
        # An outdated link.
        Route(method="GET", template=UNMATCHED, weight=2, median=0.003, status=404),
    ),
    faults=(
        fault("high-error-rate", "2.5 % of the requests fail with 500", errors=0.025),
        fault("critical-error-rate", "a third of the requests fails with 500", errors=1 / 3),
        fault(
            "route-failing",
            "nobody can read messages, which is a tenth of all requests",
            broken_route=_MESSAGES,
            also=ERROR_RATE,
        ),
        fault("high-client-error-rate", "a client sends three bad orders a second", bad_orders=3),
        fault(
            "high-response-time",
            "a quarter of the requests takes over half a second longer",
            slow_share=0.25,
            slow_seconds=(0.55, 0.75),
        ),
        fault(
            "critical-response-time",
            "every request takes one to two and a half seconds longer",
            slow_share=1,
            slow_seconds=(1.1, 2.4),
        ),
        fault("slow-database-queries", "the query for the report takes 0.3 s", slow_queries=(0.3, 0.3)),
        fault("event-loop-blocked", "code in the event loop delays every callback by 0.8 seconds", event_loop_lag=0.8),
        fault("heap-near-limit", "what is never freed fills 96 % of the heap", heap=0.96),
        fault("low-cache-hit-rate", "three look-ups in ten find nothing in the cache that is there", cache_misses=0.3),
        fault("new-error-type", "the route of a new release fails", may_raise=BURN),
        fault("unusual-traffic", "a crawler reads five times as much as all customers", crawler=5),
        fault(
            "performance-degradation",
            "every request takes a tenth of a second longer",
            slow_share=1,
            slow_seconds=(0.08, 0.12),
        ),
        fault("low-order-rate", "a tenth of the usual orders comes in", orders=0.1),
        fault("revenue-drop", "everything is sold at a fifth of its price", order_value=0.2),
        fault("low-user-activity", "a handful of users does everything", users=0.03),
        fault(
            "database-gone",
            "the service looks for its database where none is",
            database_gone=True,
            may_raise=(PERFORMANCE,),
        ),
        fault("log-burst", "a client retries a bad order 30 times a second, and each is logged", bad_orders=30),
    ),
    # It fails only by faults, and its cache misses are real.
    ordinary=Conditions(errors=0, cache_misses=0),
)
