"""Alerts that Grafana evaluates itself, for data sources without a ruler; plain data.

Alerts of Prometheus and Loki are evaluated by their own rulers, those of CloudWatch by its own alarms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from observability.core.naming import ELASTICSEARCH, PLATFORM, runbook
from observability.elk.source import source as own_lines
from observability.settings.grafana import STACK_FOLDER, ElasticsearchSource
from observability.settings.load import StackConfig

EXPRESSION: Final = "__expr__"
"""uid of the data source of Grafana's expressions."""

WINDOW: Final = 300
"""Length of the queried range, in seconds."""


@dataclass(frozen=True, kw_only=True)
class RuleQuery:
    """One step of a rule: a query of a data source, or an expression on an earlier step."""

    ref: str
    source: str
    model: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """An alert; it fires where the last of its steps is not 0."""

    name: str
    queries: tuple[RuleQuery, ...]
    hold: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RuleGroup:
    """Rules that are evaluated together at an interval in seconds."""

    name: str
    folder: str
    interval: int
    rules: tuple[Rule, ...]


def rule_groups(config: StackConfig) -> tuple[RuleGroup, ...]:
    """The groups of a stack; none where every data source has a ruler."""
    elasticsearch = config.settings.grafana.data_sources.elasticsearch or own_lines(config)
    if elasticsearch is None:
        return ()
    rules = (_error_burst(config, elasticsearch),)
    return (RuleGroup(name=ELASTICSEARCH, folder=STACK_FOLDER, interval=60, rules=rules),)


def _error_burst(config: StackConfig, source: ElasticsearchSource) -> Rule:
    """Too many lines of level error in Elasticsearch; no lines means no errors."""
    name = "ElasticsearchErrorBurst"
    levels = f"{source.level_field}:(error OR ERROR OR critical OR CRITICAL OR fatal OR FATAL)"
    return Rule(
        name=name,
        queries=(
            RuleQuery(
                ref="A",
                source=ELASTICSEARCH,
                model={
                    "query": levels,
                    "timeField": source.time_field,
                    "metrics": [{"id": "1", "type": "count"}],
                    "bucketAggs": [
                        {
                            "id": "2",
                            "type": "date_histogram",
                            "field": source.time_field,
                            "settings": {"interval": "60s", "min_doc_count": "0"},
                        }
                    ],
                },
            ),
            RuleQuery(ref="B", source=EXPRESSION, model={"type": "reduce", "expression": "A", "reducer": "sum"}),
            RuleQuery(
                ref="C",
                source=EXPRESSION,
                model={"type": "math", "expression": f"$B / {WINDOW} > {source.errors_per_second:g}"},
            ),
        ),
        hold="5m",
        labels={
            "severity": "warning",
            "component": "logs",
            "condition": "log_errors",
            "system": PLATFORM,
            "team": PLATFORM,
            "cluster": config.settings.cluster,
        },
        annotations={
            "summary": "Many errors in the logs that Elasticsearch holds",
            "description": f"More than {source.errors_per_second:g} lines a second of level error or worse in the "
            'last 5 minutes: {{ printf "%.0f" $values.B.Value }} in all.',
            "runbook_url": runbook(name, config.settings.links.runbooks),
            "dashboard_url": "/explore",
        },
    )
