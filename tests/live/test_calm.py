"""The five systems in a healthy stack: their targets, what is recorded for them, and its cost."""

import re
from contextlib import suppress
from typing import Any

import pytest

from dashboards.linked_rules import files
from observability.core.alert import RECENT
from tests.content.stacks import stack_config
from tests.live import past
from tests.live.conftest import Project, until

SYSTEMS = ("alawael", "erpgo", "neuroerp", "social-selling", "syncup")

WITHOUT_DATA: dict[str, str] = {
    "app:error_groups:sum1h": "no line names the group of an error",
    "app:http_client_errors:ratio_avg1d": "it takes a day of what it averages",
    "app:log_error_kinds:new1h": "no service logs a new kind of error",
    "instance:pg_wal_receiver:present_over_time1w": "no standby is watched",
    "instance_device:node_filesystem_full:seconds_deriv1h": "no filesystem fills",
    "instance_device:node_filesystem_readonly_wrong:bool": "no filesystem is wrongly called read-only",
    "instance_device:node_md_disks_active:max_over_time1w": "the host has no RAID array",
    "instance_probe:certificate_validity:seconds": "no address of the demo speaks TLS",
}
"""Recordings that return nothing in a healthy stack, and why."""


@pytest.fixture(scope="module")
def watched(stack: Project) -> Project:
    """The stack, with a history."""
    past.give(stack)
    return stack


def rules(stack: Project) -> list[dict[str, Any]]:
    """Every rule, as reported by Prometheus."""
    return [rule for group in stack.prometheus("rules")["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_target_of_a_system_is_up(stack: Project, system: str) -> None:
    def up() -> bool:
        found = stack.prometheus("query", query=f'up{{system="{system}"}}')["result"]
        return bool(found) and all(one["value"][1] == "1" for one in found)

    until(up)


def test_no_rule_is_unhealthy(watched: Project) -> None:
    def evaluated() -> bool:
        return {rule["health"] for rule in rules(watched)} == {"ok"}

    # The longest evaluation interval of a group is two minutes.
    until(evaluated)


def test_every_recording_rule_returns_data(watched: Project) -> None:
    recorded = {(rule["name"], rule.get("labels", {}).get("system", "")) for rule in rules(watched)}
    recorded = {one for one in recorded if not one[0][:1].isupper()}
    assert len(recorded) > 300

    def silent() -> set[tuple[str, str]]:
        found = watched.prometheus("query", query='count by (__name__, system) ({__name__=~".+:.+"})')["result"]
        there = {(one["metric"]["__name__"], one["metric"].get("system", "")) for one in found}
        names = {name for name, _ in there}
        return {one for one in recorded if one not in there and not (one[1] == "" and one[0] in names)}

    until(lambda: {name for name, _ in silent()} <= WITHOUT_DATA.keys())


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_signal_that_a_system_declares_is_recorded(watched: Project, system: str) -> None:
    text = files(stack_config("dev"))["signals.yaml"]
    group = re.search(rf"- name: signals-{system}\n(.*?)(?=\n- name: |\Z)", text, re.DOTALL)
    assert group
    declared = set(re.findall(r"record: (\S+)", group[1]))
    assert declared

    def there() -> set[str]:
        query = f'count by (__name__) ({{__name__=~"app:.+", system="{system}"}})'
        return {one["metric"]["__name__"] for one in watched.prometheus("query", query=query)["result"]}

    until(lambda: declared - there() <= WITHOUT_DATA.keys())


def test_in_a_healthy_stack_only_the_watchdog_fires(watched: Project) -> None:
    # The load of the machine belongs to the tests; and a target that earlier tests stopped counts as flapping for a
    # quarter of an hour.
    foreign = {("platform", "flapping"), ("platform", "load"), ("platform", "cpu_usage")}

    def firing() -> list[str]:
        # Not the series ALERTS: after a restart, an alert from before is in it for five minutes.
        alerts = [one["labels"] for one in watched.prometheus("alerts")["alerts"] if one["state"] == "firing"]
        # RecentlyCritical repeats what was critical up to half an hour ago.
        calm = (one for one in alerts if one["alertname"] != RECENT)
        return [one["alertname"] for one in calm if (one["system"], one["condition"]) not in foreign]

    # An alert for a server that an earlier test stopped fires until its window is over.
    with suppress(AssertionError):
        until(lambda: firing() == ["Watchdog"])
    assert firing() == ["Watchdog"]
