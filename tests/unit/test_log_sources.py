"""Files and syslog in the settings: what is refused, what the collector of a host sees, and what it listens on."""

from pathlib import Path
from typing import Any, get_args

import pytest

from observability.collector import configuration
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.logs import formats, inputs, otel, statements
from observability.logs.loki import INDEXED
from observability.operations.log_files import MISSING, local
from observability.parts.collector import SYSLOG_KEY
from observability.settings.load import validate
from observability.settings.logs import RESERVED, FileSource, LogFormat, fixed_folder
from tests.unit.conftest import FULL, REFERENCE, declared, stack_config, stack_values


def files(*found: dict[str, Any]) -> dict[str, Any]:
    return {"systems": {"depot": {"logs": {"files": list(found)}}}}


def folders(*paths: str) -> tuple[str, ...]:
    return inputs.folders_of(stack_config("staging", files(*({"path": path} for path in paths))))


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/var/log/shop/app.log", "/var/log/shop"),
        ("/var/log/shop/*.log", "/var/log/shop"),
        ("/var/log/*/app.log", "/var/log"),
        ("/srv/shop/**/app.log", "/srv/shop"),
        ("/var/log/syslog", "/var/log"),
    ],
)
def test_the_collector_sees_the_folder_of_the_file(path: str, folder: str) -> None:
    assert fixed_folder(path) == folder
    assert folders(path) == (folder,)


