"""A system that sends spans and has no metrics is alerted on like the others, by the same rules."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from observability.systems.spans import KINDS
from tests.rules.harness import Case, Firing, promtool
from tests.rules.raw import DATABASE, HTTP, Series, histogram
from tests.unit.conftest import SPANNED

SYSTEM: Final = "harbour"

_LABELS: Final = {"system": SYSTEM, "team": SYSTEM, "component": "application"}

NAMES: Final = {kind: one.series for kind, one in KINDS.items()}


def up(values: str = "1x60") -> Series:
    """The collector's target for series of spans, which belongs to the stack."""
    return {'up{system="platform",job="spans",instance="collector:8890"}': values}


def requests(rates: Mapping[str, float], route: str = "/berths/{id}", at: float = 0.03) -> Series:
    """Requests a second by status, whose 95th percentile is at so many seconds."""
    found = up()
    for status, rate in rates.items():
        labels = {"method": "GET", "route": route, "status": status}
        found |= histogram(NAMES["http"], SYSTEM, labels, quantile=0.95, at=at, rate=rate)
    return found


def calls(rates: Mapping[str, float], at: float = 0.02) -> Series:
    """Calls of its database a second, by outcome."""
    found = up()
    for outcome, rate in rates.items():
        labels = {"operation": "SELECT", "outcome": outcome}
        found |= histogram(NAMES["database"], SYSTEM, labels, quantile=0.95, at=at, rate=rate, bounds=DATABASE)
    return found


def asked(outcome: str, rate: float, peer: str) -> Series:
    """Calls of another service a second."""
    labels = {"peer": peer, "outcome": outcome}
    return histogram(NAMES["external"], SYSTEM, labels, quantile=0.95, at=0.2, rate=rate, bounds=HTTP)


def _recorded() -> Iterator[Case]:
    of = {"system": SYSTEM}
    route = {**of, "route": "/berths/{id}"}
    yield Case(
        name="Requests, errors and latency of spans are recorded by route",
        series=requests({"200": 3, "503": 1}),
        values={
            "app:http_requests:rate5m": [(of, 4)],
            "app:http_requests_by_route:rate5m": [(route, 4)],
            "app:http_errors:ratio_rate5m": [(of, 0.25)],
            'app:http_latency_seconds:quantile5m{quantile="0.95"}': [({**of, "quantile": "0.95"}, 0.03)],
        },
    )
    yield Case(
        name="Database calls of spans are recorded by operation and outcome",
        series=calls({"ok": 9, "failed": 1}),
        values={
            "app:db_queries:rate5m": [(of, 10)],
            "app:db_query_failures:ratio_rate5m": [(of, 0.1)],
            'app:db_latency_seconds:quantile5m{quantile="0.95"}': [({**of, "quantile": "0.95"}, 0.02)],
        },
    )
    yield Case(
        name="Calls of the external API that the file names are recorded, others are not",
        series=asked("ok", 3, "api.weather.example.com")
        | asked("failed", 1, "api.weather.example.com")
        | asked("failed", 7, "other"),
        values={
            "app:external_api_calls:rate5m": [({**of, "api": "weather"}, 4)],
            "app:external_api_failures:ratio_rate5m": [({**of, "api": "weather"}, 0.25)],
        },
    )
    yield Case(
        name="A system without spans yet has a request rate of 0 while the collector is up",
        series=up(),
        values={"app:http_requests:rate5m": [(of, 0)], "app:system:up": [(of, 1)]},
        systems=(SYSTEM,),
    )


def _alerts() -> Iterator[Case]:
    load = ("applications.yaml",)
    yield Case(
        name="Six percent of errors in spans are HighErrorRate",
        series=requests({"200": 94, "500": 6}),
        alert="HighErrorRate",
        expect={
            "12m": [
                Firing(alert="HighErrorRate", labels={**_LABELS, "severity": "warning", "condition": "error_rate"})
            ]
        },
        load=load,
    )
    yield Case(
        name="Four percent of errors in spans are no HighErrorRate",
        series=requests({"200": 96, "500": 4}),
        alert="HighErrorRate",
        expect={"12m": [], "25m": []},
        load=load,
    )
    yield Case(
        name="A 95th percentile of spans over the threshold is HighResponseTime of the route",
        series=requests({"200": 50}, at=0.8),
        alert="HighResponseTime",
        expect={
            "12m": [
                Firing(
                    alert="HighResponseTime",
                    labels={
                        **_LABELS,
                        "severity": "warning",
                        "condition": "response_time",
                        "route": "/berths/{id}",
                    },
                )
            ]
        },
        load=load,
    )
    yield Case(
        name="A 95th percentile of spans below the threshold is no HighResponseTime",
        series=requests({"200": 50}, at=0.45),
        alert="HighResponseTime",
        expect={"12m": [], "25m": []},
        load=load,
    )
    slo = {**_LABELS, "condition": "error_budget", "slo": "availability"}
    yield Case(
        name="Errors in spans burn the error budget",
        series=requests({"200": 96, "500": 4}),
        alert="SLOErrorBudgetBurn",
        expect={
            "25m": [
                Firing(alert="SLOErrorBudgetBurn", labels={**slo, "severity": severity})
                for severity in ("critical", "warning")
            ]
        },
        load=("objectives.yaml",),
        made=("thresholds", "signals", "slo"),
    )
    yield Case(
        name="Errors in spans within the objective burn no error budget",
        series=requests({"200": 9995, "500": 5}),
        alert="SLOErrorBudgetBurn",
        expect={"12m": [], "25m": []},
        load=("objectives.yaml",),
        made=("thresholds", "signals", "slo"),
    )


CASES = [replace(case, root=SPANNED, settings={"traces": {}}) for case in (*_recorded(), *_alerts())]

test_spans = promtool(CASES)
