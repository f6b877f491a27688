"""Channels that require TLS, from the real Alertmanager: Pushover, and mail with STARTTLS and a password.

Pushover's address cannot be set, so Alertmanager gets a proxy behind which the double responds instead.
"""

import io
import tarfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import docker
import pytest
import yaml

from observability.alerting import alertmanager
from observability.core import http
from observability.core.documents import load_yaml
from observability.parts.images import PINS
from observability.settings.load import validate
from tests import networks
from tests.receivers.mail import MailDouble
from tests.receivers.services import HttpDoubles
from tests.receivers.stack import CERTIFICATE, tls
from tests.waits import until

NETWORK: Final = "obs-test-receivers"
SECRETS: Final = {"phoneToken": "a" * 30, "phoneUser": "u" * 30, "smtpPassword": "right"}
TRUSTED: Final = "etc/alertmanager/trusted.pem"

ALERT: Final = {
    "labels": {"alertname": "HostDown", "severity": "critical", "system": "depot", "component": "host"},
    "annotations": {"summary": "Host erp-1 of depot does not answer", "description": "For a minute."},
}


def settings() -> dict[str, Any]:
    smtp = {"host": "mail.example.com", "port": 25, "sender": "alerts@example.com", "user": "alerts", "tls": True}
    receivers = {"phone": {"pushover": {}}, "mail": {"email": {"to": ["ops@example.com"]}}}
    return {"notifications": {"smtp": smtp, "receivers": receivers, "default": ["phone", "mail"]}}


def files(proxy: str, mail_port: int) -> dict[str, str]:
    """Alertmanager's files as in a stack, except for the proxy and the mail server's port."""
    config = validate("dev", settings(), frozenset(SECRETS))
    texts = alertmanager.files(config)
    document = load_yaml(texts["alertmanager.yaml"])
    document["global"]["http_config"] = {"proxy_url": proxy}
    document["global"]["smtp_smarthost"] = f"mail.example.com:{mail_port}"
    texts["alertmanager.yaml"] = yaml.safe_dump(document)
    texts |= {path: SECRETS[name] for path, name in alertmanager.secret_files(config).items()}
    within = {f"{alertmanager.CONFIG_DIR.removeprefix('/')}/{path}": text for path, text in texts.items()}
    return {**within, TRUSTED: CERTIFICATE.read_text()}


def archive(texts: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        for path, text in texts.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(text.encode()), 0o644
            packed.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def sent() -> Iterator[tuple[HttpDoubles, MailDouble]]:
    """The messages of each channel when an alert fired and was resolved."""
    client = docker.from_env()
    with networks.bridge(client, NETWORK) as network:
        network.reload()
        gateway = network.attrs["IPAM"]["Config"][0]["Gateway"]
        with (
            HttpDoubles(gateway, tls=tls()) as http,
            MailDouble(gateway, tls=tls(), user=("alerts", SECRETS["smtpPassword"])) as mail,
        ):
            container = client.containers.create(
                PINS["alertmanager"],
                ["--config.file=/etc/alertmanager/current/alertmanager.yaml", "--cluster.listen-address="],
                network=NETWORK,
                extra_hosts={"mail.example.com": gateway},
                environment={"SSL_CERT_FILE": f"/{TRUSTED}"},
                ports={"9093/tcp": ("127.0.0.1", 0)},
            )
            container.put_archive("/", archive(files(http.url, mail.port)))
            container.start()
            container.reload()
            (bound,) = list(container.ports["9093/tcp"] or [])
            url = f"http://127.0.0.1:{bound['HostPort']}/api/v2/alerts"
            post(url, hours=1)
            http.wait(lambda: http.taken("pushover"))
            mail.wait(lambda: mail.mails)
            post(url, hours=0)
            http.wait(lambda: http.taken("pushover")[1:])
            mail.wait(lambda: mail.mails[1:])
            yield http, mail


def post(url: str, hours: int) -> None:
    """Send Alertmanager, as soon as it responds, the alert with an end in so many hours."""
    now = datetime.now(UTC)
    times = {"startsAt": (now - timedelta(hours=1)).isoformat(), "endsAt": (now + timedelta(hours=hours)).isoformat()}
    until(lambda: http.post(url, json=[{**ALERT, **times}], timeout=60).is_success)


def test_pushover_gets_one_message_and_one_resolved_notice(sent: tuple[HttpDoubles, MailDouble]) -> None:
    http, _ = sent
    assert http.wrong == []
    first, last = (one.payload for one in http.taken("pushover"))
    assert (first["token"], first["user"]) == (SECRETS["phoneToken"], SECRETS["phoneUser"])
    assert first["title"] == "[CRITICAL] Host erp-1 of depot does not answer"
    assert first["message"].startswith("For a minute.\nSince ")
    assert (first["priority"], first["retry"], first["expire"]) == ("2", "60", "3600")
    assert last["title"] == "[RESOLVED] Host erp-1 of depot does not answer"
    assert last["priority"] == "-1"


def test_mail_is_sent_by_starttls_with_a_password(sent: tuple[HttpDoubles, MailDouble]) -> None:
    _, mail = sent
    assert [one.problem for one in mail.mails] == [None, None]
    assert [one.subject[:10] for one in mail.mails] == ["[CRITICAL]", "[RESOLVED]"]
    assert mail.mails[0].recipients == ("ops@example.com",)


def test_notices_of_one_alert_are_in_one_thread(sent: tuple[HttpDoubles, MailDouble]) -> None:
    _, mail = sent
    first, last = (one.message["References"] for one in mail.mails)
    assert first == last
