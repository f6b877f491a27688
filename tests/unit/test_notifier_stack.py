"""The notifier in a stack: where updates go, what mutes them, who does not see them, and what its container has."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest

from observability.alerting import alertmanager
from observability.alerting.routes import NOBODY, taken
from observability.core import http
from observability.core.alert import UPDATE, UPDATE_SENT
from observability.core.documents import load_yaml
from observability.operations.alertmanager import Alertmanager
from observability.settings.load import StackConfig, secret_specs, validate
from observability.settings.notifications import WEBHOOK_SECRET
from observability.synth.declared import CONTAINER
from tests.unit.conftest import REFERENCE, declared, stack_config
from tests.unit.test_inhibition import ERRORS, mutes
from tests.unit.test_route import NOTIFICATIONS, PAGER_ALONE

OFF: Final = {"notifier": {"enabled": False}}
MUTE: Final = {"alertname": "UpdateSent", UPDATE: "1", UPDATE_SENT: "yes"}
PICTURES: Final = {"notifier": {"pictures": {"url": "https://obs.example.com/pictures", "port": 9096}}}


def receivers(config: StackConfig, labels: Mapping[str, str]) -> list[str]:
    return [route.receiver for route in taken(config, labels)]


@pytest.mark.parametrize("labels", [{"team": "studio"}, {"component": "security"}, {"component": "database"}])
def test_an_update_goes_to_all_receivers_of_its_alert_but_pagers(labels: dict[str, str]) -> None:
    config = stack_config("dev", {"notifications": NOTIFICATIONS})
    alert = {"severity": "critical", "component": "host", **labels}
    usual = receivers(config, alert)
    assert [name for name in usual if name.endswith("-page") or name.startswith("oncall-")]
    without = [name for name in usual if not (name.endswith("-page") or name.startswith("oncall-"))]
    assert receivers(config, {**alert, UPDATE: "1"}) == without


def test_an_update_of_an_alert_that_only_pages_goes_to_nobody() -> None:
    values = {"notifications": PAGER_ALONE}
    # The webhook for all alerts would be another receiver.
    config = validate("dev", values, frozenset(secret_specs(values, REFERENCE)) - {WEBHOOK_SECRET}, REFERENCE)
    alert = {"severity": "critical", "component": "host"}
    assert receivers(config, alert) == ["critical-page"]
    assert receivers(config, {**alert, UPDATE: "1"}) == [NOBODY]


def test_the_alert_that_mutes_an_update_goes_to_nobody() -> None:
    config = stack_config("dev", {"notifications": NOTIFICATIONS})
    assert receivers(config, MUTE) == [NOBODY]
    document = load_yaml(alertmanager.files(config)["alertmanager.yaml"])
    assert {"name": NOBODY} in document["receivers"]


def test_without_the_notifier_no_update_is_routed_to_nobody() -> None:
    config = stack_config("dev", {"notifications": PAGER_ALONE, **OFF})
    assert receivers(config, MUTE) != [NOBODY]
    assert not config.runs("notifier")


def test_an_update_that_was_sent_is_muted_by_its_own_mute_only() -> None:
    assert mutes(MUTE, {**ERRORS, UPDATE: "1"}) == ["update sent"]
    assert mutes(MUTE, {**ERRORS, UPDATE: "2"}) == []
    assert mutes(MUTE, ERRORS) == []
    assert mutes({**ERRORS, UPDATE: "1"}, ERRORS) == []


def test_commands_do_not_see_the_alerts_of_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    alerts = [{"labels": ERRORS}, {"labels": {**ERRORS, UPDATE: "1"}}, {"labels": MUTE}]

    def request(_: str, url: str, **__: object) -> httpx.Response:
        found: Any = [{"receiver": {"name": "a"}, "alerts": alerts}] if url.endswith("/groups") else alerts
        return httpx.Response(200, json=found)

    monkeypatch.setattr(http, "request", request)
    server = Alertmanager(url="http://alertmanager")
    assert server.alerts() == [{"labels": ERRORS}]
    assert server.groups() == [{"receiver": {"name": "a"}, "alerts": [{"labels": ERRORS}]}]


def container(values: dict[str, Any]) -> Mapping[str, Any]:
    (found,) = (one for one in declared("dev", values) if one.name == "notifier-server-container")
    assert found.type == CONTAINER
    return found.inputs


def test_its_port_and_a_volume_are_there_with_pictures_only() -> None:
    without, with_pictures = container({}), container(PICTURES)
    assert not without.get("ports")
    assert [one["containerPath"] for one in without["volumes"]] == ["/etc/notifier"]
    assert [(one["internal"], one["external"], one["ip"]) for one in with_pictures["ports"]] == [
        (9096, 9096, "127.0.0.1")
    ]
    assert [one["containerPath"] for one in with_pictures["volumes"]] == ["/etc/notifier", "/var/lib/notifier"]


@pytest.mark.parametrize(("profile", "runs"), [("full", True), ("metrics", True), ("minimal", False)])
def test_it_runs_in_the_profiles_that_have_alerts_to_explain(profile: str, runs: bool) -> None:
    assert stack_config("dev", {"profile": profile}).runs("notifier") is runs
