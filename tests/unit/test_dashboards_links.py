"""From an alert to the panel that shows it."""

import re
from typing import Any

import pytest
import yaml

import rules
from dashboards.links import OWNER, PANELS, panel_id, panel_url
from dashboards.queries import panels
from observability.settings.load import StackConfig
from tests.unit.conftest import FULL, stack_config
from tests.unit.test_dashboards import documents

DATABASES: dict[str, Any] = {
    **FULL,
    "mongodbExporter": {"targets": [{"address": "mongo.example.com:27017", "system": "alawael"}]},
    "elasticsearchExporter": {"targets": [{"address": "search.example.com:9200", "system": "erpgo"}]},
}
CONFIGS = {"dev": stack_config("dev"), "prod": stack_config("prod", DATABASES)}


def alerts(config: StackConfig) -> set[tuple[str, str]]:
    """The dashboard that each alert's rule names, and the alert's name."""
    found = set()
    for name, text in rules.files(config).items():
        for group in yaml.safe_load(text)["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    link = re.search(r"/d/([^?]+)", rule["annotations"]["dashboard_url"])
                    assert link, f"{name}: {rule['alert']} links to no dashboard"
                    found.add((link[1], rule["alert"]))
    return found


@pytest.mark.parametrize("name", CONFIGS)
def test_every_alert_leads_to_a_panel_that_exists(name: str) -> None:
    config = CONFIGS[name]
    shown = {uid: {panel["id"] for panel in panels(document)} for uid, document in documents(config).items()}
    missing = []
    for pattern, alert in sorted(alerts(config)):
        panel = PANELS.get(pattern, {}).get(alert)
        uids = [pattern.replace(OWNER, system) for system in (*config.systems, "platform")]
        if panel is None or not any(panel in shown.get(uid, ()) for uid in uids):
            missing.append(f"{alert}: {pattern}")
    assert missing == []


def test_no_alert_is_listed_that_no_rule_has() -> None:
    known = alerts(CONFIGS["prod"]) | alerts(CONFIGS["dev"])
    with_promtail = stack_config("dev", {"collector": {"kind": "promtail"}})
    known |= alerts(with_promtail)
    assert {(uid, alert) for uid, names in PANELS.items() for alert in names} - known == set()


@pytest.mark.parametrize(
    ("alert", "url", "panel"),
    [
        ("HighErrorRate", f"/d/{OWNER}-application", "Error Rate"),
        ("HostDown", f"/d/{OWNER}-system?var-instance={{{{ $labels.instance }}}}", "Hosts"),
        ("SLOErrorBudgetBurn", f"/d/obs-slos?var-system={OWNER}", "Error Budget Left"),
    ],
)
def test_the_link_of_an_alert_shows_its_panel(alert: str, url: str, panel: str) -> None:
    assert panel_url(alert, url) == f"{url}{'&' if '?' in url else '?'}viewPanel={panel_id(panel)}"


def test_one_name_on_two_dashboards_leads_to_the_panel_of_each() -> None:
    assert panel_url("HighMemoryUsage", f"/d/{OWNER}-system") != panel_url(
        "HighMemoryUsage", f"/d/{OWNER}-application"
    ).replace("-application", "-system")


def test_an_alert_that_no_panel_shows_keeps_its_link() -> None:
    assert panel_url("Unheard", "/d/obs-alerts") == "/d/obs-alerts"


def test_an_id_does_not_change_from_one_version_to_the_next() -> None:
    assert panel_id("Error Rate") == 259402229
