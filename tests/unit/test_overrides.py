"""The `for` of single alerts, by a system's file or an environment."""

from typing import Any

import pytest

from dashboards.linked_rules import files
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.settings.load import StackConfig
from observability.systems.model import AlertWaits, Waits, merged_waits
from tests.unit.conftest import stack_config


def config(**systems: dict[str, Any]) -> StackConfig:
    return stack_config("dev", {"systems": {name.replace("_", "-"): own for name, own in systems.items()}})


Found = dict[str, str | None]
"""The `for` of an alert's rules: by what their expression ends with, which are the systems that they are about."""


def every(found: StackConfig) -> dict[tuple[str, str], Found]:
    """The `for` of all alerts that are not about the stack itself only, by name and severity."""
    read: dict[tuple[str, str], Found] = {}
    for text in files(found).values():
        for group in load_yaml(text)["groups"]:
            for rule in group["rules"]:
                if "alert" in rule and "system" not in rule["labels"]:
                    end = rule["expr"].strip().rpartition("\n")[2]
                    read.setdefault((rule["alert"], rule["labels"]["severity"]), {})[end] = rule.get("for")
    return read


def waits(found: StackConfig, alert: str, severity: str) -> Found:
    """The `for` of one alert."""
    return every(found)[alert, severity]


def only(system: str) -> str:
    return f'and on (system) app:system:info{{system="{system}"}}'


def others(system: str) -> str:
    return f'unless on (system) app:system:info{{system="{system}"}}'


def test_an_alert_without_a_threshold_has_the_for_of_its_system_only_there() -> None:
    found = config(depot={"for": {"HostDown": "3m"}})
    assert waits(found, "HostDown", "critical") == {only("depot"): "3m", others("depot"): "1m"}
    assert waits(found, "NodeExporterDown", "warning").keys() == waits(config(), "NodeExporterDown", "warning").keys()


def test_every_alert_that_systems_have_accepts_a_for() -> None:
    names = {name for name, _ in every(config())}
    assert len(names) > 60
    own = {system: {"for": dict.fromkeys(names, wait)} for system, wait in (("depot", "13m"), ("platform", "17m"))}
    for alert, found in every(config(**own)).items():
        assert (found[only("depot")], found[only("platform")]) == ("13m", "17m"), alert


def test_a_for_may_differ_by_severity() -> None:
    found = config(depot={"for": {"CertificateExpiring": {"critical": "30m"}}})
    assert waits(found, "CertificateExpiring", "critical")[only("depot")] == "30m"
    assert only("depot") not in waits(found, "CertificateExpiring", "warning")


def test_the_for_of_an_alert_is_above_that_of_its_threshold() -> None:
    own = {"thresholds": {"cpuRatio": {"for": "20m"}}, "for": {"HighCPUUsage": "30m"}}
    found = config(depot=own)
    assert waits(found, "HighCPUUsage", "warning")[only("depot")] == "30m"
    assert waits(found, "CriticalCPUUsage", "critical")[only("depot")] == "20m"


def test_an_alert_of_the_stack_itself_has_the_for_of_the_platform() -> None:
    found = config(platform={"for": {"ServiceDown": "6m"}})
    assert set(waits(found, "ServiceDown", "critical").values()) == {"6m", "1m"}


def test_an_environment_overrides_the_for_of_a_file_by_severity() -> None:
    below: AlertWaits = {"CertificateExpiring": Waits(warning="10m", critical="10m"), "HostDown": Waits(critical="2m")}
    merged = merged_waits(below, {"CertificateExpiring": Waits(critical="1m")})
    assert merged == {**below, "CertificateExpiring": Waits(warning="10m", critical="1m")}


@pytest.mark.parametrize("field", ["for", "page"])
def test_an_alert_that_does_not_exist_is_refused_with_those_that_do(field: str) -> None:
    owns: dict[str, dict[str, Any]] = {
        "for": {"for": {"HostDwon": "3m"}},
        "page": {"page": {"alerts": {"HostDwon": True}}},
    }
    with pytest.raises(ConfigError) as raised:
        files(config(depot=owns[field]))
    path = {"for": "systems.depot: for.HostDwon", "page": "systems.depot: page.alerts.HostDwon"}[field]
    assert raised.value.what == f"{path}: there is no such alert"
    near, _, known = raised.value.fix.partition("known here: ")
    assert near == "did you mean 'HostDown'? "
    names = known.split(", ")
    assert names == sorted(names)
    assert {"AlertmanagerClusterSplit", "HighErrorRate", "Watchdog"} <= set(names)


def test_a_severity_that_an_alert_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigError) as raised:
        files(config(depot={"for": {"HostDown": {"warning": "3m"}}}))
    assert raised.value.what == "systems.depot: for.HostDown: HostDown has no rule of severity warning"
    assert raised.value.fix == "write HostDown: 5m, or one for its severity: critical"


@pytest.mark.parametrize("stated", ["3 minutes", 3])
def test_a_for_that_is_no_duration_is_refused_by_path(stated: object) -> None:
    with pytest.raises(ConfigError, match=r"systems\.depot\.for\.HostDown"):
        config(depot={"for": {"HostDown": stated}})
