"""ERPGo: orders, stock and sign-in, in Go."""

from typing import Final

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

MEMORY_LIMIT: Final = 512 * 2**20
POOL: Final = 50
SKUS: Final = tuple(f"SKU-{number}" for number in range(1001, 1009))
WAREHOUSES: Final = ("north", "south")
RESTOCKED_BELOW: Final = 120
RESTOCKED: Final = 400
QUERY_ERRORS: Final = ("constraint", "connection", "deadlock", "timeout")
SUSPICIOUS: Final = ("sql_injection", "path_traversal", "token_reuse")
_SEARCH: Final = "/api/v1/products/search"
_STOCK: Final = "/api/v1/inventory/{sku}"
_LOGIN: Final = "/api/v1/auth/login"

PROFILE: Final = Profile(
    name="erpgo",
    port=8080,
    series=(
        counter("http_requests_total", "Requests answered.", "method", "path", "status"),
        histogram("http_request_duration_seconds", "Time to answer a request.", HTTP_SECONDS, "method", "path"),
        gauge("go_goroutines", "Goroutines that exist."),
        gauge("process_resident_memory_bytes", "Memory that the process uses."),
        gauge("memory_limit_bytes", "Memory that the process may use."),
        gauge("db_connections_in_use", "Connections of the pool in use."),
        gauge("db_connections_idle", "Connections of the pool that are idle."),
        gauge("db_connections_max", "Connections that the pool may have."),
        histogram("db_query_duration_seconds", "Time a database query took.", DATABASE_SECONDS, "operation"),
        counter("db_queries_total", "Database queries by outcome.", "operation", "status"),
        counter("db_errors_total", "Database errors by type.", "type"),
        counter("db_timeouts_total", "Database queries that ran out of time."),
        counter("cache_hits_total", "Look-ups that the cache answered."),
        counter("cache_misses_total", "Look-ups that the cache could not answer."),
        counter("orders_created_total", "Orders placed."),
        counter("orders_cancelled_total", "Orders cancelled."),
        histogram("order_value_usd", "Worth of an order.", (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)),
        counter("revenue_usd_total", "Revenue."),
        gauge("active_users", "Users who are active."),
        counter("product_views_total", "Products looked at."),
        gauge("inventory_stock_level", "Stock of an article in a warehouse.", "sku", "warehouse"),
        counter("auth_attempts_total", "Attempts to sign in by result.", "result"),
        counter("rate_limit_exceeded_total", "Requests refused by a rate limit.", "route"),
        counter("suspicious_activity_total", "Events that look like an attack.", "kind"),
        counter("jwt_tokens_issued_total", "Tokens issued."),
        counter("jwt_tokens_revoked_total", "Tokens revoked."),
        counter("security_events_total", "Security events.", "type", "severity"),
    ),
    pace=Pace(requests=14, orders=1.2, revenue_usd=85, users=320),
    routes=(
        Route(method="GET", template="/api/v1/products", weight=22, median=0.06),
        Route(method="GET", template="/api/v1/products/{id}", weight=26, median=0.025),
        Route(method="GET", template=_SEARCH, weight=12, median=0.09),
        Route(method="GET", template="/api/v1/orders", weight=8, median=0.07),
        Route(method="POST", template="/api/v1/orders", weight=9, median=0.12, status=201, refused=0.02),
        Route(method="GET", template="/api/v1/orders/{id}", weight=7, median=0.03),
        Route(method="GET", template="/api/v1/inventory", weight=5, median=0.05),
        Route(method="PUT", template=_STOCK, weight=2, median=0.045),
        Route(method="POST", template=_LOGIN, weight=6, median=0.11, refused=0.03, refused_status=401),
        Route(method="POST", template="/api/v1/auth/refresh", weight=2, median=0.02),
        Route(method="GET", template=UNMATCHED, weight=1, median=0.004, status=404),
    ),
    slow_route=_SEARCH,
    operations=(
        Operation(name="select", median=0.006, per_request=1.6),
        Operation(name="insert", median=0.009, per_request=0.25),
        Operation(name="update", median=0.011, per_request=0.3),
        Operation(name="report", median=0.12, per_second=0.4, report=True),
    ),
    error_types=QUERY_ERRORS,
    counts={"orders": "orders_created_total", "revenue": "revenue_usd_total"},
    faults=(
        fault("high-error-rate", "8 % of the requests are answered with 500", errors=0.08),
        fault("critical-error-rate", "a quarter of the requests is answered with 500", errors=0.25),
        fault("route-failing", "every change of the stock is answered with 500", broken_route=_STOCK),
        fault("high-client-error-rate", "two fifths of the requests are refused with 400", client_errors=0.4),
        fault(
            "high-response-time",
            "one search in eleven takes over a second",
            # With this share the bucket up to 2.5 s interpolates to 1.7 s.
            slow_share=0.09,
            slow_seconds=(1.2, 2.2),
        ),
        fault(
            "critical-response-time",
            "half of the searches take three to four seconds",
            slow_share=0.5,
            slow_seconds=(2.8, 4.2),
        ),
        fault("slow-database-queries", "the queries for reports take two seconds", slow_queries=(1.4, 2.4)),
        fault("database-pool-usage", "88 % of the pool's connections are in use", pool=0.88),
        fault("database-pool-exhausted", "all connections of the pool but one are in use", pool=0.98),
        fault("database-errors", "3 % of the queries fail", query_errors=0.03),
        fault("queries-per-request", "a list reads each of its rows by a query: twelve times the queries", queries=12),
        fault("database-timeouts", "a query runs out of time every ten seconds", query_timeouts=0.1),
        fault("low-cache-hit-rate", "the cache answers 68 % of the look-ups", cache_misses=0.32),
        fault("critical-cache-hit-rate", "the cache answers a third of the look-ups", cache_misses=0.66),
        fault("high-memory-usage", "the process uses 87 % of its memory", memory=0.87),
        fault("critical-memory-usage", "the process uses 98 % of its memory", memory=0.98),
        fault("high-goroutine-count", "14,000 goroutines wait for something", goroutines=14_000),
        fault("new-error-type", "the database reports an error of a type never seen before"),
        fault("unusual-traffic", "a crawler reads five times as much as all customers", crawler=5),
        fault("performance-degradation", "every request takes 2.5 times as long", slowness=2.5),
        fault("low-order-rate", "a tenth of the usual orders comes in", orders=0.1),
        fault("high-cancellation-rate", "a quarter of the orders is cancelled", cancellations=0.25),
        fault("revenue-drop", "the orders are worth a fifth of the usual", order_value=0.2),
        fault("low-user-activity", "an eighth of the usual users is active", users=0.125),
        fault("low-inventory", "four are left of one article", stock=4),
        fault("authentication-failure-spike", "two sign-ins a second fail", failed_logins=2),
        fault("critical-authentication-failure-spike", "nine sign-ins a second fail", failed_logins=9),
        fault("rate-limit-violations", "a client runs into its limit 2.5 times a second", rate_limited=2.5),
        fault("suspicious-activity", "somebody probes for holes, twice a minute", suspicious=0.033),
    ),
)


