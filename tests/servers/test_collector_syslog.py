"""Syslog by network in the pinned collector: RFC 5424 and RFC 3164 by UDP, TCP and TLS, from real senders."""

import logging
import logging.handlers
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from observability.logs import inputs
from observability.settings.load import StackConfig
from tests.http import HTTP
from tests.servers.collector_run import Running, collector
from tests.servers.otlp_double import Entry
from tests.unit.conftest import stack_config
from tests.waits import until

UDP, TCP, COUNTED, TLS, CLOSED = 5514, 5515, 5516, 6514, 6515


class Authority:
    """A certificate authority for a test, and what it signs."""

    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self.name, self.key, ca=True)

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """Its own certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str) -> tuple[bytes, bytes]:
        """A certificate for 127.0.0.1, and its key, PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        signed = self._sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, ca=False)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return signed.public_bytes(serialization.Encoding.PEM), secret


def configured() -> StackConfig:
    tls = {"protocol": "tls", "framing": "octet-counting", "certificate": "files/client.pem"}
    listeners = [
        {"port": UDP},
        {"port": TCP, "protocol": "tcp"},
        {"port": COUNTED, "protocol": "tcp", "framing": "octet-counting"},
        {"port": TLS, **tls, "framing": "newline"},
        {"port": CLOSED, **tls, "clientCa": "files/ca.pem"},
    ]
    return stack_config(
        "staging",
        {
            "collector": {"syslog": listeners},
            "systems": {
                "depot": {"logs": {"syslog": [{"hostnames": ["depot-*"]}]}},
                "academy": {
                    "logs": {
                        "syslog": [{"ports": [COUNTED], "programs": ["lms", "nginx"]}],
                        "drop": [{"reason": "noise", "match": "noise"}],
                    }
                },
            },
        },
    )


@pytest.fixture(scope="module")
def server() -> Authority:
    return Authority("servers")


@pytest.fixture(scope="module")
def clients() -> Authority:
    return Authority("clients")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, server: Authority, clients: Authority) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("syslog")
    (root / "tls").mkdir()
    certificate, key = server.issue("collector")
    config = configured()
    for name in inputs.certificates(config):
        (root / "tls" / name).write_bytes(clients.pem if "clients" in name else certificate)
    (root / "tls" / inputs.KEY).write_bytes(key)
    with collector(config, root) as one:
        yield one


def stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def arrived(running: Running, text: str, count: int = 1) -> list[Entry]:
    """The messages with this text, once there are so many."""

    def found() -> list[Entry]:
        with running.received.lock:
            return [one for one in running.received.entries if text in one.body]

    until(lambda: len(found()) >= count)
    return found()


