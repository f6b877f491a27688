"""The files Prometheus reads, as text."""

from collections.abc import Mapping
from typing import Final

from observability.core.render import to_yaml
from observability.scrape import systems
from observability.scrape.jobs import jobs
from observability.settings.load import StackConfig

HOST_OF_INSTANCE: Final = {
    "source_labels": ["instance"],
    "regex": r"(?:\w+://)?([^/:]+).*",
    "target_label": "host",
    "replacement": "$1",
}
"""Every alert about an instance says on which host it is: one that is down can keep the rest of it quiet."""


def files(config: StackConfig, rule_files: Mapping[str, str]) -> dict[str, str]:
    """Prometheus' configuration folder: path within it → text. Rule files come by name."""
    return {
        "prometheus.yaml": _prometheus_yaml(config),
        **{f"rules/{name}": text for name, text in sorted(rule_files.items())},
        **systems.files(config),
    }


def secret_files(config: StackConfig) -> dict[str, str]:
    """Secrets that the scrape jobs need: path within the same folder → name of the secret."""
    return systems.secret_files(config)


def _prometheus_yaml(config: StackConfig) -> str:
    settings = config.settings
    document = {
        "global": {
            "scrape_interval": settings.prometheus.scrape_interval,
            "evaluation_interval": settings.prometheus.evaluation_interval,
            # Only what leaves Prometheus carries these; no rule, test or panel may select on them.
            "external_labels": {"cluster": settings.cluster, "environment": settings.environment},
        },
        "alerting": {
            "alert_relabel_configs": [HOST_OF_INSTANCE],
            "alertmanagers": [
                {"static_configs": [{"targets": [f"{name}:9093" for name in settings.alertmanager.services]}]}
            ],
        },
        "rule_files": ["rules/*.yaml"],
        "scrape_configs": [job.to_config() for job in jobs(config)],
    }
    return to_yaml(document, source=f"Pulumi.{config.stack}.yaml")
