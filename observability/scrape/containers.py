"""Series of containers: each gets the `system` of its container, by the same rules as the container's log lines."""

from collections.abc import Iterator
from typing import Any, Final

from observability.logs import sources
from observability.settings.load import StackConfig

_PREFIX: Final = "container_label_"


def relabels(config: StackConfig) -> list[dict[str, Any]]:
    """Prometheus' `metric_relabel_configs` of a job with series of containers.

    Series without a container's name are those of the host.
    """
    return [*_systems(config)]


def _systems(config: StackConfig) -> Iterator[dict[str, Any]]:
    for rule in sources.relabels(config):
        if rule.target != "system":
            continue
        if rule.source == sources.NAME:
            yield _rule("name", rule.expression.removeprefix("/"), rule.value)
        else:
            yield _rule(_PREFIX + rule.source.removeprefix(sources.LABEL), rule.expression, rule.value)


def _rule(source: str, expression: str, value: str) -> dict[str, Any]:
    return {"source_labels": [source], "regex": expression, "target_label": "system", "replacement": value}
