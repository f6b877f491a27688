"""The stack's content in a real Grafana: the one that $OBS_GRAFANA_URL names.

$OBS_GRAFANA_AUTH_FILE holds a service account token or user:password for it. What the tests make there they take out
again; the uids they use must be free, and its notification policies are set back to Grafana's own.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.grafana import Grafana
from config.load import validate
from dashboards.across import FOLDER
from dashboards.registry import dashboards
from tests.live.conftest import STACK, Project

URL = os.environ.get("OBS_GRAFANA_URL", "")
AUTH_FILE = os.environ.get("OBS_GRAFANA_AUTH_FILE", "")
GRAFANA = {"grafana": {"enabled": True, "url": URL}}

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not (URL and AUTH_FILE), reason="OBS_GRAFANA_URL and OBS_GRAFANA_AUTH_FILE name no Grafana"),
]


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A stack whose content is in that Grafana."""

    project: Project
    grafana: Grafana

    def up(self, **changes: Any) -> str:  # noqa: ANN401
        """Bring the stack up with these settings; the summary line."""
        self.project.configure({**GRAFANA, **changes})
        done = self.project.obs("up", STACK)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[0]

    def dashboard(self) -> dict[str, Any]:
        """The overview as Grafana has it."""
        found: dict[str, Any] = self.grafana.get("api/dashboards/uid/obs-overview")["dashboard"]
        return found

    def save(self, dashboard: dict[str, Any]) -> None:
        """Save it as a person would."""
        body = {"dashboard": dashboard, "folderUid": FOLDER, "overwrite": True}
        httpx.post(f"{URL}/api/dashboards/db", json=body, headers=self.grafana.headers, timeout=10).raise_for_status()


@pytest.fixture(scope="module")
def lab(stack: Project) -> Iterator[Lab]:
    """The stack with its content in Grafana; afterwards it is taken out, and seen to be gone."""
    auth = Path(AUTH_FILE).read_text().strip()
    done = stack.obs("secret", "set", "grafanaAuth", STACK, stdin=auth)
    assert done.returncode == 0, done.stderr
    found = Lab(project=stack, grafana=Grafana(url=URL.rstrip("/"), auth=auth))
    found.up()
    yield found
    stack.configure()
    done = stack.obs("up", STACK)
    assert done.returncode == 0, done.stderr
    left = found.grafana.get("api/search")
    assert not [item for item in left if item["uid"] in (FOLDER, "obs-overview")]
    assert not [p for p in found.grafana.get("api/v1/provisioning/contact-points") if p["name"] == "default"]


def test_verify_finds_everything_there(lab: Lab) -> None:
    done = lab.project.obs("verify", STACK, "--quick")
    assert done.returncode == 0, done.stdout
    rows = [line for line in done.stdout.splitlines() if " Grafana: " in line]
    assert len(rows) >= 8
    assert all(row.startswith("ok") for row in rows)


def test_up_again_changes_nothing(lab: Lab) -> None:
    assert lab.up().startswith(f"{STACK}: 0 changes")


def test_the_dashboard_is_there_as_it_was_generated(lab: Lab) -> None:
    config = validate(STACK, {"environment": "dev", **GRAFANA}, frozenset({"grafanaAuth"}))
    expected = {panel["title"] for entry in dashboards(config) for panel in json.loads(entry.text)["panels"]}
    assert {panel["title"] for panel in lab.dashboard()["panels"]} <= expected
    assert len(lab.dashboard()["panels"]) > 10


def test_a_dashboard_changed_in_code_is_changed_in_grafana_and_nothing_else_is(lab: Lab) -> None:
    source = lab.project.root / "dashboards/overview.py"
    text = source.read_text()
    source.write_text(text.replace('"Targets down"', '"Targets gone"'))
    try:
        assert lab.up().startswith(f"{STACK}: 1 changes")
        assert "Targets gone" in {panel["title"] for panel in lab.dashboard()["panels"]}
    finally:
        source.write_text(text)
    assert lab.up().startswith(f"{STACK}: 1 changes")


def test_a_dashboard_changed_by_hand_is_put_back(lab: Lab) -> None:
    lab.save({**lab.dashboard(), "title": "Changed by hand"})
    assert lab.dashboard()["title"] == "Changed by hand"
    assert lab.up().startswith(f"{STACK}: 1 changes")
    assert lab.dashboard()["title"] == "Overview"


def test_a_folder_removed_by_hand_is_made_anew_with_its_dashboard(lab: Lab) -> None:
    httpx.delete(f"{URL}/api/folders/{FOLDER}", headers=lab.grafana.headers, timeout=10).raise_for_status()
    assert lab.up().startswith(f"{STACK}: 2 changes")
    assert lab.dashboard()["title"] == "Overview"


def test_a_grafana_that_does_not_answer_stops_an_update_before_it_begins(lab: Lab) -> None:
    lab.project.configure({"grafana": {"enabled": True, "url": "http://127.0.0.1:1"}})
    done = lab.project.obs("up", STACK)
    assert done.returncode != 0
    assert "Grafana at http://127.0.0.1:1 does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert lab.up().startswith(f"{STACK}: 0 changes")
