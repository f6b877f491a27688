"""Links from an alert to the panel that shows it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.linked_rules import files
from dashboards.links import PANELS, panel_id, shown
from dashboards.queries import panels
from observability.core.documents import load_yaml
from observability.core.naming import OWNER
from observability.settings.load import StackConfig
from rules import FOLDER
from tests.unit.conftest import FULL, stack_config
from tests.unit.test_dashboards import documents

CONFIGS = {"dev": stack_config("dev"), "prod": stack_config("prod", FULL)}


def alerts(config: StackConfig) -> Iterator[tuple[str, str, str]]:
    """Name, component and link of every alert."""
    for text in files(config).values():
        for group in load_yaml(text)["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    yield rule["alert"], rule["labels"]["component"], rule["annotations"].get("dashboard_url", "")


@pytest.mark.parametrize("name", CONFIGS)
def test_every_alert_links_to_a_panel_that_exists(name: str) -> None:
    config = CONFIGS[name]
    there = {uid: {panel["id"] for panel in panels(document)} for uid, document in documents(config).items()}
    missing = []
    for alert, component, url in sorted(alerts(config)):
        panel = shown(alert, component)
        uids = [panel.uid.replace(OWNER, system) for system in (*config.systems, "platform")] if panel else []
        if panel is None or not url.endswith(panel.url) or not any(panel.panel in there.get(uid, ()) for uid in uids):
            missing.append(f"{component}/{alert}: {url}")
    assert missing == []


def test_every_listed_alert_has_a_rule() -> None:
    known = {name for path in FOLDER.glob("*.yaml") for name in names(path)}
    assert {alert for alert in PANELS if alert not in known} == set()


def names(path: Path) -> Iterator[str]:
    """The alerts of a rule file, by name and by component/name."""
    for group in load_yaml(path.read_text())["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                yield rule["alert"]
                yield f"{rule['labels']['component']}/{rule['alert']}"


@pytest.mark.parametrize(
    ("alert", "url", "panel"),
    [
        ("HighErrorRate", f"/d/{OWNER}-application", "Error Rate"),
        ("HostDown", f"/d/{OWNER}-system?var-instance={{{{ $labels.instance }}}}", "Hosts"),
        ("SLOErrorBudgetBurn", f"/d/obs-slos?var-system={OWNER}", "Error Budget Left"),
    ],
)
def test_the_link_of_an_alert_shows_its_panel(alert: str, url: str, panel: str) -> None:
    found = shown(alert)
    assert found
    assert found.url == f"{url}{'&' if '?' in url else '?'}viewPanel={panel_id(panel)}"


def test_an_alert_of_two_components_links_to_the_panel_of_each() -> None:
    process, host = shown("HighMemoryUsage", "application"), shown("HighMemoryUsage", "host")
    assert process
    assert host
    assert process.uid == f"{OWNER}-application"
    assert host.uid == f"{OWNER}-system"
    assert process.panel != host.panel
    assert shown("HighMemoryUsage") is None


def test_an_alert_that_no_panel_shows_has_no_panel() -> None:
    assert shown("Unheard", "application") is None


def test_an_id_does_not_change_between_versions() -> None:
    assert panel_id("Error Rate") == 259402229