def test_a_folder_within_another_is_not_mounted_twice() -> None:
    assert folders("/var/log/syslog", "/var/log/nginx/*.log", "/srv/a/x.log", "/srv/ab/x.log") == (
        *("/srv/a", "/srv/ab", "/var/log"),
    )


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("var/log/x.log", "is no absolute path"),
        ("/var/log/", "is no absolute path"),
        ("/x.log", "would show the collector all of /"),
        ("/*/x.log", "would show the collector all of /"),
        ("/etc/*.log", "would show the collector all of /etc"),
        ("/var/log/../../etc/shadow", "must not contain .."),
        ("/var/log/shop/${HOME}.log", "has a character"),
        ("/var/log/shop/[ab].log", "has a character"),
        ("/var/log/shop/`id`.log", "has a character"),
    ],
)
def test_a_path_is_refused_by_the_place_where_it_stands(path: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        stack_config("staging", files({"path": "/var/log/a/x.log"}, {"path": path}))
    assert "systems.depot.logs.files[1].path" in str(caught.value)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("logs", "where"),
    [
        ({"files": [{"path": "/var/log/a/x.log", "host": "web-9"}]}, "systems.depot.logs.files[0].host"),
        ({"files": [{"path": "/a/b/x"}, {"path": "/a/b/x"}]}, "systems.depot.logs.files"),
        ({"files": [{"path": "/a/b/x", "metadata": {"level": "x"}}]}, "systems.depot.logs.files[0].metadata"),
        ({"files": [{"path": "/a/b/x", "metadata": {"a": "EXPR(1)"}}]}, "systems.depot.logs.files[0].metadata"),
        ({"files": [{"path": "/a/b/x", "format": "xml"}]}, "systems.depot.logs.files[0].format"),
        ({"files": [{"path": "/a/b/x", "drop": [{"reason": "a", "match": "(?=x)"}]}]}, "files[0].drop[0].match"),
        ({"drop": [{"reason": "a", "match": "x*"}]}, "systems.depot.logs.drop[0].match"),
        ({"drop": [{"reason": "a b", "match": "x"}]}, "systems.depot.logs.drop[0].reason"),
        ({"syslog": [{}]}, "systems.depot.logs.syslog[0]"),
        ({"syslog": [{"hostnames": ["a"]}]}, "systems.depot.logs.syslog[0]"),
    ],
)
def test_a_source_that_cannot_be_is_refused_by_its_path(logs: dict[str, Any], where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        stack_config("staging", {"systems": {"depot": {"logs": logs}}})
    assert where in str(caught.value)


@pytest.mark.parametrize(
    ("listeners", "where"),
    [
        ([{"port": 514, "protocol": "tls"}], "collector.syslog[0]"),
        ([{"port": 514, "certificate": "files/client.pem"}], "collector.syslog[0]"),
        ([{"port": 514, "framing": "octet-counting"}], "collector.syslog[0]"),
        ([{"port": 514}, {"port": 514}], "collector.syslog"),
        ([{"port": 514, "host": "web-9"}], "collector.syslog[0].host"),
        ([{"port": 514, "protocol": "tls", "certificate": "files/none.pem"}], "collector.syslog[0].certificate"),
        ([{"port": 514, "protocol": "tls", "certificate": "files/targets.yaml"}], "collector.syslog[0].certificate"),
    ],
)
def test_a_listener_that_cannot_be_is_refused_by_its_path(listeners: list[dict[str, Any]], where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        stack_config("staging", {"collector": {"syslog": listeners}})
    assert where in str(caught.value)


def test_one_port_may_receive_by_udp_and_by_tcp() -> None:
    config = stack_config("staging", {"collector": {"syslog": [{"port": 514}, {"port": 514, "protocol": "tcp"}]}})
    assert [one.receiver for one in inputs.listeners_of(config)] == ["syslog/514-udp", "syslog/514-tcp"]


def test_a_port_that_no_listener_has_is_refused() -> None:
    values = {
        "collector": {"syslog": [{"port": 514}]},
        "systems": {"depot": {"logs": {"syslog": [{"ports": [515]}]}}},
    }
    with pytest.raises(ConfigError, match=r"systems\.depot\.logs\.syslog\[0\]\.ports: 515"):
        stack_config("staging", values)


def test_a_listener_with_tls_needs_the_secret_with_its_key() -> None:
    listener = {"port": 6514, "protocol": "tls", "certificate": "files/client.pem"}
    complete = stack_values("staging", {"collector": {"syslog": [listener]}})
    with pytest.raises(ConfigError, match=f"certificate needs the secret observability:{SYSLOG_KEY}"):
        validate("staging", complete, frozenset({"alertWebhookUrl"}), REFERENCE)


def test_containers_of_the_stack_itself_are_not_selected_but_its_hosts_files_are() -> None:
    with pytest.raises(ConfigError, match=r"systems\.platform\.logs\.projects"):
        stack_config("staging", {"systems": {"platform": {"logs": {"projects": ["x"]}}}})
    config = stack_config("staging", {"systems": {"platform": {"logs": {"files": [{"path": "/var/log/syslog"}]}}}})
    (source,) = inputs.sources_of(config)
    assert (source.system, source.file.named) == ("platform", "syslog")


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/var/log/nginx/access.log", "access"),
        ("/var/log/shop/*.log", "shop"),
        ("/var/log/shop/worker-*.log", "worker"),
        ("/var/log/postgresql/postgresql-15-main.log", "postgresql-15-main"),
    ],
)
def test_a_file_without_a_service_is_named_after_itself_or_its_folder(path: str, service: str) -> None:
    (source,) = inputs.sources_of(stack_config("staging", files({"path": path})))
    assert source.file.named == service


def test_a_source_keeps_its_positions_where_others_come_before_it() -> None:
    first = inputs.sources_of(stack_config("staging", files({"path": "/a/b/x"})))
    second = inputs.sources_of(stack_config("staging", files({"path": "/a/b/w"}, {"path": "/a/b/x"})))
    assert first[0].receiver == second[1].receiver != second[0].receiver


def test_only_what_is_on_the_host_is_read_there() -> None:
    config = stack_config("dev", FULL)
    assert not inputs.sources_of(config, "elsewhere")
    assert not inputs.listeners_of(config, "elsewhere")
    document = configuration.document(config, "elsewhere")
    assert list(document["receivers"]) == ["receiver_creator/containers", "otlp"]
    assert document["service"]["pipelines"]["logs/read"]["receivers"] == ["receiver_creator/containers"]


