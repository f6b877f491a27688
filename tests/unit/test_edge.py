"""The edge: where it exists, what it lets through, and whose certificate it has."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.operations.home import Home
from observability.parts import authority, caddy
from observability.parts.edge import AUTHORITY, AUTHORITY_KEY
from observability.scrape import edge
from observability.scrape.prometheus import files as prometheus_files
from observability.settings.hosts import token
from observability.settings.load import StackConfig, validate
from tests.unit.conftest import declared

ADDRESS = "monitoring.example.com"
ON = {"edge": {"enabled": True, "address": ADDRESS}}
HOST = {"docker": "ssh://root@10.0.0.2"}


def config(own: dict[str, Any], secrets: frozenset[str] = frozenset(), **more: Any) -> StackConfig:  # noqa: ANN401
    """A stack with these settings of the edge."""
    return validate("dev", {"edge": {"enabled": True, "address": ADDRESS, **own}, **more}, secrets)


def refused(own: dict[str, Any]) -> str:
    """The error for these settings of the edge."""
    with pytest.raises(ConfigError) as error:
        config(own)
    return f"{error.value.what} {error.value.fix}"


def test_a_stack_without_hosts_has_no_resource_and_no_text_of_an_edge() -> None:
    assert not [one.name for one in declared("dev", {}) if "edge" in one.name]
    written = load_yaml(prometheus_files(validate("dev", {}, frozenset()), {})["prometheus.yaml"])
    assert "tsdb" not in written["storage"]


def test_with_an_edge_prometheus_takes_samples_of_a_host_that_was_cut_off() -> None:
    written = load_yaml(prometheus_files(config({}), {})["prometheus.yaml"])
    assert written["storage"]["tsdb"] == {"out_of_order_time_window": "12h"}
    server = next(one for one in declared("dev", ON) if one.name == "prometheus-server-container")
    assert "--web.enable-remote-write-receiver" in server.inputs["command"]


def test_the_edge_alone_is_published_on_every_address() -> None:
    published = {
        one.name: port["ip"]
        for one in declared("dev", ON)
        if one.type == "docker:index/container:Container"
        for port in one.inputs.get("ports", [])
    }
    assert {name for name, address in published.items() if address == "0.0.0.0"} == {"edge-server-container"}  # noqa: S104


def test_no_credential_is_in_the_text_that_synth_writes() -> None:
    with_host = config({}, hosts={"web-2": HOST})
    assert list(edge.files(with_host)) == [caddy.MAIN]
    secret = edge.hosts(with_host)
    assert secret.names == (token("web-2"),)
    assert f'"Bearer {"0f" * 24}" web-2' in secret.text({token("web-2"): "0f" * 24}).splitlines()


def test_the_edge_passes_on_only_what_the_stack_takes() -> None:
    text = edge.files(config({}))[caddy.MAIN]
    assert "/api/v1/write" in text
    assert "/otlp/v1/logs" in text
    assert "/otlp/v1/logs" not in edge.files(config({}, loki={"enabled": False}))[caddy.MAIN]


def test_the_edge_is_started_with_the_stacks_own_authority_by_default() -> None:
    assert edge.secret_files(config({})) == {caddy.CERTIFICATE: AUTHORITY, caddy.KEY: AUTHORITY_KEY}
    assert config({}).settings.edge.authority == AUTHORITY


def test_with_acme_agents_trust_the_roots_of_their_system() -> None:
    with_acme = config({"port": 443, "tls": {"acme": {"email": "ops@example.com"}}})
    assert edge.secret_files(with_acme) == {}
    assert with_acme.settings.edge.authority is None
    assert "email ops@example.com" in edge.files(with_acme)[caddy.MAIN]


def test_acme_at_another_port_than_443_is_refused() -> None:
    assert "443" in refused({"tls": {"acme": {}}})


def test_acme_and_files_at_once_are_refused() -> None:
    assert "remove the other" in refused({"port": 443, "tls": {"acme": {}, "files": {}}})


def test_an_edge_without_an_address_is_refused() -> None:
    assert "address" in refused({"address": None})


def test_files_need_their_secrets() -> None:
    assert "edgeCertificate" in refused({"tls": {"files": {}}})
    pair = frozenset({"edgeCertificate", "edgeKey"})
    assert config({"tls": {"files": {}}}, pair).settings.edge.authority is None
    private = config({"tls": {"files": {"privateAuthority": True}}}, pair | {"edgeCertificateAuthority"})
    assert private.settings.edge.authority == "edgeCertificateAuthority"


def test_an_authority_is_made_once_and_again_before_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(folder=tmp_path)
    stack = config({})
    home.generate_secrets(stack)
    first = home.secrets("dev")
    assert "BEGIN CERTIFICATE" in first[AUTHORITY]
    assert "PRIVATE KEY" in first[AUTHORITY_KEY]
    home.generate_secrets(stack)
    assert home.secrets("dev") == first
    monkeypatch.setattr(authority, "RENEWED", authority.LIFE + datetime.timedelta(days=1))
    home.generate_secrets(stack)
    second = home.secrets("dev")
    assert second[AUTHORITY] != first[AUTHORITY]
    assert second[AUTHORITY_KEY] != first[AUTHORITY_KEY]
