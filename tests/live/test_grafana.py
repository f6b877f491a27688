"""The stack's content in a real Grafana: the one that $OBS_GRAFANA_URL names.

$OBS_GRAFANA_AUTH_FILE holds a service account token or user:password for it. The tests remove what they create there;
the uids they use must be free, and the notification policies are reset to Grafana's default.
"""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dashboards.across import FOLDER
from dashboards.registry import dashboards
from observability.core import http
from observability.operations.grafana import Grafana
from observability.settings.load import validate
from tests.live.conftest import STACK, Project

URL = os.environ.get("OBS_GRAFANA_URL", "")
AUTH_FILE = os.environ.get("OBS_GRAFANA_AUTH_FILE", "")
GRAFANA: dict[str, Any] = {"enabled": True, "url": URL}

RECEIVERS: dict[str, Any] = {
    "ops-mail": {"email": {"to": ["ops@example.com", "boss@example.com"]}},
    "slack-hook": {"slack": {"channel": "#alerts-critical"}},
    "slack-bot": {"slack": {"channel": "#alerts-warning", "bot": True}},
    "pager": {"pagerduty": {}},
    "teams": {"msteams": {}},
    "discord": {"discord": {}},
    "telegram": {"telegram": {"chatId": -100}},
    "genie": {"opsgenie": {"region": "eu"}},
    "phone": {"pushover": {}},
    "hook": {"webhook": {}, "resolved": False},
}
"""Every kind of channel."""

NOTIFICATIONS: dict[str, Any] = {
    "smtp": {"host": "smtp.example.com", "sender": "alerts@example.com"},
    "receivers": RECEIVERS,
    "default": ["ops-mail"],
    "critical": ["ops-mail", "slack-hook", "pager", "phone"],
    "warning": {"receivers": ["ops-mail", "slack-bot"], "mute": ["nights"]},
    "info": ["hook"],
    "components": {"database": ["teams", "genie"]},
    "teams": {"erpgo": ["discord", "telegram"]},
    "muteTimes": {"nights": {"times": ["22:00-07:00"], "location": "Europe/Berlin"}},
}

FEWER: dict[str, Any] = {
    **NOTIFICATIONS,
    "receivers": {
        **{name: one for name, one in RECEIVERS.items() if name not in ("pager", "genie", "hook")},
        "paging": {"webhook": {}},
    },
    "critical": ["ops-mail", "slack-hook", "phone"],
    "info": ["paging"],
    "components": {"database": ["teams"]},
}
"""The same without some receivers that were in use, and with one renamed."""

ELSEWHERE: dict[str, Any] = {
    "tempo": {"url": "http://127.0.0.1:1"},
    "elasticsearch": {"url": "http://127.0.0.1:1", "user": "grafana"},
    "cloudwatch": {"region": "eu-central-1", "accessKey": "AKIAIOSFODNN7EXAMPLE"},
    "sentry": {"url": "http://127.0.0.1:1", "organization": "acme"},
}
"""Every data source that is not the stack's own; no server responds at its address."""

TEMPLATES = ("title", "text", "markdown", "slack", "telegram", "colour", "dashboard", "pagerduty.severity")

SECRETS = {
    "slackHookUrl": "https://hooks.slack.com/services/T/B/x",
    "slackBotToken": "xoxb-not-a-token",
    "pagerKey": "not-a-key-of-pagerduty",
    "teamsUrl": "https://example.webhook.office.com/workflow",
    "discordUrl": "https://discord.com/api/webhooks/1/x",
    "telegramToken": "1:not-a-token",
    "genieKey": "not-a-key-of-opsgenie",
    "phoneToken": "not-a-token-of-pushover",
    "phoneUser": "not-a-user-of-pushover",
    "hookUrl": "http://127.0.0.1:1/",
    "pagingUrl": "http://127.0.0.1:1/",
    "grafanaElasticsearchPassword": "not-a-password",
    "grafanaCloudwatchSecretKey": "not-a-secret-key",
    "grafanaSentryToken": "not-a-token-of-sentry",
}

