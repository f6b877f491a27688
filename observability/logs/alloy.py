"""The collector's configuration for Alloy. Written from its reference; see docs/guide.md for what was verified."""

import json
from collections.abc import Iterable
from typing import Final

from observability.logs import pipelines as p
from observability.logs.sources import BACKOFF_LIMIT, PUSH, REFRESH, SOCKET, Relabel, relabels, teams
from observability.settings.load import StackConfig

PORT: Final = 12345
DATA: Final = "/var/lib/alloy/data"


def files(config: StackConfig) -> dict[str, str]:
    """Alloy's configuration folder: path within it → text."""
    process: list[str] = ["forward_to = [loki.write.default.receiver]"]
    process += ["", *(line for stage in p.HEAD for line in _stage(stage))]
    for kind, selector in p.matches():
        stages = [line for stage in p.FORMATS[kind] for line in _stage(stage)]
        process += ["", *_block("stage.match", [f"selector = {_text(selector)}", *stages])]
    process += ["", *(line for stage in p.tail(teams(config)) for line in _stage(stage))]
    lines = [
        f"// Generated from Pulumi.{config.stack}.yaml; changes here are lost.",
        *_block("logging", ['level = "warn"']),
        *_block('discovery.docker "stack"', [f'host = "unix://{SOCKET}"', f'refresh_interval = "{REFRESH}"']),
        *_block(
            'discovery.relabel "stack"',
            ["targets = discovery.docker.stack.targets", *(line for r in relabels(config) for line in _relabel(r))],
        ),
        *_block(
            'loki.source.docker "stack"',
            [
                f'host = "unix://{SOCKET}"',
                "targets = discovery.relabel.stack.output",
                "forward_to = [loki.process.stack.receiver]",
            ],
        ),
        *_block('loki.process "stack"', process),
        *_block(
            'loki.write "default"',
            _block(
                "endpoint",
                [
                    f'url = "{PUSH}"',
                    'min_backoff_period = "500ms"',
                    f'max_backoff_period = "{BACKOFF_LIMIT}"',
                    "max_backoff_retries = 0",
                ],
            ),
        ),
    ]
    return {"config.alloy": "\n".join(lines) + "\n"}


def _relabel(rule: Relabel) -> list[str]:
    body = [f"source_labels = [{_text(rule.source)}]", f"regex = {_text(rule.expression)}"]
    if rule.keep:
        return _block("rule", [*body, 'action = "keep"'])
    return _block("rule", [*body, f"target_label = {_text(rule.target)}", f"replacement = {_text(rule.value)}"])


def _stage(stage: p.Stage) -> list[str]:
    match stage:
        case p.Json(fields=fields):
            return _block("stage.json", [_map("expressions", fields.items())])
        case p.Regex(expression=expression):
            return _block("stage.regex", [f"expression = {_text(expression)}"])
        case p.Template(source=source, template=template):
            return _block("stage.template", [f"source = {_text(source)}", f"template = {_text(template)}"])
        case p.Timestamp(source=source, format=form):
            body = [f"source = {_text(source)}", f"format = {_text(form)}", 'action_on_failure = "skip"']
            return _block("stage.timestamp", body)
        case p.Labels(names=names):
            return _block("stage.labels", [_map("values", ((name, "") for name in names))])
        case p.Metadata(names=names):
            return _block("stage.structured_metadata", [_map("values", ((name, "") for name in names))])
        case p.Drop(names=names):
            return _block("stage.label_drop", [f"values = {json.dumps(list(names))}"])
        case p.Discard(source=source, value=value, reason=reason):
            words = {"source": source, "value": value, "drop_counter_reason": reason}
            return _block("stage.drop", [f"{key} = {_text(said)}" for key, said in words.items()])
        case p.Count(source=source, name=name, description=description):
            words = {"name": name, "prefix": p.PREFIX, "description": description, "source": source, "action": "inc"}
            body = [f"{key} = {_text(value)}" for key, value in words.items()]
            return _block("stage.metrics", _block("metric.counter", body))


def _block(name: str, body: Iterable[str]) -> list[str]:
    return [f"{name} {{", *(f"  {line}" if line else "" for line in body), "}"]


def _map(name: str, items: Iterable[tuple[str, str]]) -> str:
    return f"{name} = {{ " + ", ".join(f"{key} = {_text(value)}" for key, value in items) + " }"


def _text(value: str) -> str:
    """A string of Alloy's language; its escapes are those of JSON."""
    return json.dumps(value)
