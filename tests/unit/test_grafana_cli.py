"""How `obs` handles Grafana: its password, its responses, its plugin."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from dashboards.queries import panels
from dashboards.registry import dashboards, folders
from observability.operations.grafana import Grafana, found, trouble
from observability.operations.home import Home
from observability.operations.hosts import Hosts
from observability.operations.operation import Operation
from observability.settings.load import validate
from tests.unit.conftest import stack_config
from toolchain import grafana_plugin, plugin
from toolchain.process import ObtainError

CONFIG = stack_config(
    "dev",
    {
        "loki": {"enabled": False},
        "grafana": {
            "publicStatus": True,
            "dataSources": {"elasticsearch": {"url": "http://search.example.com:9200"}},
        },
        "notifications": {"muteTimes": {"nights": {"times": ["22:00-07:00"]}}},
    },
)

ANSWERS: dict[str, Any] = {
    "/api/health": {"database": "ok"},
    "/api/datasources/uid/prometheus": {"url": "http://prometheus:9090"},
    "/api/datasources/uid/alertmanager": {"url": "http://alertmanager:9093"},
    "/api/datasources/proxy/uid/prometheus/api/v1/query?query=vector(1)": {},
    "/api/datasources/proxy/uid/alertmanager/api/v2/status": {},
    "/api/datasources/uid/elasticsearch": {"url": "http://search.example.com:9200"},
    "/api/datasources/uid/elasticsearch/health": {"message": "Data source is working"},
    "/api/dashboards/uid/obs-status/public-dashboards": {"accessToken": "a1b2"},
    "/api/serviceaccounts/search?query=ci-viewer": {"serviceAccounts": [{"name": "ci-viewer", "role": "Viewer"}]},
    "/api/serviceaccounts/search?query=ci-editor": {"serviceAccounts": [{"name": "ci-editor", "role": "Editor"}]},
    "/api/v1/provisioning/contact-points": [{"name": "alert-webhook", "type": "webhook"}],
    "/api/v1/provisioning/folder/observability/rule-groups/elasticsearch": {"rules": [{}]},
    "/api/v1/provisioning/mute-timings/nights": {"time_intervals": [{}, {}]},
    "/api/v1/provisioning/policies": {"receiver": "alert-webhook", "routes": [{}, {}, {}, {}]},
    "/api/v1/provisioning/templates/observability": {"template": '{{ define "obs.title" }}{{ end }}'},
    **{f"/api/folders/{uid}": {"title": title} for uid, title in folders(CONFIG).items()},
    **{f"/api/dashboards/uid/{one.uid}": {"dashboard": json.loads(one.text)} for one in dashboards(CONFIG)},
}

MISSING = sorted(
    ANSWERS.keys()
    - {"/api/health"}
    - {f"/api/folders/{uid}" for uid in folders(CONFIG) if uid != "depot"}
    - {f"/api/dashboards/uid/{one.uid}" for one in dashboards(CONFIG) if one.uid != "obs-overview"}
)
"""One of each kind."""


class Server(HTTPServer):
    """A server that responds as Grafana does, from a table, to clients with the password."""

    answers: dict[str, Any]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        expected = "Basic " + base64.b64encode(b"admin:right").decode()
        allowed = self.path == "/api/health" or self.headers["Authorization"] == expected
        status = 401 if not allowed else 200 if self.path in self.server.answers else 404
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(self.server.answers.get(self.path)).encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    found_ = Server(("127.0.0.1", 0), Handler)
    found_.answers = dict(ANSWERS)
    thread = threading.Thread(target=found_.serve_forever)
    thread.start()
    yield found_
    found_.shutdown()
    thread.join()
    found_.server_close()


def seen(server: Server, auth: str = "admin:right") -> dict[str, tuple[bool, str]]:
    return {what: (ok, detail) for what, ok, detail in found(Grafana(url=server.url, auth=auth), CONFIG)}


def test_every_declared_resource_is_checked_and_found(server: Server) -> None:
    rows = seen(server)
    assert all(ok for ok, _ in rows.values()), rows
    shown = panels(ANSWERS["/api/dashboards/uid/obs-overview"]["dashboard"])
    assert rows["dashboard obs-overview"] == (True, f"{len(list(shown))} panels")
    assert rows["contact point alert-webhook"] == (True, "webhook")
    assert rows["mute timing nights"] == (True, "2 intervals")
    assert rows["notification policy"] == (True, "to alert-webhook, 4 branches")
    assert rows["public status page"] == (True, "http://127.0.0.1:3001/public-dashboards/a1b2")
    assert len(rows) == len(ANSWERS) - 1


@pytest.mark.parametrize("path", MISSING)
def test_what_is_missing_is_named(server: Server, path: str) -> None:
    del server.answers[path]
    bad = [detail for ok, detail in seen(server).values() if not ok]
    assert bad == ["404 Not Found"]


def test_a_foreign_policy_or_contact_point_is_not_taken_for_ours(server: Server) -> None:
    server.answers["/api/v1/provisioning/policies"] = {"receiver": "theirs"}
    server.answers["/api/v1/provisioning/contact-points"] = [{"name": "theirs", "type": "email"}]
    rows = seen(server)
    assert rows["notification policy"] == (False, "its contact point is theirs")
    assert rows["contact point alert-webhook"] == (False, "none has the name alert-webhook")


def test_a_service_account_whose_role_was_changed_is_detected(server: Server) -> None:
    path = "/api/serviceaccounts/search?query=ci-viewer"
    server.answers[path] = {"serviceAccounts": [{"name": "ci-viewer", "role": "Admin"}]}
    assert seen(server)["service account ci-viewer"] == (False, "its role is Admin, not Viewer")
    server.answers[path] = {"serviceAccounts": []}
    assert seen(server)["service account ci-viewer"] == (False, "there is none of this name")


def test_a_wrong_password_is_reported_in_every_row(server: Server) -> None:
    assert {detail for _, detail in seen(server, "admin:wrong").values()} == {"401 Unauthorized"}


def test_a_token_is_sent_as_one() -> None:
    assert Grafana(url="http://x", auth="glsa_1").headers == {"Authorization": "Bearer glsa_1"}


def test_credentials_are_not_shown() -> None:
    assert "right" not in repr(Grafana(url="http://x", auth="admin:right"))


def test_trouble_is_none_if_grafana_responds_and_the_reason_otherwise(server: Server) -> None:
    assert trouble(server.url) is None
    del server.answers["/api/health"]
    assert trouble(server.url) == "it answers 404"
    assert "refused" in str(trouble("http://127.0.0.1:1"))


def test_the_stacks_grafana_gets_the_generated_password_an_external_one_its_own() -> None:
    external = stack_config("dev", {"grafana": {"url": "http://g.example.com"}})
    secrets = {"grafanaAdminPassword": "p", "grafanaAuth": "token"}
    assert Grafana.of(CONFIG, secrets) == Grafana(url="http://127.0.0.1:3001", auth="admin:p")
    assert Grafana.of(external, secrets) == Grafana(url="http://g.example.com", auth="token")
    assert Grafana.of(CONFIG, {}) is None


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(folder=tmp_path)


def test_a_password_is_generated_once_and_readable_by_its_owner_only(home: Home) -> None:
    home.generate_secrets(CONFIG)
    first = home.secrets("dev")["grafanaAdminPassword"]
    assert len(first) == 48
    assert first.isalnum()
    home.generate_secrets(CONFIG)
    assert home.secrets("dev")["grafanaAdminPassword"] == first
    assert (home.folder / "secrets/dev/grafanaAdminPassword").stat().st_mode & 0o077 == 0


def test_a_password_that_was_set_is_kept(home: Home) -> None:
    home.set_secret("dev", "grafanaAdminPassword", "mine")
    home.generate_secrets(CONFIG)
    assert home.secrets("dev")["grafanaAdminPassword"] == "mine"


def test_nothing_is_generated_for_a_part_that_does_not_run(home: Home) -> None:
    home.generate_secrets(validate("dev", {"profile": "minimal"}, frozenset()))
    assert home.secrets("dev") == {}


def test_a_plugin_that_is_not_available_is_a_reason_and_not_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ObtainError("no such host")

    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setattr(plugin, "download", refuse)
    reason = grafana_plugin.obtain(tmp_path / "pulumi")
    assert reason == f"Pulumi's Grafana plugin v{grafana_plugin.version()} cannot be downloaded: no such host"


def test_a_plugin_that_is_installed_is_not_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    folder = tmp_path / f"plugins/resource-grafana-v{grafana_plugin.version()}"
    folder.mkdir(parents=True)
    (folder / "pulumi-resource-grafana").touch()
    assert grafana_plugin.obtain(Path("/nonexistent/pulumi")) is None


def operation(url: str) -> Operation:
    """An update of a stack whose Grafana exists; it has no engine, as none is used."""
    config = stack_config("dev", {"grafana": {"url": url}})
    parts: Any = {"declared": [], "client": None, "engine": None, "home": None, "console": None}
    return Operation(config=config, hosts=Hosts(config=config), **parts)


PANIC = "Detected that /x/pulumi-resource-grafana exited prematurely. panic: interface conversion\ngoroutine 78"


def test_a_grafana_that_stopped_responding_is_reported_in_one_line() -> None:
    said = operation("http://127.0.0.1:1")._lost_grafana(PANIC)
    assert said is not None
    assert said.startswith("Grafana at http://127.0.0.1:1 does not answer any more: ")
    assert "goroutine" not in said


def test_an_error_is_not_replaced_where_grafana_responds(server: Server) -> None:
    assert operation(server.url)._lost_grafana(PANIC) is None


def test_an_unrelated_error_is_not_attributed_to_grafana() -> None:
    assert operation("http://127.0.0.1:1")._lost_grafana("container obs-dev-loki is unhealthy") is None


def test_what_an_update_began_is_recorded_until_an_update_completes(home: Home) -> None:
    assert home.begun("dev") == set()
    home.begin("dev", "grafana-content-folder-depot")
    home.begin("dev", "grafana-content-source-loki")
    assert home.begun("dev") == {"grafana-content-folder-depot", "grafana-content-source-loki"}
    assert home.begun("prod") == set()
    home.all_ended("dev")
    assert home.begun("dev") == set()


def test_the_secret_of_a_removed_receiver_is_kept_and_not_used(home: Home) -> None:
    home.set_secret("dev", "alertWebhookUrl", "http://127.0.0.1:1/")
    (home.folder / "secrets/dev/oldHookUrl").write_text("http://127.0.0.1:2/")
    assert home.secrets("dev") == {"alertWebhookUrl": "http://127.0.0.1:1/"}
    assert (home.folder / "secrets/dev/oldHookUrl").is_file()
