"""The labels of every alert, their possible values, and its annotations."""

from typing import Final, Literal, get_args

Severity = Literal["critical", "warning", "info"]

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""From the most severe."""

Component = Literal[
    "application",
    "service",
    "business",
    "security",
    "host",
    "container",
    "database",
    "cache",
    "proxy",
    "endpoint",
    "logs",
    "monitoring",
]
"""What an alert is about, in its label `component`."""

COMPONENTS: Final[tuple[Component, ...]] = get_args(Component)

LABELS: Final = ("severity", "component", "condition", "system", "team")
"""Labels of every alert, besides its name."""

ANNOTATIONS: Final = ("summary", "description", "runbook_url", "dashboard_url")
"""Annotations of every alert when it reaches Alertmanager."""

FIRST: Final = "first"
"""Annotation: the first step, as the runbook states it."""

SINCE: Final = "since"
"""Annotation: when the condition began to hold, UTC; an alert itself starts after its wait."""

ALSO_SEEN: Final = "also_seen"
"""Annotation: data stores of the system that are down, its other alerts, its containers started in the last hour."""

CONTEXT: Final = (FIRST, SINCE, ALSO_SEEN)
"""Annotations that `rules/context.py` adds to the alerts of watched systems."""
