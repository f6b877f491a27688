"""The configuration of Loki, the collector and the blackbox exporter passes their checks; an invalid one does not."""

import re
from pathlib import Path
from typing import Any

import pytest

from observability.collector import configuration
from observability.logs import loki
from observability.parts import blackbox
from observability.parts.otel_collector import OTEL as IMAGE
from tests.hosts.keys import tls_files
from tests.tools import run_tool
from tests.unit.conftest import FULL, stack_config

CASES: list[tuple[str, dict[str, Any]]] = [("dev", {}), ("staging", {}), ("prod", FULL)]

LOKI = ["/usr/bin/loki", "-verify-config", "-config.file=loki.yaml"]
OTEL = ["/otelcol-contrib", "validate", f"--config={configuration.MAIN}"]
BLACKBOX = ["/bin/blackbox_exporter", "--config.check", "--config.file=blackbox.yaml"]


@pytest.mark.parametrize(("stack", "values"), CASES)
def test_loki_accepts_its_configuration_of(stack: str, values: dict[str, Any]) -> None:
    result = run_tool("loki", LOKI, loki.files(stack_config(stack, values)))
    assert result.code == 0, result.output


@pytest.mark.parametrize(("stack", "values"), CASES)
def test_the_collector_accepts_its_configuration_of(stack: str, values: dict[str, Any], tmp_path: Path) -> None:
    # It opens the certificates, which are elsewhere in a stack.
    keys = tls_files(tmp_path / "keys", "192.0.2.1")
    pair = {"cert_file": keys.server.certificate, "key_file": keys.server.key, "client_ca_file": keys.authority}
    texts = {
        name: re.sub(rf"({'|'.join(pair)}): \S+", lambda found: f"{found[1]}: {found[1]}.pem", text)
        for name, text in configuration.files(stack_config(stack, values)).items()
    }
    texts |= {f"{name}.pem": path.read_text() for name, path in pair.items()}
    result = run_tool(IMAGE.name, OTEL, texts)
    assert result.code == 0, result.output


@pytest.mark.parametrize(("stack", "values"), CASES)
def test_the_blackbox_exporter_accepts_its_configuration_of(stack: str, values: dict[str, Any]) -> None:
    probes = stack_config(stack, values).servers("blackbox-exporter")
    result = run_tool("blackbox-exporter", BLACKBOX, {"blackbox.yaml": blackbox.modules(probes, stack)})
    assert result.code == 0, result.output


def test_loki_refuses_a_limit_it_does_not_know() -> None:
    text = loki.files(stack_config())["loki.yaml"].replace("ingestion_rate_mb", "ingestion_rate_mib")
    result = run_tool("loki", LOKI, {"loki.yaml": text})
    assert result.code != 0
    assert "ingestion_rate_mib" in result.output


def test_the_collector_refuses_a_key_it_does_not_know() -> None:
    # Its check does not cover the receivers that receiver_creator starts; tests/servers runs them.
    text = configuration.files(stack_config())[configuration.MAIN].replace("max_elapsed_time:", "max_elapse_time:")
    result = run_tool(IMAGE.name, OTEL, {configuration.MAIN: text})
    assert result.code != 0
    assert "max_elapse_time" in result.output