pytestmark = [
    pytest.mark.skipif(not (URL and AUTH_FILE), reason="OBS_GRAFANA_URL and OBS_GRAFANA_AUTH_FILE name no Grafana"),
]


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A stack whose content is in that Grafana."""

    project: Project
    grafana: Grafana

    def configure(self, notifications: dict[str, Any], **grafana: Any) -> None:  # noqa: ANN401
        """Set who receives alerts, and further settings of Grafana."""
        # Sections are merged key by key, so a setting that is dropped is set to null.
        self.project.usual = {}
        self.project.configure({"grafana": {**GRAFANA, **grafana}, "notifications": notifications})

    def obs(self, *arguments: str, stdin: str = "") -> str:
        """Run a command that must succeed; its output."""
        done = self.project.obs(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def up(self, notifications: dict[str, Any] = NOTIFICATIONS, **grafana: Any) -> str:  # noqa: ANN401
        """Bring the stack up with these settings; the summary line."""
        self.configure(notifications, **grafana)
        return self.obs("up", STACK).splitlines()[0]

    def preview(self, *options: str) -> list[str]:
        """The lines of a preview; the last is the summary."""
        return self.obs("preview", STACK, *options).splitlines()

    def contact_points(self) -> set[str]:
        """Names of Grafana's contact points."""
        return {point["name"] for point in self.grafana.get("api/v1/provisioning/contact-points")}

    def dashboard(self) -> dict[str, Any]:
        """The overview as stored in Grafana."""
        found: dict[str, Any] = self.grafana.get("api/dashboards/uid/obs-overview")["dashboard"]
        return found

    def save(self, dashboard: dict[str, Any]) -> None:
        """Save it as a user would."""
        body = {"dashboard": dashboard, "folderUid": FOLDER, "overwrite": True}
        http.post(f"{URL}/api/dashboards/db", json=body, headers=self.grafana.headers, timeout=60).raise_for_status()


@pytest.fixture(scope="module")
def lab(stack: Project) -> Iterator[Lab]:
    """The stack with its content in Grafana; afterwards the content is removed, and its removal is checked."""
    auth = Path(AUTH_FILE).read_text().strip()
    found = Lab(project=stack, grafana=Grafana(url=URL.rstrip("/"), auth=auth))
    found.obs("secret", "set", "grafanaAuth", STACK, stdin=auth)
    for notifications in (FEWER, NOTIFICATIONS):
        found.configure(notifications, dataSources=ELSEWHERE)
        for name in {line.split()[-1] for line in _unset(found)} & SECRETS.keys():
            found.obs("secret", "set", name, STACK, stdin=SECRETS[name])
    before = found.contact_points()
    found.up()
    yield found
    stack.configure()
    found.obs("up", STACK)
    left = found.grafana.get("api/search")
    assert not [item for item in left if item["uid"] in (FOLDER, "obs-overview")]
    assert found.contact_points() == before
    assert found.grafana.get("api/v1/provisioning/mute-timings") == []
    assert found.grafana.get("api/serviceaccounts/search?query=ci-")["serviceAccounts"] == []


def _unset(lab: Lab) -> list[str]:
    """The lines of `obs secret list` for the secrets that are not set, by name."""
    lines = lab.obs("secret", "list", STACK).splitlines()
    return [line.partition(":")[0] for line in lines if line.startswith("not set")]


def test_verify_finds_every_resource(lab: Lab) -> None:
    done = lab.project.obs("verify", STACK, "--quick")
    assert done.returncode == 0, done.stdout
    rows = [line for line in done.stdout.splitlines() if " Grafana: " in line]
    assert len(rows) >= 8 + len(RECEIVERS)
    assert all(row.startswith("ok") for row in rows)


def test_a_second_up_changes_nothing(lab: Lab) -> None:
    assert lab.up().startswith(f"{STACK}: 0 changes")


def test_the_dashboard_in_grafana_is_the_generated_one(lab: Lab) -> None:
    config = validate(STACK, {"environment": "dev", "grafana": GRAFANA}, frozenset({"grafanaAuth"}))
    expected = {panel["title"] for entry in dashboards(config) for panel in json.loads(entry.text)["panels"]}
    assert {panel["title"] for panel in lab.dashboard()["panels"]} <= expected
    assert len(lab.dashboard()["panels"]) > 10


def test_a_dashboard_changed_in_code_is_the_only_change_in_grafana(lab: Lab) -> None:
    source = lab.project.root / "dashboards/overview.py"
    text = source.read_text()
    source.write_text(text.replace('"Targets Down"', '"Targets Gone"'))
    try:
        assert lab.up().startswith(f"{STACK}: 1 changes")
        assert "Targets Gone" in {panel["title"] for panel in lab.dashboard()["panels"]}
    finally:
        source.write_text(text)
    assert lab.up().startswith(f"{STACK}: 1 changes")


