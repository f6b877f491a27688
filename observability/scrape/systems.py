"""The scrape jobs of the watched systems, one each, with the addresses of this environment."""

from collections.abc import Iterator
from typing import Any, Final

from observability.parts.blackbox import PORT as PROBER_PORT
from observability.parts.blackbox import labels as probe_labels
from observability.parts.probe import HealthProbe
from observability.scrape.job import Job, Target
from observability.settings.load import StackConfig
from observability.settings.systems import SystemSettings
from observability.settings.watched import wanted_secrets
from observability.systems.model import System

FILES = "files"
"""Folder of Prometheus' configuration with the repository's files that the settings name."""

_SECRETS = {"Token": "token", "Password": "password", "Key": "key.pem"}


def system_jobs(config: StackConfig) -> Iterator[Job]:
    """The job of every system that has targets here."""
    for name, system in config.systems.items():
        own = config.system_settings(name)
        if not own.instances.listed or system.scrape is None:
            continue
        labels = {"system": name, "job": system.job}
        yield Job(
            name=system.job,
            job_name=f"{system.job}-{name}",
            path=system.scrape.path,
            targets=tuple(Target(address=one, labels={**labels, "instance": one}) for one in own.instances.static),
            extra={**_manner(system, own), **_discovery(own, labels)},
        )


def health_jobs(config: StackConfig) -> Iterator[Job]:
    """A job for every health page of discovered instances: with the same discovery, probed by blackbox."""
    if not config.runs("blackbox-exporter"):
        return
    for placed in config.servers("blackbox-exporter"):
        probe = placed.server
        if not isinstance(probe, HealthProbe) or not probe.discovered:
            continue
        scheme, _, path = probe.url.partition("://")
        own = config.system_settings(placed.system)
        fixed = {"system": placed.system, "job": "blackbox", **probe_labels(probe)}
        discovery = _discovery(own, fixed)
        discovery["relabel_configs"] = [
            # The page's address becomes the probe's target and the instance; the scraped address is blackbox itself.
            {
                "source_labels": ["__address__"],
                "target_label": "__param_target",
                "replacement": f"{scheme}://$1{path}",
            },
            {"source_labels": ["__param_target"], "target_label": "instance"},
            *discovery["relabel_configs"],
            {"target_label": "__address__", "replacement": f"blackbox-exporter:{PROBER_PORT}"},
        ]
        yield Job(
            name="blackbox",
            job_name=f"blackbox-{probe.name.replace('/', '-')}",
            path="/probe",
            targets=(),
            extra=discovery,
        )


def files(config: StackConfig) -> dict[str, str]:
    """The repository's files that the jobs need: path within Prometheus' configuration folder → text."""
    return {f"{FILES}/{path}": text for path, text in sorted(config.files.items())}


def secret_files(config: StackConfig) -> dict[str, str]:
    """The secrets that the jobs need: path within Prometheus' configuration folder → name of the secret."""
    return {
        _secret_file(name, kind): secret
        for name in config.systems
        for _, kind, secret in wanted_secrets(name, config.system_settings(name))
    }


def _secret_file(system: str, kind: str) -> str:
    return f"secrets/{system}-{_SECRETS[kind]}"


ROBUST: Final = {
    # Without a Content-Type, or with text/html, read as text; otherwise Prometheus 3 refuses the response.
    "fallback_scrape_protocol": "PrometheusText0.0.4",
    # Names as in rules and dashboards, whatever the client library could send.
    "metric_name_escaping_scheme": "underscores",
}
"""Scrape settings of every system's job, so that `obs` checks exactly what Prometheus stores."""


def _manner(system: System, own: SystemSettings) -> dict[str, Any]:
    """The interval, the format, and the credentials."""
    found: dict[str, Any] = dict(ROBUST)
    if system.scrape and system.scrape.interval:
        found["scrape_interval"] = system.scrape.interval
    if system.native_histograms:
        found["scrape_native_histograms"] = True
    if own.scheme != "http":
        found["scheme"] = own.scheme
    if own.bearer_token:
        found["authorization"] = {"credentials_file": _secret_file(system.name, "Token")}
    if own.basic_auth_user:
        found["basic_auth"] = {
            "username": own.basic_auth_user,
            "password_file": _secret_file(system.name, "Password"),
        }
    if own.tls:
        tls = {
            "ca_file": f"{FILES}/{own.tls.ca}" if own.tls.ca else None,
            "cert_file": f"{FILES}/{own.tls.certificate}" if own.tls.certificate else None,
            "key_file": _secret_file(system.name, "Key") if own.tls.certificate else None,
            "server_name": own.tls.server_name,
        }
        found["tls_config"] = {key: value for key, value in tls.items() if value}
    return found


def _discovery(own: SystemSettings, labels: dict[str, str]) -> dict[str, Any]:
    """Discovered targets; whatever labels they have, the system's labels are set."""
    found: dict[str, Any] = {}
    if own.instances.files:
        found["file_sd_configs"] = [{"files": [f"{FILES}/{path}" for path in own.instances.files]}]
    if own.instances.dns:
        found["dns_sd_configs"] = [
            {"names": list(one.names), "type": one.type, **({"port": one.port} if one.port else {})}
            for one in own.instances.dns
        ]
    if found:
        found["relabel_configs"] = [{"target_label": label, "replacement": value} for label, value in labels.items()]
    return found