def test_the_container_sees_the_folders_read_only_and_publishes_the_ports() -> None:
    (server,) = [one.inputs for one in declared("dev", FULL) if one.name == "collector-server-container"]
    mounts = {one["hostPath"]: one["readOnly"] for one in server["volumes"] if "hostPath" in one}
    assert mounts == {otel.CONTAINERS: True, "/var/log/academy": True, "/srv/academy/nginx": True}
    assert server["capabilities"] == {"adds": ["DAC_READ_SEARCH"], "drops": ["ALL"]}
    ports = {(one["external"], one.get("protocol", "tcp"), one["ip"]) for one in server["ports"]}
    ports -= {(port, "tcp", "172.30.90.1") for port in (4317, 4318)}
    assert ports == {(5514, "udp", "127.0.0.1"), (5515, "tcp", "192.0.2.1"), (6514, "tcp", "127.0.0.1")}


def test_without_files_it_has_no_capability_and_without_syslog_no_port() -> None:
    (server,) = [one.inputs for one in declared("dev", {}) if one.name == "collector-server-container"]
    assert server["capabilities"] == {"drops": ["ALL"]}
    assert not server.get("ports")


def test_the_key_of_the_certificate_is_in_no_configuration() -> None:
    (text,) = configuration.files(stack_config("dev", FULL)).values()
    receiver = load_yaml(text)["receivers"]["syslog/6514-tcp"]
    assert receiver["tcp"]["tls"] == {
        "cert_file": "/etc/otelcol-syslog/current/2.crt",
        "key_file": "/etc/otelcol-syslog/current/key",
        "client_ca_file": "/etc/otelcol-syslog/current/2-clients.crt",
        "min_version": "1.2",
        "reload_interval": "1m",
    }
    assert "PRIVATE KEY-----\n" not in text


def test_mail_addresses_are_replaced_only_where_the_settings_say_so() -> None:
    found = {
        said: "[A-Za-z0-9-]+(?:"
        in configuration.files(stack_config("dev", {"collector": {"redactEmail": said}}))[configuration.MAIN]
        for said in (True, False)
    }
    assert found == {True: True, False: False}


def test_the_formats_of_the_settings_are_those_that_are_read() -> None:
    assert set(get_args(LogFormat)) == set(formats.FORMATS)


def test_metadata_of_the_settings_cannot_replace_what_is_read() -> None:
    read = {field for one in formats.FORMATS.values() for field in one.metadata}
    own = {statements.PARSE_ERROR, statements.PARTIAL, statements.STREAM, statements.FILE, statements.OWN_TIME}
    passing = {statements.REASON, inputs.SOURCE, inputs.LISTENER, "format", otel.IMAGE, otel.PROJECT}
    assert read | own | passing | set(INDEXED) <= RESERVED


@pytest.mark.parametrize(
    ("path", "file", "covered"),
    [
        ("/var/log/a/*.log", "/var/log/a/x.log", True),
        ("/var/log/a/*.log", "/var/log/a/b/x.log", False),
        ("/var/log/a/**/x.log", "/var/log/a/x.log", True),
        ("/var/log/a/**/x.log", "/var/log/a/b/c/x.log", True),
        ("/var/log/a/app?.log", "/var/log/a/app1.log", True),
        ("/var/log/a/app.log", "/var/log/a/appxlog", False),
    ],
)
def test_a_pattern_covers_the_files_that_the_collector_reads(path: str, file: str, covered: bool) -> None:
    assert FileSource(path=path).covers(file) == covered


def test_doctor_names_log_files_that_do_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    (tmp_path / "a.log").write_text("x")
    config = stack_config("staging", files({"path": f"{tmp_path}/*.log"}, {"path": f"{tmp_path}/missing.txt"}))
    found = {what.partition(" of ")[0]: (ok, detail) for what, ok, detail in local(config)}
    assert found == {
        f"log files {tmp_path}/*.log": (True, "1 file"),
        f"log files {tmp_path}/missing.txt": (False, MISSING),
    }
