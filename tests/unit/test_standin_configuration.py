"""The stand-in's provider configuration: which engine, and how it is reached."""

from typing import Any

import pytest

from toolchain.ssh import command
from toolchain.standin.configuration import access, failures


def test_the_settings_of_the_official_provider_for_another_engine_are_known() -> None:
    given = {"host": "ssh://a", "sshOpts": '["-4"]', "disableDockerDaemonCheck": "true", "version": "1"}
    assert not list(failures({**given, "__internal": {}}))
    assert not list(failures({"host": "tcp://a:1", "caMaterial": "a", "certMaterial": "b", "keyMaterial": "c"}))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"context": "other"}, "does not know the provider's setting context"),
        ({"certPath": "/a", "keyMaterial": "k", "certMaterial": "c", "caMaterial": "a"}, "conflicts with certPath"),
        ({"keyMaterial": "k"}, "keyMaterial needs caMaterial"),
    ],
)
def test_an_unknown_setting_or_a_contradiction_is_refused_by_name(given: dict[str, Any], named: str) -> None:
    assert named in " ".join(reason for _, reason in failures(given))


def test_texts_of_certificates_become_private_files() -> None:
    found = access({"host": "tcp://a:2376", "caMaterial": "CA", "certMaterial": "CERT", "keyMaterial": "KEY"})
    assert found.tls_folder is not None
    assert {path.name: path.read_text() for path in found.tls_folder.iterdir()} == {
        "ca.pem": "CA",
        "cert.pem": "CERT",
        "key.pem": "KEY",
    }
    assert {path.stat().st_mode & 0o077 for path in (found.tls_folder, *found.tls_folder.iterdir())} == {0}


def test_lists_and_booleans_arrive_as_json() -> None:
    found = access({"host": "ssh://a", "sshOpts": '["-o", "Port=22"]', "disableDockerDaemonCheck": "true"})
    assert found.ssh_options == ("-o", "Port=22")
    assert found.lazy
    assert not access({"host": "unix:///a"}).lazy


def test_ssh_runs_dockers_own_command_on_the_host_and_asks_nothing() -> None:
    words = command("ssh://root@web-2:2222", ("-4",))
    assert words[:2] == ["ssh", "-T"]
    assert "BatchMode=yes" in words
    assert words[-8:] == ["-4", "-l", "root", "-p", "2222", "--", "web-2", "docker system dial-stdio"]
