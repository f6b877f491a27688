"""The five systems of the demo expose what the project declares for them, and have a fault for every alert."""

import json
import logging
import re
import threading
import time
from itertools import pairwise

import pytest

from demo.chance import DAY, Picker, load
from demo.engine import Engine, simulations
from demo.exposition import Exposition, metrics_server
from demo.faults import Faults
from demo.log import JsonFormatter
from demo.metrics import Metrics
from demo.systems import FAULTS, PROFILES, SHOP
from observability.core import http
from observability.systems.resolve import thresholds
from observability.systems.signals import Selector
from tests.calls import calls
from tests.content.unit.demo_figures import Run, alerts, system
from tests.content.unit.test_demo_faults import BUSIEST, NEW_ERROR, QUIETEST, SIMULATED, STALLED, WEDNESDAY


@pytest.mark.parametrize("name", PROFILES)
def test_a_system_exposes_the_series_of_its_file_and_nothing_else(name: str) -> None:
    declared = system(name)
    found = {one.name: (one.kind, one.labels, one.buckets) for one in PROFILES[name].series}
    assert found == {key: (spec.kind, spec.labels, spec.bounds) for key, spec in declared.series.items()}
    profile = PROFILES[name]
    assert declared.scrape is not None
    assert (profile.path, profile.job) == (declared.scrape.path, declared.scrape.job)


@pytest.mark.parametrize("name", SIMULATED)
def test_a_simulated_system_exposes_what_it_declares(name: str) -> None:
    run = Run(name, BUSIEST)
    run.for_seconds(60)
    declared = system(name)
    families = {family.name: family for family in run.out.registry.collect()}
    assert families.keys() == {series.removesuffix("_total") for series in declared.series}
    for series, spec in declared.series.items():
        family = families[series.removesuffix("_total")]
        assert family.type == spec.kind
        assert family.samples, series
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == set(spec.labels)
        bounds = {float(sample.labels["le"]) for sample in family.samples if "le" in sample.labels}
        assert bounds == ({*spec.bounds, float("inf")} if spec.bounds else set())


def test_the_shop_exposes_what_it_declares() -> None:
    metrics = Metrics()
    with metrics.query("get_product"):
        metrics.request("GET", "/api/products", 200, 12.0)
    declared = system(SHOP.name)
    families = {family.name: family for family in metrics.registry.collect()}
    assert families.keys() == {series.removesuffix("_total") for series in declared.series}
    for series, spec in declared.series.items():
        family = families[series.removesuffix("_total")]
        assert family.type == spec.kind
        assert {label for sample in family.samples for label in sample.labels} - {"le"} == set(spec.labels)


