"""A system that sends its metrics by OTLP is alerted on like the others, by the same rules."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from tests.rules.harness import Case, Firing, promtool
from tests.rules.raw import Series, gauge, histogram, series
from tests.unit.conftest import SENT

SYSTEM: Final = "foundry"
HTTP: Final = "http_server_request_duration_seconds"
DATABASE: Final = "db_client_operation_duration_seconds"
HTTP_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
DATABASE_BOUNDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
ROUTE: Final = "/castings/{id}"

_LABELS: Final = {"system": SYSTEM, "team": SYSTEM, "component": "application"}
_LOAD: Final = ("applications.yaml",)


def up(values: str = "1x60") -> Series:
    """The page that the collector makes of the system's metrics."""
    return {'up{system="foundry",job="otlp",instance="collector:8901"}': values}


def requests(rates: Mapping[str, float], at: float = 0.03) -> Series:
    """Requests a second by status, whose 95th percentile is at so many seconds."""
    found = up()
    for status, rate in rates.items():
        labels = {"http_request_method": "GET", "http_route": ROUTE, "http_response_status_code": status}
        found |= histogram(HTTP, SYSTEM, labels, quantile=0.95, at=at, rate=rate, bounds=HTTP_BOUNDS)
    return found


def calls(rates: Mapping[str, float], at: float = 0.02) -> Series:
    """Calls of its database a second, by the type of the error; one that succeeds has none."""
    found = up()
    for error, rate in rates.items():
        labels = {"db_system_name": "postgresql", "db_operation_name": "SELECT"}
        labels |= {"error_type": error} if error else {}
        found |= histogram(DATABASE, SYSTEM, labels, quantile=0.95, at=at, rate=rate, bounds=DATABASE_BOUNDS)
    return found


def heap(used: float) -> Series:
    """The heap of a JVM in two pools, of which one has a limit."""
    pools = {"G1 Old Gen": used, "G1 Eden Space": 1e6}
    found = up()
    for pool, value in pools.items():
        labels = {"jvm_memory_type": "heap", "jvm_memory_pool_name": pool}
        found[series("jvm_memory_used_bytes", SYSTEM, labels)] = gauge(value)
    labels = {"jvm_memory_type": "heap", "jvm_memory_pool_name": "G1 Old Gen"}
    found[series("jvm_memory_limit_bytes", SYSTEM, labels)] = gauge(1e9)
    return found


def _recorded() -> Iterator[Case]:
    of = {"system": SYSTEM}
    yield Case(
        name="Requests, errors and latency by OTLP are recorded by route",
        series=requests({"200": 3, "503": 1}),
        values={
            "app:http_requests:rate5m": [(of, 4)],
            "app:http_requests_by_route:rate5m": [({**of, "route": ROUTE}, 4)],
            "app:http_errors:ratio_rate5m": [(of, 0.25)],
            'app:http_latency_seconds:quantile5m{quantile="0.95"}': [({**of, "quantile": "0.95"}, 0.03)],
            "app:system:up": [(of, 1)],
            "app:system:declared": [(of, 1)],
        },
    )
    yield Case(
        name="A database call without error.type is a success, any other a failure",
        series=calls({"": 9, "timeout": 0.5, "08006": 0.5}),
        values={
            "app:db_queries:rate5m": [(of, 10)],
            "app:db_query_failures:ratio_rate5m": [(of, 0.1)],
            'app:db_latency_seconds:quantile5m{quantile="0.95"}': [({**of, "quantile": "0.95"}, 0.02)],
        },
    )
    yield Case(
        name="The heap of a JVM is the sum of its pools, as a share of their limits",
        series=heap(499e6),
        values={"app:process_memory:ratio": [({**of, "instance": "foundry-1:3000"}, 0.5)]},
    )


def _alerts() -> Iterator[Case]:
    yield Case(
        name="Six percent of errors by OTLP are HighErrorRate",
        series=requests({"200": 94, "500": 6}),
        alert="HighErrorRate",
        expect={
            "12m": [
                Firing(alert="HighErrorRate", labels={**_LABELS, "severity": "warning", "condition": "error_rate"})
            ]
        },
        load=_LOAD,
    )
    yield Case(
        name="Four percent of errors by OTLP are no HighErrorRate",
        series=requests({"200": 96, "500": 4}),
        alert="HighErrorRate",
        expect={"12m": [], "25m": []},
        load=_LOAD,
    )
    slow = {**_LABELS, "severity": "warning", "condition": "response_time", "route": ROUTE}
    yield Case(
        name="A 95th percentile by OTLP over the threshold is HighResponseTime of the route",
        series=requests({"200": 50}, at=1.5),
        alert="HighResponseTime",
        expect={"12m": [Firing(alert="HighResponseTime", labels=slow)]},
        load=_LOAD,
    )
    yield Case(
        name="A 95th percentile by OTLP below the threshold is no HighResponseTime",
        series=requests({"200": 50}, at=0.95),
        alert="HighResponseTime",
        expect={"12m": [], "25m": []},
        load=_LOAD,
    )
    yield Case(
        name="Errors by OTLP burn the error budget",
        series=requests({"200": 96, "500": 4}),
        alert="SLOErrorBudgetBurn",
        expect={
            "25m": [
                Firing(
                    alert="SLOErrorBudgetBurn",
                    labels={
                        **_LABELS,
                        "condition": "error_budget",
                        "slo": "availability",
                        "severity": severity,
                    },
                )
                for severity in ("critical", "warning")
            ]
        },
        load=("objectives.yaml",),
        made=("thresholds", "signals", "slo"),
    )
    yield Case(
        name="A system whose metrics no longer arrive while the collector is up is SystemSilent",
        series={**up(), series(f"{HTTP}_count", SYSTEM, {"http_route": ROUTE}): "0+10x10 _x50"},
        alert="SystemSilent",
        expect={"4m": [], "20m": [Firing(alert="SystemSilent", labels=SILENT)]},
        load=("applications.yaml",),
        made=("thresholds", "signals"),
    )
    yield Case(
        name="A system over its limit of series is ServiceDown of the monitoring, and wakes nobody",
        series=up("1x10 0x50"),
        alert="ServiceDown",
        expect={"15m": [Firing(alert="ServiceDown", labels=DOWN)]},
        load=("stack.yaml",),
        made=("thresholds", "signals"),
    )


SILENT: Final = {
    "system": SYSTEM,
    "team": SYSTEM,
    "component": "application",
    "condition": "silent",
    "severity": "critical",
}
DOWN: Final = {
    "system": SYSTEM,
    "team": SYSTEM,
    "job": "otlp",
    "instance": "collector:8901",
    "component": "monitoring",
    "condition": "down",
    "severity": "critical",
    "page": "no",
}

CASES = [replace(case, root=SENT, settings={"otlpMetrics": {}}) for case in (*_recorded(), *_alerts())]

test_otlp = promtool(CASES)
