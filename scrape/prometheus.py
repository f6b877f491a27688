"""The files Prometheus reads, as text."""

from collections.abc import Mapping

from config.load import StackConfig
from config.render import to_yaml
from scrape.jobs import jobs


def files(config: StackConfig, rule_files: Mapping[str, str]) -> dict[str, str]:
    """Prometheus' configuration folder: path within it → text. Rule files come by name."""
    return {
        "prometheus.yaml": _prometheus_yaml(config),
        **{f"rules/{name}": text for name, text in sorted(rule_files.items())},
    }


def _prometheus_yaml(config: StackConfig) -> str:
    settings = config.settings
    document = {
        "global": {
            "scrape_interval": settings.prometheus.scrape_interval,
            "evaluation_interval": settings.prometheus.evaluation_interval,
            # Only what leaves Prometheus carries these; no rule, test or panel may select on them.
            "external_labels": {"cluster": settings.cluster, "environment": settings.environment},
        },
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]},
        "rule_files": ["rules/*.yaml"],
        "scrape_configs": [job.to_config() for job in jobs(config)],
    }
    return to_yaml(document, source=f"Pulumi.{config.stack}.yaml")
