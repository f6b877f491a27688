"""The files that Prometheus reads, as text."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from observability.core.render import to_yaml
from observability.scrape import agents, edge, remote_write, systems
from observability.scrape.job import Job
from observability.scrape.jobs import jobs
from observability.settings.load import StackConfig

HOST_OF_INSTANCE: Final[dict[str, Any]] = {
    "source_labels": ["host", "instance"],
    "separator": ";",
    "regex": r";(?:\w+://)?(\[[^\]]+\]|[^/:]+).*",
    "target_label": "host",
    "replacement": "$1",
}
"""Sets the label `host` of every alert about an instance, unless it has one: HostDown mutes by this label."""


def host_of(address: str) -> str:
    """The host of an address or instance, as HOST_OF_INSTANCE extracts it."""
    match = re.fullmatch(HOST_OF_INSTANCE["regex"], f";{address}")
    return match[1] if match else address


def host_names(found: Iterable[Job]) -> dict[str, str]:
    """The names of hosts by their addresses, where a target's label `host` or a node target's `instance` has one."""
    names: dict[str, str] = {}
    for job in found:
        for target in job.targets:
            name = target.labels.get("host") or (target.labels["instance"] if job.name == "node" else "")
            if name and host_of(name) != host_of(target.address):
                names[host_of(target.address)] = host_of(name)
    return names


def alert_relabelling(found: Iterable[Job], agents: Mapping[str, str] | None = None) -> list[dict[str, object]]:
    """The relabelling of alerts: each gets the name of its host, whether its instance has the name or an address.

    `agents`: the names of hosts with an agent by address.
    """
    named = [
        {"source_labels": ["host"], "regex": re.escape(address), "target_label": "host", "replacement": name}
        for address, name in sorted({**(agents or {}), **host_names(found)}.items())
    ]
    return [HOST_OF_INSTANCE, *named]


def files(config: StackConfig, rule_files: Mapping[str, str]) -> dict[str, str]:
    """Prometheus' configuration folder: path within it → text. Rule files are given by name."""
    return {
        "prometheus.yaml": _prometheus_yaml(config),
        **{f"rules/{name}": text for name, text in sorted(rule_files.items())},
        **systems.files(config),
    }


def secret_files(config: StackConfig) -> dict[str, str]:
    """Secrets that scrape jobs and receivers need: path within the same folder → name of the secret."""
    return systems.secret_files(config) | remote_write.secret_files(config)


def features(config: StackConfig) -> tuple[str, ...]:
    """Feature flags: to keep exemplars, and what receivers need."""
    receivers = config.settings.receivers
    found = []
    if config.settings.prometheus.exemplars or any(one.send_exemplars for one in receivers):
        found.append("exemplar-storage")
    if any(one.protocol == "v2" for one in receivers):
        # Version 2 sends type, unit and help with the series, as the write-ahead log has them.
        found.append("metadata-wal-records")
    return tuple(found)


def _storage(config: StackConfig) -> dict[str, Any]:
    """The section `storage`; empty where Prometheus' defaults apply."""
    kept = config.settings.prometheus.exemplars
    found = {**({"exemplars": {"max_exemplars": kept}} if kept else {}), **edge.storage(config)}
    return {"storage": found} if found else {}


def _prometheus_yaml(config: StackConfig) -> str:
    settings = config.settings
    scraped = jobs(config)
    document = {
        "global": {
            "scrape_interval": settings.prometheus.scrape_interval,
            "evaluation_interval": settings.prometheus.evaluation_interval,
            # Prometheus adds these only to what it sends; no rule, test or panel may select on them.
            "external_labels": {"cluster": settings.cluster, "environment": settings.environment},
        },
        "alerting": {
            "alert_relabel_configs": alert_relabelling(scraped, agents.addresses(config)),
            "alertmanagers": [
                {"static_configs": [{"targets": [f"{name}:9093" for name in settings.alertmanager.services]}]}
            ],
        },
        "rule_files": ["rules/*.yaml"],
        **_storage(config),
        **remote_write.section(config),
        "scrape_configs": [job.to_config() for job in scraped],
    }
    return to_yaml(document, source=f"Pulumi.{config.stack}.yaml")
