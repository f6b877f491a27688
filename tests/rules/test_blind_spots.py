"""Outages that totals do not show: a failing route, no traffic, refused requests, missing series."""

from typing import Final

from tests.rules.harness import Case, Firing, Says, promtool
from tests.rules.raw import counter, gauge, series

LOAD: Final = ("applications.yaml",)
OF: Final = '{system="depot"}'


def firing(alert: str, severity: str, condition: str, **more: str) -> Firing:
    labels = {"severity": severity, "component": "application", "condition": condition}
    return Firing(alert=alert, labels={**labels, "system": "depot", "team": "depot", **more})


def requests(path: str, status: str, rate: float) -> dict[str, str]:
    return {series("http_requests_total", "depot", {"method": "GET", "path": path, "status": status}): counter(rate)}


DEAD: Final = firing("RouteFailing", "warning", "route_failing", route="/login")
SILENT: Final = firing("SystemSilent", "critical", "silent")
NONE: Final = firing("NoTraffic", "critical", "traffic")
REFUSED: Final = firing("HighClientErrorRate", "warning", "client_error_rate")

HOURS: Final = "2x1500 0x30"
"""Requests per second for 25 hours, a value each minute, then none."""

CASES: Final = (
    Case(
        name="RouteFailing names a route of 0.4 % of the traffic that fails wholly",
        alert="RouteFailing",
        series=requests("/orders", "200", 20) | requests("/login", "500", 0.083),
        expect={"15m": [DEAD]},
        load=LOAD,
        says=Says(
            summary="depot: /login does not work",
            description=(
                "100% of the requests to /login of depot were answered with 5xx in the last 5 minutes; of all its "
                "requests 0.4133% were. Above 90% a route is broken rather than overloaded."
            ),
        ),
    ),
    Case(
        name="RouteFailing is silent about a route that fails for some",
        alert="RouteFailing",
        series=requests("/orders", "200", 200) | requests("/login", "500", 0.88) | requests("/login", "200", 0.12),
        expect={"15m": []},
        load=LOAD,
    ),
    Case(
        name="RouteFailing is silent about a few failures",
        alert="RouteFailing",
        series=requests("/orders", "200", 20) | requests("/login", "500", 0.03),
        expect={"15m": []},
        load=LOAD,
    ),
    Case(
        name="SystemSilent fires where a target answers and none of its series arrives",
        alert="SystemSilent",
        series={series("up", "depot"): gauge(1), series("other_total", "depot"): counter(1)},
        expect={"1m30s": [], "2m": [SILENT], "10m": [SILENT]},
        load=LOAD,
        says=Says(
            summary="depot is up and exposes none of its declared series",
            description=(
                "A target of depot is up, and none of the series that its file declares exists: renamed metrics, "
                "names that another library writes with dots, or samples that are dropped. Until they exist no alert "
                "about depot can fire."
            ),
        ),
    ),
    Case(
        name="SystemSilent is silent where one declared series arrives",
        alert="SystemSilent",
        series={series("up", "depot"): gauge(1), series("go_goroutines", "depot"): gauge(5)},
        expect={"10m": []},
        load=LOAD,
    ),
    Case(
        name="NoTraffic fires where there always is some",
        alert="NoTraffic",
        series={
            f"app:http_requests:rate5m{OF}": HOURS,
            f"app:http_requests:avg1h{OF}": "2x1530",
            f"app:system:up{OF}": "1x1530",
            f"app:system:declared{OF}": "1x1530",
        },
        expect={"25h": [], "25h5m": [NONE]},
        load=LOAD,
        made=("thresholds",),
        step="1m",
        every="1m",
        says=Says(
            summary="depot gets no requests",
            description=(
                "depot is up and has had no request for 5 minutes; a day ago it had 2 a second at this "
                "time, and in no hour of the last day fewer than 0.1."
            ),
        ),
    ),
    Case(
        name="NoTraffic is silent about a system that sleeps at night",
        alert="NoTraffic",
        series={
            f"app:http_requests:rate5m{OF}": HOURS,
            f"app:http_requests:avg1h{OF}": "2x600 0x60 2x870",
            f"app:system:up{OF}": "1x1530",
            f"app:system:declared{OF}": "1x1530",
        },
        expect={"25h10m": []},
        load=LOAD,
        made=("thresholds",),
        step="1m",
        every="1m",
    ),
    Case(
        name="HighClientErrorRate fires at more than three times the usual",
        alert="HighClientErrorRate",
        series={
            f"app:http_client_errors:ratio_rate5m{OF}": gauge(0.31),
            f"app:http_client_errors:ratio_avg1d{OF}": gauge(0.1),
            f"app:http_requests:rate5m{OF}": gauge(10),
        },
        expect={"4m30s": [], "5m": [REFUSED]},
        load=LOAD,
        made=("thresholds",),
        says=Says(
            summary="depot: 31% of requests are rejected",
            description=(
                "depot answered 31% of its requests with 4xx in the last 5 minutes; over the last day it was 10%. "
                "More than 3 times as much is far above the usual."
            ),
        ),
    ),
    Case(
        name="HighClientErrorRate is silent just under it",
        alert="HighClientErrorRate",
        series={
            f"app:http_client_errors:ratio_rate5m{OF}": gauge(0.29),
            f"app:http_client_errors:ratio_avg1d{OF}": gauge(0.1),
            f"app:http_requests:rate5m{OF}": gauge(10),
        },
        expect={"15m": []},
        load=LOAD,
        made=("thresholds",),
    ),
)

test_alerts = promtool(CASES)
