"""A kind of notification channel is one descriptor, from which its settings, secrets and receivers are derived."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from observability.channels.registry import CHANNELS
from observability.core.errors import ConfigError
from tests.unit.conftest import stack_config

NTFY: Final = '''
from typing import Final

from pydantic import Field

from observability.channels.descriptor import Channel, Secret
from observability.core.section import Section


class Ntfy(Section):
    """ntfy, by a topic."""

    topic: str = Field(description="Name of the topic.")


CHANNEL: Final = Channel(
    key="ntfy",
    title="ntfy",
    settings=Ntfy,
    alertmanager="webhook_configs",
    integration=lambda ntfy, files: {"url_file": files["Url"], "max_alerts": 3},
    grafana="webhooks",
    contact_point=lambda ntfy: {"http_method": "PUT", "title": ntfy.topic},
    secrets=(Secret(kind="Url", description="Address of the topic", grafana="url"),),
    destination=lambda ntfy: f"ntfy {ntfy.topic}",
    pages=True,
)
'''
"""A kind of channel that is not in this repository."""

PROGRAM: Final = """
import json, sys

import observability.channels

observability.channels.__path__.append(sys.argv[1])

from observability.alerting import alertmanager
from observability.alerting.explain import explain, destination
from observability.alerting.grafana import contact_points
from observability.operations.deliveries import posts
from observability.settings.load import secret_specs, validate
from observability.settings.schema import text
from observability.synth.record import record
from dashboards.linked_rules import files

import datetime
import yaml

from observability.core.documents import load_yaml

values = {"notifications": {
    "receivers": {"bell": {"ntfy": {"topic": "alerts"}}, "hook": {"webhook": {}}},
    "critical": ["bell", "hook"],
    "info": ["hook"],
}}
config = validate("dev", values, frozenset(secret_specs(values)) - {"alertWebhookUrl"})
receivers = load_yaml(alertmanager.files(config)["alertmanager.yaml"])["receivers"]
paged = explain(config, {"severity": "critical", "page": "yes"}, datetime.datetime.now(datetime.UTC))
calm = explain(config, {"severity": "critical", "page": "no"}, datetime.datetime.now(datetime.UTC))
point = next(one for one in contact_points(config) if one.name == "bell")
points = [one for one in record(config, files(config)) if one.type.endswith(":ContactPoint")]
declared = [one for one in points if one.inputs["name"] == "bell"]
try:
    validate("dev", {"notifications": {**values["notifications"], "info": ["bell"]}}, frozenset(secret_specs(values)))
    refused = ""
except Exception as error:
    refused = str(error)
print(json.dumps({
    "integration": next(one for one in receivers if one["name"] == "only-bell")["webhook_configs"],
    "files": alertmanager.secret_files(config),
    "description": secret_specs(values)["bellUrl"].description,
    "point": [point.block, dict(point.settings), dict(point.secrets)],
    "declared": [one.inputs for one in declared],
    "schema": json.loads(text())["$defs"]["Receiver"]["properties"].keys() & {"ntfy"} == {"ntfy"},
    "destination": destination("bell", config.notifications.receivers["bell"]),
    "paged": sorted(name for one in paged.deliveries for name in one.destinations),
    "calm": sorted(name for one in calm.deliveries for name in one.destinations),
    "counter": posts("only-bell", {"bell": config.notifications.receivers["bell"]})[0].integration,
    "refused": refused,
}))
"""


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The resources of a stack for a kind of channel whose only file is in another folder."""
    folder = tmp_path_factory.mktemp("channels")
    (folder / "ntfy.py").write_text(NTFY, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_new_kind_gets_alertmanagers_integration(added: dict[str, Any]) -> None:
    (block,) = added["integration"]
    assert block["max_alerts"] == 3
    assert block["url_file"].endswith("/secrets/bellUrl")
    assert added["counter"] == "webhook"


def test_a_new_kind_gets_grafanas_contact_point(added: dict[str, Any]) -> None:
    assert added["point"] == ["webhooks", {"http_method": "PUT", "title": "alerts"}, {"url": "bellUrl"}]
    (declared,) = added["declared"]
    (block,) = declared["webhooks"]
    assert block["httpMethod"] == "PUT"
    assert block["url"] == "[secret]"


def test_a_new_kind_gets_its_secrets_and_settings(added: dict[str, Any]) -> None:
    assert added["files"]["secrets/bellUrl"] == "bellUrl"
    assert added["description"] == "Address of the topic of the receiver bell (ntfy)."
    assert added["schema"] is True
    assert added["destination"] == "ntfy alerts"


def test_a_new_kind_that_pages_gets_pages_only(added: dict[str, Any]) -> None:
    assert added["paged"] == ["bell", "hook"]
    assert added["calm"] == ["hook"]
    assert "notifications.info[0]: bell pages people" in added["refused"]


def test_every_kind_of_channel_is_listed_once_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs/notifications.md").read_text(encoding="utf-8")
    for key in CHANNELS:
        assert page.count(f"| `{key}` |") == 1, key


def test_the_kinds_that_page_are_named_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs/notifications.md").read_text(encoding="utf-8")
    pagers = [channel.title for channel in CHANNELS.values() if channel.pages]
    assert f"{', '.join(pagers[:-1])} and {pagers[-1]}" in page


def smtp(**settings: object) -> dict[str, Any]:
    return {
        "notifications": {
            "smtp": {"host": "smtp.example.com", "sender": "alerts@example.com", **settings},
            "receivers": {"ops": {"email": {"to": ["ops@example.com"]}}},
            "default": ["ops"],
        }
    }


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "example.com"),
        ({"sender": "alerts@localhost"}, "localhost.localdomain"),
        ({"hello": "monitoring.example.com"}, "monitoring.example.com"),
    ],
)
def test_a_full_host_name_is_sent_to_the_mail_server(settings: dict[str, str], name: str) -> None:
    assert stack_config("dev", smtp(**settings)).notifications.smtp.hello_name == name  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("smtp.example.com", "smtp.example.com:587"),
        ("::1", "[::1]:587"),
        ("[2001:db8::5]", "[2001:db8::5]:587"),
    ],
)
def test_the_mail_server_is_addressed_with_its_port(host: str, address: str) -> None:
    assert stack_config("dev", smtp(host=host)).notifications.smtp.address == address  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("host", "what", "fix"),
    [
        ("smtp.example.com:25", "has a port", "write host: smtp.example.com and port: 25"),
        ("[::1]:25", "has a port", "write host: [::1] and port: 25"),
        ("smtp://smtp.example.com", "has a scheme", "write it host: smtp.example.com"),
        ("smtp.example.com/x", "is no host name", "smtp.example.com"),
        ("a:b:c", "is neither a host name nor an IPv6 address", "smtp.example.com"),
    ],
)
def test_a_mail_server_that_is_not_a_host_is_refused(host: str, what: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        stack_config("dev", smtp(host=host))
    assert f"observability:notifications.smtp.host: {host!r}: {what}" in caught.value.what
    assert fix in caught.value.fix