@pytest.mark.parametrize("name", PROFILES)
def test_every_series_is_exposed_under_the_name_that_the_file_declares(name: str) -> None:
    text = Exposition(PROFILES[name].series).text().decode()
    exposed = set(re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", text, re.MULTILINE))
    declared = {series for series, _ in system(name).series.items()}
    assert declared <= exposed


@pytest.mark.parametrize("name", PROFILES)
def test_every_alert_that_a_system_can_have_has_a_fault_that_raises_it(name: str) -> None:
    declared, by_threshold = system(name), alerts()
    wanted = {alert for one in thresholds(declared) for alert in by_threshold.get((one.name, one.severity), set())}
    wanted |= {NEW_ERROR} if declared.signals.new_routes or declared.signals.error_types else set()
    wanted |= {STALLED} if declared.signals.transactions else set()
    raised = {alert for fault in FAULTS[name].values() for alert in fault.raises}
    assert wanted - raised == set()


@pytest.mark.parametrize("name", PROFILES)
def test_the_alerts_of_a_fault_exist_in_the_rules(name: str) -> None:
    known = {alert for found in alerts().values() for alert in found} | {NEW_ERROR, STALLED}
    beyond = {
        alert.name
        for fault in FAULTS[name].values()
        for alert in (*fault.raises, *fault.may_raise)
        if alert not in known
    }
    assert beyond <= {"EndpointDown", "SLOErrorBudgetBurn"}


@pytest.mark.parametrize("name", SIMULATED)
def test_the_business_counters_are_signals_of_the_systems_file(name: str) -> None:
    signals = system(name).signals
    for word, counter in PROFILES[name].counts.items():
        chosen = getattr(signals, word)
        assert isinstance(chosen, Selector)
        assert counter.partition("{")[0] == chosen.series


@pytest.mark.parametrize("name", SIMULATED)
@pytest.mark.parametrize("moment", [QUIETEST, BUSIEST], ids=["quietest", "busiest"])
def test_the_request_rate_follows_the_hour_of_the_day(name: str, moment: float) -> None:
    run = Run(name, moment)
    run.for_seconds(600)
    requests = run.system.signals.http_requests
    assert requests
    counted = requests.series + ("_count" if run.system.series[requests.series].kind == "histogram" else "")
    total = sum(value for (series, _), value in run.snapshot().items() if series == counted)
    assert total / 600 == pytest.approx(run.profile.pace.requests * load(moment + 300), rel=0.12)


def test_the_same_seed_gives_the_same_figures() -> None:
    runs = [Run("erpgo", WEDNESDAY) for _ in range(2)]
    for run in runs:
        run.for_seconds(60)
    assert runs[0].snapshot() == runs[1].snapshot()


def test_traffic_is_lower_at_night_and_on_weekends() -> None:
    days = [[load(WEDNESDAY + day * DAY + hour * 3600) for hour in range(24)] for day in range(7)]
    assert max(map(max, days)) == pytest.approx(1, abs=0.03)
    assert all(day.index(min(day)) in (2, 3, 4) for day in days)
    assert min(map(min, days)) == pytest.approx(0.28, abs=0.01)
    wednesday, saturday = days[0], days[3]
    assert max(saturday) == pytest.approx(0.7 * max(wednesday), rel=0.05)


def test_traffic_does_not_jump_from_one_minute_to_the_next() -> None:
    week = [load(WEDNESDAY + minute * 60) for minute in range(7 * 24 * 60)]
    assert max(abs(one - other) for one, other in pairwise(week)) < 0.003


def test_a_picker_picks_exactly_its_share() -> None:
    picker = Picker(0.4)
    assert sum(picker.pick(0.07) for _ in range(10_000)) == 700


def test_the_work_of_a_tick_does_not_grow_over_time() -> None:
    made = simulations(lambda _, __: None, seed=7)
    engine = Engine([simulation for simulation, _ in made.values()], Faults(FAULTS))
    now = time.time()

    def minute(number: int) -> int:
        def tick() -> None:
            for second in range(60 * number + 1, 60 * number + 61):
                engine.tick(now + second)

        return calls(tick)

    first, *_, last = (minute(number) for number in range(4))
    assert last < 1.5 * first


def test_after_a_pause_the_engine_continues_from_the_current_time() -> None:
    made = simulations(lambda _, __: None, seed=7)
    engine = Engine([made["erpgo"][0]], Faults(FAULTS))
    now = time.time()
    engine.tick(now + 86400)
    engine.tick(now)
    text = made["erpgo"][1].text().decode()
    orders = next(line for line in text.splitlines() if line.startswith("orders_created_total "))
    assert float(orders.split()[1]) < 60


def test_a_simulated_system_logs_its_failures_and_its_requests_each_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "http")
    caplog.handler.setFormatter(JsonFormatter(SHOP.name))
    made = simulations(lambda _, __: None, seed=7)
    faults = Faults(FAULTS)
    faults.start("alawael", "critical-error-rate", 600)
    engine = Engine([made["alawael"][0], made["syncup"][0]], faults)
    now = time.time()
    for second in range(1, 122):
        engine.tick(now + second)
    lines = [json.loads(line) for line in caplog.text.splitlines()]
    failed = [line for line in lines if line["level"] == "error" and line["system"] == "alawael"]
    assert {line["status_code"] for line in failed} == {500}
    assert {line["route"] for line in failed} <= {route.template for route in PROFILES["alawael"].routes}
    assert len({line["correlation_id"] for line in failed}) == len(failed) > 10
    for name in ("alawael", "syncup"):
        counted = [line["requests"] for line in lines if "requests" in line and line["system"] == name]
        assert len(counted) == 3
        assert min(counted[1:]) > 10
    assert {line["system"] for line in lines} == {"alawael", "syncup"}


def test_a_simulated_system_serves_its_path_and_reports_healthy() -> None:
    made = simulations(lambda _, __: None, seed=7)
    server = metrics_server(PROFILES["syncup"], made["syncup"][1], port=0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with http.client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as client:
        found = client.get("/api/metrics")
        assert "openai_api_tokens_total" in found.text
        assert found.headers["content-type"].startswith("text/plain")
        assert '"status":"ok"' in client.get("/health").text
        assert client.get("/metrics").status_code == 404
    server.shutdown()
    server.server_close()