def by_tcp(running: Running, port: int, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", running.syslog[port])) as connection:
        connection.sendall(data)


def by_tls(running: Running, port: int, data: bytes, trusted: bytes, mine: Path | None = None) -> None:
    context = ssl.create_default_context(cadata=trusted.decode())
    if mine is not None:
        context.load_cert_chain(mine)
    with (
        socket.create_connection(("127.0.0.1", running.syslog[port])) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(data)
        # With TLS 1.3 a refusal arrives only now; a server that accepts says nothing.
        connection.settimeout(1)
        try:
            assert connection.recv(1) == b""
        except TimeoutError:
            return


@pytest.mark.skipif(shutil.which("logger") is None, reason="logger (util-linux) is not installed")
@pytest.mark.parametrize(
    ("port", "options"),
    [
        (UDP, ["--udp", "--rfc5424"]),
        (UDP, ["--udp", "--rfc3164"]),
        (TCP, ["--tcp", "--rfc5424"]),
        (TCP, ["--tcp", "--rfc3164"]),
        (COUNTED, ["--tcp", "--rfc5424", "--octet-count"]),
        (COUNTED, ["--tcp", "--rfc3164", "--octet-count"]),
    ],
)
def test_messages_of_logger_arrive_by(running: Running, port: int, options: list[str]) -> None:
    text = f"disk failure {' '.join(options)}"
    began = int(time.time())
    command = ["logger", "--server", "127.0.0.1", "--port", str(running.syslog[port]), *options]
    subprocess.run([*command, "--tag", "smartd", "-p", "daemon.err", "--", text], check=True, timeout=30)
    (one,) = arrived(running, text)
    assert (one.resource["level"], one.attributes["program"]) == ("error", "smartd")
    assert one.attributes["hostname"] in (socket.gethostname(), socket.gethostname().partition(".")[0])
    assert "parse_error" not in one.attributes
    assert one.resource["system"] == one.resource["team"] == "unassigned"
    assert set(one.resource) == {"system", "team", "stack", "service", "level"}
    assert one.body.startswith("<27>")
    assert one.body.endswith(text)
    assert began * 10**9 <= one.nanoseconds <= time.time_ns()


@pytest.mark.parametrize(
    ("severity", "level"),
    [(0, "critical"), (2, "critical"), (3, "error"), (4, "warning"), (5, "info"), (6, "info"), (7, "debug")],
)
def test_the_severity_of_a_message_is_its_level(running: Running, severity: int, level: str) -> None:
    by_tcp(running, TCP, f"<{8 * 16 + severity}>1 {stamp()} web1 app 7 ID {{}} severity {severity}\n".encode())
    assert arrived(running, f"severity {severity}")[0].resource["level"] == level


def test_a_message_has_its_own_time_where_that_is_possible(running: Running) -> None:
    now = datetime.now(UTC) - timedelta(minutes=3)
    late = datetime.now(UTC) - timedelta(days=3)
    sent = [
        f"<14>1 {now:%Y-%m-%dT%H:%M:%S}.250+00:00 web1 app 7 - - time 1",
        f"<14>{now:%b %e %H:%M:%S} web1 app: time 2",
        f"<14>1 {late:%Y-%m-%dT%H:%M:%SZ} web1 app 7 - - time 3",
        f"<14>{late:%b %e %H:%M:%S} web1 app: time 4",
        "<14>1 - web1 app 7 - - time 5",
    ]
    began = time.time_ns()
    by_tcp(running, TCP, "".join(f"{one}\n" for one in sent).encode())
    first, second, third, fourth, fifth = sorted(arrived(running, " time ", 5), key=lambda one: one.body[-1])
    assert first.nanoseconds == (int(now.timestamp()) * 1000 + 250) * 10**6
    assert second.nanoseconds == int(now.timestamp()) * 10**9
    for one in (third, fourth, fifth):
        assert began <= one.nanoseconds <= time.time_ns()
    assert (third.attributes["parse_error"], third.attributes["own_time"]) == ("time", f"{late:%Y-%m-%dT%H:%M:%SZ}")
    # It names no zone.
    assert ("parse_error" in fourth.attributes, "own_time" in fourth.attributes) == (False, True)
    assert not {"parse_error", "own_time"} & set(fifth.attributes)


def test_the_settings_say_whose_a_message_is(running: Running) -> None:
    head = f"<14>1 {stamp()}"
    by_tcp(running, TCP, f"{head} depot-7 nginx 1 - - whose 1\n{head} other nginx 1 - - whose 2\n".encode())
    counted = [f"{head} other nginx 1 - - whose 3", f"{head} other sshd 1 - - whose 4", f"{head} x lms 1 - - noise"]
    by_tcp(running, COUNTED, "".join(f"{len(one)} {one}" for one in counted).encode())
    found = sorted(arrived(running, "whose", 4), key=lambda one: one.body)
    owners = {one.body[-1]: (one.resource["system"], one.resource["team"]) for one in found}
    assert owners == {
        "1": ("depot", "depot"),
        "2": ("unassigned", "unassigned"),
        "3": ("academy", "academy"),
        "4": ("unassigned", "unassigned"),
    }
    until(lambda: 'reason="noise"' in HTTP.get(running.lines, timeout=30).text)
    (line,) = re.findall(r"obs_collector_lines_dropped_total\{.*reason=\"noise\".*", HTTP.get(running.lines).text)
    assert 'system="academy"' in line
    assert line.endswith(" 1")


def test_messages_by_tls_arrive(running: Running, server: Authority) -> None:
    lines = "".join(f"<11>1 {stamp()} web1 app 7 - - by tls {number}\n" for number in range(50))
    by_tls(running, TLS, lines.encode(), server.pem)
    found = arrived(running, "by tls", 50)
    assert sorted(int(one.body.rpartition(" ")[2]) for one in found) == list(range(50))
    assert {one.resource["level"] for one in found} == {"error"}


def test_a_sender_without_the_certificate_that_is_demanded_is_refused(
    running: Running, server: Authority, clients: Authority, tmp_path: Path
) -> None:
    def message(text: str) -> bytes:
        body = f"<11>1 {stamp()} web1 app 7 - - {text}"
        return f"{len(body)} {body}".encode()

    mine, strange = tmp_path / "mine.pem", tmp_path / "strange.pem"
    mine.write_bytes(b"".join(clients.issue("sender")))
    strange.write_bytes(b"".join(Authority("strangers").issue("sender")))
    for file in (None, strange):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            by_tls(running, CLOSED, message("from a stranger"), server.pem, file)
    by_tls(running, CLOSED, message("from a known sender"), server.pem, mine)
    arrived(running, "from a known sender")
    with running.received.lock:
        assert not [one for one in running.received.entries if "from a stranger" in one.body]


def test_plain_text_at_a_port_for_tls_stores_nothing(running: Running, server: Authority) -> None:
    by_tcp(running, TLS, b"<11>1 - web1 app 7 - - in the clear\n")
    by_tls(running, TLS, b"<11>1 - web1 app 7 - - after it\n", server.pem)
    arrived(running, "after it")
    with running.received.lock:
        assert not [one for one in running.received.entries if "in the clear" in one.body]


def test_what_is_no_syslog_is_kept_and_marked(running: Running) -> None:
    by_tcp(
        running, TCP, b"GET / HTTP/1.1 kept 1\n<999>what is this kept 2\n<11>bare kept 3\nkept 4 caf\xe9 \x00\xff\n"
    )
    found = sorted(arrived(running, "kept", 4), key=lambda one: one.body[one.body.index("kept") :])
    assert [one.body for one in found] == [
        "GET / HTTP/1.1 kept 1",
        "<999>what is this kept 2",
        "<11>bare kept 3",
        "kept 4 caf\ufffd \x00\ufffd",
    ]
    assert [one.attributes.get("parse_error") for one in found] == ["syslog", None, None, "syslog"]
    assert [one.resource["level"] for one in found] == ["unknown", "unknown", "error", "unknown"]


def test_secrets_in_a_message_are_not_stored(running: Running) -> None:
    by_tcp(running, TCP, f"<14>1 {stamp()} web1 app 7 - - sign-in with password=hunter2\n".encode())
    (one,) = arrived(running, "sign-in with")
    assert one.body.endswith("password=***")


def test_messages_of_pythons_handler_arrive(running: Running) -> None:
    handler = logging.handlers.SysLogHandler(("127.0.0.1", running.syslog[UDP]))
    log = logging.Logger("shop")
    log.addHandler(handler)
    log.error("python says %s", "hello")
    handler.close()
    (one,) = arrived(running, "python says hello")
    # It sends a priority and the text alone.
    assert one.body == "<11>python says hello"
    assert one.resource["level"] == "error"


def test_a_datagram_is_one_message_with_all_its_lines(running: Running) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(
            f"<11>1 {stamp()} web1 app 7 - - trace of\n\tat Shop.pay(Shop.java:42)\n".encode(),
            ("127.0.0.1", running.syslog[UDP]),
        )
    (one,) = arrived(running, "trace of")
    assert one.body.endswith("trace of\n\tat Shop.pay(Shop.java:42)")
