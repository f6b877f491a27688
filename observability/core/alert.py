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

WATCHDOG: Final = "Watchdog"
"""The alert that always fires, to show that alerts are delivered."""

RECENT: Final = "RecentlyCritical"
"""The alert that repeats each critical alert for some minutes after its end, so that the effects stay muted."""

NO_PROBLEM: Final = (WATCHDOG, RECENT)
"""Alerts that report no problem: no list of alerts shows them."""

NO_PROBLEM_PATTERN: Final = "|".join(NO_PROBLEM)

LABELS: Final = ("severity", "component", "condition", "system", "team")
"""Labels of every alert, besides its name."""

ANNOTATIONS: Final = ("summary", "description", "runbook_url", "dashboard_url")
"""Annotations of every alert when it reaches Alertmanager."""

IMPACT: Final = "impact"
"""Annotation of a rule's file: its alert means that users are affected, and how. Servers do not get it."""

IMPACTS: Final = ("degraded", "down")
"""Values of IMPACT, from the lesser."""

FIRST: Final = "first"
"""Annotation: the first step, as the runbook states it."""

SINCE: Final = "since"
"""Annotation: when the condition began to hold, UTC; an alert itself starts after its wait."""

ALSO_SEEN: Final = "also_seen"
"""Annotation: data stores of the system that are down, its other alerts, its containers started in the last hour."""

CONTEXT: Final = (FIRST, SINCE, ALSO_SEEN)
"""Annotations that `rules/context.py` adds to the alerts of watched systems."""

CAUSE: Final = "cause"
"""Annotation that the notifier adds: the most likely cause with its evidence, then the next ones."""

LOG_LINES: Final = ("line_1", "line_2", "line_3")
"""Annotations that the notifier adds: the newest kinds of error lines, the newest first."""

PICTURE: Final = "picture"
"""Annotation that the notifier adds: address of a picture of the alert's panel."""

UPDATE: Final = "update"
"""Label, and annotation, of the alert by which the notifier sends a group again because an alert of it got worse. The
label's value is new for each update; the annotation says the value now and the one in the last message."""

UPDATE_SENT: Final = "update_sent"
"""Label of the alert that mutes such an update once it was sent, so that its end is no message."""
