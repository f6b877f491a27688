"""The history that the demo generates for a new stack."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest

from dashboards.linked_rules import files
from demo import history
from demo.chance import DAY, WEEK, load
from demo.systems import FAULTS, PROFILES, SHOP
from observability.core.documents import load_yaml
from tests.content.stacks import stack_config
from tests.content.unit.demo_figures import Run, system

END = 1_763_733_600
DAYS = 8

Samples = dict[str, list[tuple[int, float]]]


@pytest.fixture(scope="module")
def samples() -> Samples:
    found: Samples = {}
    for line in history.lines(END - DAYS * 86400, END, 4.0):
        if line != "# EOF":
            series, value, moment = line.rsplit(" ", 2)
            found.setdefault(series, []).append((int(moment), float(value)))
    return found


def named(samples: Samples, name: str) -> Iterator[str]:
    return (series for series in samples if series.partition("{")[0] == name)


def test_the_same_times_give_the_same_text() -> None:
    texts = [list(history.lines(END - 7200, END, 4.0)) for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0][-1] == "# EOF"


def test_every_series_has_a_sample_a_minute_up_to_the_end(samples: Samples) -> None:
    for series, found in samples.items():
        assert found[-1][0] == END, series
        assert {later - earlier for (earlier, _), (later, _) in pairwise(found)} == {60}, series


def test_the_samples_of_a_series_are_adjacent() -> None:
    names = [line.partition("{")[0] for line in history.lines(END - 3600, END, 4.0)]
    assert len(list(dict.fromkeys(names))) == 1 + sum(one != other for one, other in pairwise(names))


def test_the_history_covers_a_week_ago(samples: Samples) -> None:
    for name in ("app:orders:increase1h", "app:revenue_usd:increase1h", "app:active_users:avg1h"):
        for series in named(samples, name):
            assert samples[series][0][0] <= END - WEEK - 3600


@pytest.fixture(scope="module")
def recorded() -> set[tuple[str, str]]:
    """Name and system of every series that the rules record."""
    config = stack_config("dev")
    groups = [group for text in files(config).values() for group in load_yaml(text)["groups"]]
    return {
        (rule["record"], name)
        for group in groups
        for rule in group["rules"]
        for name in PROFILES
        if "record" in rule and (f'system="{name}"' in rule["expr"] or rule.get("labels", {}).get("system") == name)
    }


@pytest.mark.parametrize("name", PROFILES)
def test_the_history_has_recorded_series_and_counters(
    samples: Samples, recorded: set[tuple[str, str]], name: str
) -> None:
    written = {series.partition("{")[0] for series in samples if f'system="{name}"' in series}
    canonical = {series for series in written if series.startswith("app:")}
    assert {(series, name) for series in canonical} <= recorded
    assert written - canonical == {counter.partition("{")[0] for counter in PROFILES[name].counts.values()}


def test_the_team_is_that_of_the_systems_file(samples: Samples) -> None:
    teams = {name: system(name).team for name in PROFILES}
    assert set(named(samples, "app:system:info")) == {
        f'app:system:info{{team="{team}",system="{name}"}}' for name, team in teams.items()
    }


def test_the_counters_have_the_labels_with_which_the_demo_is_scraped(samples: Samples) -> None:
    config = stack_config("dev")
    from observability.scrape.jobs import jobs

    targets = {
        (job.name, target.labels["system"], target.labels["instance"])
        for job in jobs(config)
        for target in job.targets
    }
    counters = [series for series in samples if not series.startswith("app:")]
    assert len(counters) == sum(len(profile.counts) for profile in PROFILES.values())
    for series in counters:
        labels = dict(re.findall(r'(\w+)="([^"]*)"', series))
        assert (labels["job"], labels["system"], labels["instance"]) in targets
        values = [value for _, value in samples[series]]
        assert values == sorted(values)


def test_the_total_of_an_hour_is_the_increase_of_the_counters(samples: Samples) -> None:
    (counter,) = (series for series in named(samples, "orders_created_total") if 'system="erpgo"' in series)
    grown = samples[counter][-1][1] - samples[counter][-61][1]
    assert samples['app:orders:increase1h{system="erpgo"}'][-1][1] == pytest.approx(grown, rel=0.1)


@pytest.mark.parametrize("name", [name for name in PROFILES if name != SHOP.name])
def test_the_history_is_that_of_the_simulation(samples: Samples, name: str) -> None:
    run = Run(name, END - 1200)
    run.for_seconds(1200)
    requests = run.system.signals.http_requests
    assert requests
    counted = requests.series + ("_count" if run.system.series[requests.series].kind == "histogram" else "")
    rate = sum(value for (series, _), value in run.snapshot().items() if series == counted) / 1200
    assert samples[f'app:http_requests:rate5m{{system="{name}"}}'][-1][1] == pytest.approx(rate, rel=0.1)
    if users := run.system.signals.active_users:
        (value,) = (value for (series, _), value in run.snapshot().items() if series == users.series)
        assert samples[f'app:active_users:count{{system="{name}"}}'][-1][1] == pytest.approx(value, rel=0.1)


def test_the_traffic_of_the_shop_matches_the_settings() -> None:
    def rate(setting: float) -> float:
        lines = history.lines(END - 600, END, setting)
        last = [line for line in lines if line.startswith(f'app:http_requests:rate5m{{system="{SHOP.name}"}}')][-1]
        return float(last.split()[1])

    assert rate(4.0) == pytest.approx(4.0 * load(END), rel=0.1)
    assert rate(8.0) == pytest.approx(2 * rate(4.0), rel=0.01)


def test_every_recurring_error_is_in_the_history_a_day_before(samples: Samples) -> None:
    run = Run("erpgo", END)
    known = {
        dict(re.findall(r'(\w+)="([^"]*)"', series))["name"]
        for series in named(samples, "app:error_series:count")
        if 'system="erpgo"' in series and samples[series][0][0] <= END - DAY - 3600
    }
    routes = {route.template for route in run.profile.routes}
    assert known == routes | set(run.profile.error_types)
    assert "new-error-type" in FAULTS["erpgo"]
