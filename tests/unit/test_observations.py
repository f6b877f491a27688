"""Which firing alerts of the stack itself are rows of `verify`."""

from typing import Any

import pytest

from observability.operations.observations import alerts


def _rows(*labels: dict[str, str], state: str = "firing") -> list[tuple[str, str]]:
    def get(server: str, path: str, **_: str) -> dict[str, Any]:
        assert (server, path) == ("prometheus", "/api/v1/alerts")
        return {"data": {"alerts": [{"state": state, "labels": one} for one in labels]}}

    return [(row.check, row.verdict) for row in alerts(get)]


def _alert(name: str, **labels: str) -> dict[str, str]:
    return {"alertname": name, "system": "platform", "component": "monitoring", "severity": "warning", **labels}


NONE = [("alerts about the stack", "passed")]


def test_a_firing_alert_of_the_stacks_own_parts_fails() -> None:
    assert _rows(_alert("LokiRequestErrors")) == [("alert LokiRequestErrors", "failed")]


def test_a_firing_alert_of_the_stacks_host_is_a_warning() -> None:
    assert _rows(_alert("HighDiskUsage", component="host")) == [("alert HighDiskUsage", "warning")]


@pytest.mark.parametrize(
    "labels",
    [_alert("BackupFinished", severity="info"), _alert("Watchdog"), _alert("HighErrorRate", system="shop")],
    ids=["severity info", "Watchdog", "another system"],
)
def test_an_alert_that_asks_nothing_of_the_stacks_operator_is_no_row(labels: dict[str, str]) -> None:
    assert _rows(labels) == NONE


def test_a_pending_alert_is_no_row() -> None:
    assert _rows(_alert("LokiRequestErrors"), state="pending") == NONE