class Erpgo(Simulation):
    """Simulation of ERPGo."""

    profile = PROFILE

    def start_route(self, route: Route) -> None:
        """Start the route's 5xx counter."""
        self.out.start("http_requests_total", method=route.method, path=route.template, status="500")

    def start(self) -> None:
        """Start every outcome, type and kind; and set the stock."""
        for operation in PROFILE.operations:
            self.out.start("db_queries_total", operation=operation.name, status="error")
        for error in QUERY_ERRORS:
            self.out.start("db_errors_total", type=error)
        for result in ("success", "failure"):
            self.out.start("auth_attempts_total", result=result)
        for kind in SUSPICIOUS:
            self.out.start("suspicious_activity_total", kind=kind)
        self.out.start("rate_limit_exceeded_total", route=_SEARCH)
        self.out.start("security_events_total", type="sign_in_failed", severity="low")
        self.out.set("memory_limit_bytes", MEMORY_LIMIT)
        self.out.set("db_connections_max", POOL)
        self._stock = {
            (sku, warehouse): self.random.randint(RESTOCKED_BELOW, RESTOCKED)
            for sku in SKUS
            for warehouse in WAREHOUSES
        }

    def answered(self, route: Route, status: int, seconds: float) -> None:
        """Count it, and its effects."""
        self.out.inc("http_requests_total", method=route.method, path=route.template, status=str(status))
        self.out.observe("http_request_duration_seconds", seconds, method=route.method, path=route.template)
        if route.template == "/api/v1/products/{id}" and status == 200:
            self.out.inc("product_views_total")
        if route.template == _LOGIN and status < 500:
            self._sign_in(succeeded=status == 200)

    def queried(self, operation: Operation, seconds: float, *, failed: bool) -> None:
        """Count it, by outcome."""
        self.out.inc("db_queries_total", operation=operation.name, status="error" if failed else "success")
        self.out.observe("db_query_duration_seconds", seconds, operation=operation.name)
        if failed:
            self.out.inc("db_errors_total", type=self.random.choice(QUERY_ERRORS[:3]))

    def fail_anew(self, name: str) -> None:
        """The database reports a new error."""
        self.out.inc("db_errors_total", type=name)

    def live(self, now: float, busy: float, requests: int, how: Conditions) -> None:
        """Update the process, the shop and its security metrics."""
        self._process(now, busy, how)
        for _ in range(self.events(1.3 * requests / self.seconds)):
            self.out.inc("cache_misses_total" if self.pick("cache", how.cache_misses) else "cache_hits_total")
        for _ in range(self.events(how.query_timeouts)):
            self.out.inc("db_timeouts_total")
            self.out.inc("db_errors_total", type="timeout")
        self._sell(busy, how)
        self._guard(how)

    def _process(self, now: float, busy: float, how: Conditions) -> None:
        # A heap that grows for six hours until it is collected.
        memory = how.memory if how.memory is not None else 0.45 + 0.1 * busy + 0.06 * (now % 21600) / 21600
        self.out.set("process_resident_memory_bytes", round(self.level("memory", memory, 0.002) * MEMORY_LIMIT))
        goroutines = how.goroutines if how.goroutines is not None else 120 + 380 * busy
        self.out.set("go_goroutines", round(self.level("goroutines", goroutines, 0.03)))
        pool = how.pool if how.pool is not None else self.level("pool", 0.12 + 0.38 * busy, 0.08)
        used = min(POOL, round(pool * POOL))
        self.out.set("db_connections_in_use", used)
        self.out.set("db_connections_idle", min(POOL - used, 8))

    def _sell(self, busy: float, how: Conditions) -> None:
        pace = PROFILE.pace
        for _ in range(self.events(pace.orders * busy * how.orders)):
            value = self.random.gammavariate(1.6, pace.revenue_usd / 1.6) * how.order_value
            self.out.inc("orders_created_total")
            self.out.observe("order_value_usd", value)
            self.out.inc("revenue_usd_total", value)
            if self.pick("cancelled", how.cancellations):
                self.out.inc("orders_cancelled_total")
            shelf = self.random.choice(tuple(self._stock))
            left = self._stock[shelf] - 1
            self._stock[shelf] = RESTOCKED if left < RESTOCKED_BELOW else left
        self.out.set("active_users", round(self.level("users", pace.users * busy * how.users, 0.02)))
        for number, ((sku, warehouse), left) in enumerate(self._stock.items()):
            stock = how.stock if number == 0 and how.stock is not None else left
            self.out.set("inventory_stock_level", stock, sku=sku, warehouse=warehouse)

    def _guard(self, how: Conditions) -> None:
        routes = {route.template: route for route in PROFILE.routes}
        for _ in range(self.events(how.failed_logins)):
            self.answered(routes[_LOGIN], 401, self.time(0.11))
        for _ in range(self.events(0.02 + how.rate_limited)):
            self.answered(routes[_SEARCH], 429, self.time(0.002))
            self.out.inc("rate_limit_exceeded_total", route=_SEARCH)
        for _ in range(self.events(how.suspicious)):
            self.out.inc("suspicious_activity_total", kind=self.random.choice(SUSPICIOUS))
            self.out.inc("security_events_total", type="probe", severity="high")
        for _ in range(self.events(0.03)):
            self.out.inc("jwt_tokens_revoked_total")

    def _sign_in(self, *, succeeded: bool) -> None:
        self.out.inc("auth_attempts_total", result="success" if succeeded else "failure")
        if succeeded:
            self.out.inc("jwt_tokens_issued_total")
        else:
            self.out.inc("security_events_total", type="sign_in_failed", severity="low")
