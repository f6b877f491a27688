"""The blackbox exporter's modules: one for each kind of probe, and one for each keyword."""

import re
from typing import Any

from observability.core.render import to_yaml
from observability.scrape.targets import probes
from observability.settings.exporters import HealthProbe, ProbeSettings
from observability.settings.load import StackConfig


def module(probe: ProbeSettings) -> str:
    """Name of the module that a probe uses."""
    if probe.url.startswith("tcp://"):
        return "tcp_connect"
    if _tls(probe):
        return f"http_tls_{probe.name}"
    return f"http_keyword_{probe.name}" if probe.keyword else "http_2xx"


def target(probe: ProbeSettings) -> str:
    """The address as the exporter wants it."""
    return probe.url.removeprefix("tcp://")


def files(config: StackConfig) -> dict[str, str]:
    """The exporter's configuration folder: path within it → text."""
    http: dict[str, Any] = {"preferred_ip_protocol": "ip4", "ip_protocol_fallback": True}
    modules: dict[str, Any] = {
        "http_2xx": {"prober": "http", "timeout": "5s", "http": http},
        "tcp_connect": {"prober": "tcp", "timeout": "5s", "tcp": http},
    }
    for probe in probes(config):
        if module(probe) not in modules:
            demand = {"fail_if_body_not_matches_regexp": [re.escape(probe.keyword)]} if probe.keyword else {}
            tls = {"tls_config": _tls(probe)} if _tls(probe) else {}
            modules[module(probe)] = {"prober": "http", "timeout": "5s", "http": {**http, **demand, **tls}}
    return {"blackbox.yaml": to_yaml({"modules": modules}, source=f"Pulumi.{config.stack}.yaml")}


def _tls(probe: ProbeSettings) -> dict[str, str]:
    """What TLS wants beyond the public authorities; certificates are no secrets, so they stand in the file itself."""
    wanted = {"ca": probe.ca, "server_name": probe.server_name} if isinstance(probe, HealthProbe) else {}
    return {key: value for key, value in wanted.items() if value}
