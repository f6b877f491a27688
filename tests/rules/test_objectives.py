"""The burn rate of error budgets, for each system and objective, from the systems' own raw series.

The budget of availability is 0.1 % of requests, that of latency 1 %. A few minutes of recorded samples do not fill a
window, so all windows have the share of these minutes; with days of samples each window has its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tests.rules.course import counter
from tests.rules.harness import Case, Firing, Says, promtool
from tests.rules.raw import HTTP, Series, series

SYSTEMS: Final = ("hospital", "depot", "academy", "studio", "print-shop")
ROUTE: Final = {"depot": "path"}
STATUS: Final = {"depot": "status", "studio": "status"}
"""Labels of requests that are not named `route` and `status_code`."""

Stretch = tuple[float, float, float]
"""Hours, requests per second, and the share of them that is bad."""


def burn(severity: str, system: str, slo: str = "availability") -> Firing:
    labels = {"severity": severity, "component": "application", "condition": "error_budget"}
    return Firing(alert="SLOErrorBudgetBurn", labels={**labels, "system": system, "team": system, "slo": slo})


def case(name: str, found: Series, expect: Mapping[str, Sequence[Firing]], **more: Any) -> Case:  # noqa: ANN401
    return Case(
        name=f"SLOErrorBudgetBurn {name}",
        alert="SLOErrorBudgetBurn",
        series=found,
        expect=expect,
        load=("objectives.yaml",),
        made=("thresholds", "signals", "slo"),
        step="1m",
        **more,
    )


def rising(shares: Sequence[float], stretches: Sequence[Stretch]) -> str:
    """A counter, each minute, of a share of the requests of each period."""
    pieces = [
        (round(60 * hours), 60 * rate * share) for (hours, rate, _), share in zip(stretches, shares, strict=True)
    ]
    return counter(*pieces)


def requests(system: str, *stretches: Stretch) -> Series:
    """Requests of which a share gets status 500."""
    name = "http_request_duration_seconds_count" if system == "hospital" else "http_requests_total"
    labels = {"method": "GET", ROUTE.get(system, "route"): "/"}
    status = STATUS.get(system, "status_code")
    return {
        series(name, system, {**labels, status: "200"}): rising([1 - bad for *_, bad in stretches], stretches),
        series(name, system, {**labels, status: "500"}): rising([bad for *_, bad in stretches], stretches),
    }


def times(system: str, *stretches: Stretch, written: str = "g") -> Series:
    """Requests of which a share takes longer than the target, in classic buckets."""
    name, unit, target = ("http_request_duration_seconds", 1, 1.0)
    if system == "print-shop":
        name, unit, target = ("http_request_duration_ms", 1000, 0.5)
    labels = {"method": "GET", ROUTE.get(system, "route"): "/"}
    found: Series = {}
    for bound in HTTP:
        shares = [0.0 if bound < target else 1 - bad if bound == target else 1.0 for *_, bad in stretches]
        le = f"{bound * unit:{written}}"
        found[series(f"{name}_bucket", system, {**labels, "le": le})] = rising(shares, stretches)
    every = rising([1.0] * len(stretches), stretches)
    return found | {series(f"{name}_bucket", system, {**labels, "le": "+Inf"}): every}


def _each() -> Iterator[Case]:
    """Every system and objective: half an hour with a share of bad requests, next to a healthy system."""
    for system in SYSTEMS:
        beside = "depot" if system != "depot" else "studio"
        for slo, make, budget in (("availability", requests, 0.001), ("latency", times, 0.01)):
            good = make(beside, (0.5, 10, 0.99 * budget))

            def of(name: str, burned: float, expect: Mapping[str, Sequence[Firing]], **more: Any) -> Case:  # noqa: ANN401
                found = make(system, (0.5, 10, burned * budget)) | good  # noqa: B023 - called at once
                return case(f"{name} of {system}'s {slo}", found, expect, every="1m", **more)  # noqa: B023

            critical, warning = burn("critical", system, slo), burn("warning", system, slo)
            yield of(
                "is critical after 2 and a warning after 5 minutes of a sixfold burn",
                6.1,
                {"2m": [], "3m": [critical], "5m": [critical], "6m": [critical, warning], "20m": [critical, warning]},
            )
            yield of("is no more than a warning just under a sixfold burn", 5.9, {"20m": [warning]})
            yield of("is silent just under a burn that the budget allows", 0.99, {"20m": []})


def _windows() -> Iterator[Case]:
    """Each pair of windows fires alone, after its long one was just below the burn rate and its short one above."""
    critical, warning = burn("critical", "depot"), burn("warning", "depot")
    near: tuple[Stretch, ...] = ((5 / 6, 10, 0.013), (1 / 6, 10, 0.02), (1 / 6, 10, 0.0145))
    yield case(
        "over 1h and 5m is critical at 14.4 times",
        requests("depot", (40, 10, 0), *near, (7, 10, 0), (1.25, 10, 0.0146), (1, 10, 0)),
        {"41h5m": [], "41h10m": [], "48h": [], "49h15m": [critical], "49h45m": []},
        every="5m",
    )
    near = ((5.5, 10, 0.0055), (1, 10, 0.008))
    yield case(
        "over 6h and 30m is critical at 6 times",
        requests("depot", (40, 100, 0), *near, (20, 10, 0), (6.75, 10, 0.0061), (1, 10, 0)),
        {"46h30m": [], "72h": [], "73h": [critical], "74h15m": []},
        every="15m",
    )
    yield case(
        "over 1d and 2h is a warning at 3 times, where busier days before keep 3d below 1",
        requests("depot", (48, 100, 0), (22, 10, 0.0028), (2, 10, 0.004), (6, 10, 0.004)),
        {"73h30m": [], "74h30m": [warning]},
        every="15m",
    )
    yield case(
        "over 3d and 6h is a warning at 1 times",
        requests("depot", (67, 10, 0.00095), (15, 10, 0.0013)),
        {"73h": [], "81h": [warning]},
        every="15m",
    )


def _others() -> Iterator[Case]:
    critical, warning = burn("critical", "depot"), burn("warning", "depot")
    yield case(
        "ends with the short windows, hours after a burst that the long ones still show",
        requests("depot", (72, 10, 0), (0.5, 10, 1), (8, 10, 0)),
        {"72h30m": [critical, warning], "73h15m": [warning], "79h15m": []},
        every="15m",
        values={"slo:sli_error:ratio_rate3d > bool 0.001": [({"system": "depot", "slo": "availability"}, 1)]},
        at="79h15m",
    )
    yield case(
        "is silent with too few requests",
        requests("depot", (1, 0.09, 0.5)) | times("depot", (1, 0.09, 0.5)),
        {"30m": [], "55m": []},
        every="1m",
    )
    yield case(
        "tells how fast the budget burns and what is left of it",
        requests("depot", (1, 10, 0.02)),
        {"4m": [critical]},
        every="1m",
        says=Says(
            summary="depot burns the error budget of its availability",
            description=(
                "depot burns the error budget of its availability 20.0 times as fast as allowed: at this rate the "
                "budget of 30 days lasts 1d 12h 0m 0s. 0% of it is left."
            ),
        ),
    )
    yield case(
        "sees slow requests in native histograms",
        {
            series("http_request_duration_seconds", "depot", {"method": "GET", "path": "/"}): (
                "{{schema:0 count:0}}+{{schema:0 sum:600 count:600 buckets:[560 40]}}x60"
            )
        },
        {"20m": [burn("critical", "depot", "latency"), burn("warning", "depot", "latency")]},
        every="1m",
    )
    yield case(
        "finds the target's bucket however its bound is written",
        times("depot", (1, 10, 0.061), written=".3f"),
        {"20m": [burn("critical", "depot", "latency"), burn("warning", "depot", "latency")]},
        every="1m",
    )


def _recorded() -> Iterator[Case]:
    # One percent of the requests include all of the errors, a tenth of them: 0.099 % of all. For the last hour
    # hourly means contain only half.
    labels = {"system": "depot", "slo": "availability"}
    yield Case(
        name="Every request counts once in the windows of days, whenever it came",
        series=requests("depot", (24, 100, 0), (24, 1, 0.1)),
        made=("signals", "slo"),
        step="1m",
        every="15m",
        values={
            f'abs({name}{{slo="availability"}} - {value}) < bool 0.03 * {value}': [(labels, 1)]
            for name, value in {
                "slo:sli_error:ratio_rate1d": 0.1,
                "slo:sli_error:ratio_rate3d": 0.00099,
                "slo:sli_error:ratio_rate30d": 0.00099,
                "slo:objective:ratio": 0.999,
                "slo:error_budget:ratio": 0.001,
                "slo:current_burn_rate:ratio": 100,
                "slo:period_burn_rate:ratio": 0.99,
            }.items()
        },
        at="48h",
    )


CASES: Final = (*_each(), *_windows(), *_others(), *_recorded())

test_alerts = promtool(CASES)