def test_a_dashboard_changed_by_hand_is_shown_as_drift_and_restored(lab: Lab) -> None:
    lab.save({**lab.dashboard(), "title": "Changed by hand"})
    assert lab.dashboard()["title"] == "Changed by hand"
    assert lab.preview()[-1].startswith(f"{STACK}: 0 changes")
    said = lab.preview("--refresh")
    assert said[-1].startswith(f"{STACK}: 1 changes")
    assert "dashboard renamed: 'Changed by hand' → 'Overview'" in "\n".join(said)
    assert lab.dashboard()["title"] == "Changed by hand"
    assert lab.up().startswith(f"{STACK}: 1 changes")
    assert lab.dashboard()["title"] == "Overview"


def test_a_folder_removed_by_hand_is_recreated_with_its_dashboard(lab: Lab) -> None:
    http.delete(f"{URL}/api/folders/{FOLDER}", headers=lab.grafana.headers, timeout=60).raise_for_status()
    lab.up()
    assert lab.dashboard()["title"] == "Overview"
    assert lab.up().startswith(f"{STACK}: 0 changes")


def test_a_receiver_in_use_is_removed_and_another_is_renamed(lab: Lab) -> None:
    lab.up(FEWER)
    assert lab.contact_points() & {"pager", "genie", "hook", "paging"} == {"paging"}
    assert lab.preview()[-1].startswith(f"{STACK}: 0 changes")
    lab.up()
    assert lab.contact_points() >= set(RECEIVERS)


def test_every_kind_of_data_source_is_created_with_its_rule_and_has_no_diff(lab: Lab) -> None:
    lab.up(dataSources=ELSEWHERE)
    made = {source["uid"]: source for source in lab.grafana.get("api/datasources")}
    assert made.keys() >= {"prometheus", "loki", "alertmanager", *ELSEWHERE}
    rules = lab.grafana.get("api/v1/provisioning/folder/observability/rule-groups/elasticsearch")["rules"]
    assert [rule["title"] for rule in rules] == ["ElasticsearchErrorBurst"]
    assert lab.preview("--refresh")[-1].startswith(f"{STACK}: 0 changes")
    lab.up(dataSources={})


@pytest.mark.skipif(urlsplit(URL).hostname not in ("127.0.0.1", "localhost"), reason="Grafana is on another host")
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_describes_the_alert(lab: Lab, name: str) -> None:
    said = rendered(lab, f'{{{{ template "obs.{name}" . }}}}')
    expected = {
        "title": "[CRITICAL] erpgo: Many errors",
        "text": "More than 1 a second",
        "markdown": "**Many errors**",
        "slack": "*Many errors*",
        "telegram": "<b>Many errors</b>",
        "colour": "#d72638",
        "dashboard": "",
        "pagerduty.severity": "critical",
    }
    assert expected[name] in said
    assert "no value" not in said


def rendered(lab: Lab, template: str) -> str:
    """Grafana's output of a template for a critical alert, from a test notification to a server of the test."""
    received: list[Any] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    hook = {"url": f"http://127.0.0.1:{server.server_port}/", "httpMethod": "POST", "message": template}
    body = {
        "receivers": [
            {"name": "try", "grafana_managed_receiver_configs": [{"name": "try", "type": "webhook", "settings": hook}]}
        ],
        "alert": {
            "labels": {"alertname": "ElasticsearchErrorBurst", "severity": "critical", "system": "erpgo"},
            "annotations": {"summary": "Many errors", "description": "More than 1 a second"},
        },
    }
    try:
        path = f"{lab.grafana.url}/api/alertmanager/grafana/config/api/v1/receivers/test"
        http.post(path, json=body, headers=lab.grafana.headers, timeout=60).raise_for_status()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    return str(received[0]["message"])


def test_a_grafana_that_does_not_respond_stops_an_update_before_it_begins(lab: Lab) -> None:
    lab.configure(NOTIFICATIONS, url="http://127.0.0.1:1")
    done = lab.project.obs("up", STACK)
    assert done.returncode != 0
    assert "Grafana at http://127.0.0.1:1 does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert lab.up().startswith(f"{STACK}: 0 changes")
