"""The collector's configuration for Promtail, in YAML."""

from typing import Any, Final

from observability.core.render import to_yaml
from observability.logs import pipelines as p
from observability.logs.sources import BACKOFF_LIMIT, PUSH, REFRESH, SOCKET, Relabel, relabels, teams
from observability.settings.load import StackConfig

PORT: Final = 9080
DATA: Final = "/var/lib/promtail"


def files(config: StackConfig) -> dict[str, str]:
    """Promtail's configuration folder: path within it → text."""
    document = {
        "server": {"http_listen_port": PORT, "grpc_listen_port": 0, "log_level": "warn"},
        "positions": {"filename": f"{DATA}/positions.yaml", "sync_period": "2s"},
        "clients": [
            {
                "url": PUSH,
                "batchwait": "1s",
                "backoff_config": {"min_period": "500ms", "max_period": BACKOFF_LIMIT, "max_retries": 0},
            }
        ],
        "scrape_configs": [
            {
                "job_name": "docker",
                "docker_sd_configs": [{"host": f"unix://{SOCKET}", "refresh_interval": REFRESH}],
                "relabel_configs": [_relabel(rule) for rule in relabels(config)],
                "pipeline_stages": [
                    *(_stage(stage) for stage in p.HEAD),
                    *(
                        {"match": {"selector": selector, "stages": [_stage(stage) for stage in p.FORMATS[kind]]}}
                        for kind, selector in p.matches()
                    ),
                    *(_stage(stage) for stage in p.tail(teams(config))),
                ],
            }
        ],
    }
    return {"promtail.yaml": to_yaml(document, source=f"Pulumi.{config.stack}.yaml")}


def _relabel(rule: Relabel) -> dict[str, Any]:
    found: dict[str, Any] = {"source_labels": [rule.source], "regex": rule.expression}
    if rule.keep:
        return {**found, "action": "keep"}
    return {**found, "target_label": rule.target, "replacement": rule.value}


def _stage(stage: p.Stage) -> dict[str, Any]:
    match stage:
        case p.Json(fields=fields):
            return {"json": {"expressions": dict(fields)}}
        case p.Regex(expression=expression):
            return {"regex": {"expression": expression}}
        case p.Template(source=source, template=template):
            return {"template": {"source": source, "template": template}}
        case p.Timestamp(source=source, format=form):
            return {"timestamp": {"source": source, "format": form, "action_on_failure": "skip"}}
        case p.Labels(names=names):
            return {"labels": dict.fromkeys(names)}
        case p.Metadata(names=names):
            return {"structured_metadata": dict.fromkeys(names)}
        case p.Drop(names=names):
            return {"labeldrop": list(names)}
        case p.Discard(source=source, value=value, reason=reason):
            return {"drop": {"source": source, "value": value, "drop_counter_reason": reason}}
        case p.Count(source=source, name=name, description=description):
            counter = {"type": "Counter", "prefix": p.PREFIX, "description": description, "source": source}
            return {"metrics": {name: {**counter, "config": {"action": "inc"}}}}
