"""The messages that tests/receivers/test_messages.py reads: the template of each, and its alerts."""

from typing import Final

from tests.receivers.rendering import Alert, Data, group

LABELS: Final = {
    "alertname": "HostDown",
    "severity": "critical",
    "component": "host",
    "condition": "down",
    "system": "depot",
    "team": "depot",
    "instance": "erp-1",
    "host": "erp-1",
    "environment": "prod",
    "cluster": "obs-prod",
}
ANNOTATIONS: Final = {
    "summary": "Host erp-1 of depot does not answer",
    "description": "Prometheus has not been able to read the metrics of host erp-1 for a minute.",
    "runbook_url": "https://git.example.com/runbooks/HostDown.md",
    "dashboard_url": "https://grafana.example.com/d/depot-system?var-instance=erp-1&viewPanel=1",
}
DOWN: Final = Alert(labels=LABELS, annotations=ANNOTATIONS)
OVER: Final = Alert(labels=LABELS, annotations=ANNOTATIONS, resolved=True)

RUNBOOK: Final = "https://git.example.com/runbooks/HostDown.md"
PANEL: Final = "https://grafana.example.com/d/depot-system?var-instance=erp-1&viewPanel=1"
SILENCE: Final = (
    "https://alerts.example.com/#/silences/new?filter=%7Balertname%3D%22HostDown%22%2C%20"
    "instance%3D%22erp-1%22%2C%20severity%3D%22critical%22%2C%20system%3D%22depot%22%7D"
)
TIMES: Final = "\N{MULTIPLICATION SIGN}"
FACTS: Final = "System depot, environment prod, component host, severity critical"


def slow(number: int, *, resolved: bool = False) -> Alert:
    """An alert of a route of its own."""
    route = f"/api/orders/{number}"
    return Alert(
        labels={**LABELS, "alertname": "CriticalResponseTime", "component": "application", "route": route},
        annotations={
            "summary": f"depot: {route} takes 3.{number}s",
            "description": f"95% of the requests to {route} of depot must be answered within 2s.",
            "runbook_url": "https://git.example.com/runbooks/CriticalResponseTime.md",
            "dashboard_url": "https://grafana.example.com/d/depot-application?viewPanel=2",
        },
        resolved=resolved,
    )


def labelled(**labels: str) -> Alert:
    """DOWN with these labels."""
    return Alert(labels={**LABELS, **labels}, annotations=ANNOTATIONS)


def annotated(**annotations: str) -> Alert:
    """DOWN with these annotations."""
    return Alert(labels=LABELS, annotations={**ANNOTATIONS, **annotations})


CONTEXT: Final = {
    "first": "Reach the host: ping, then its console.",
    "also_seen": "Down: postgres db:5432. Also firing: EndpointDown. ",
    "since": "2026-11-21 12:20:05",
}
SEEN: Final = "First: Reach the host: ping, then its console.{0}Down: postgres db:5432. Also firing: EndpointDown.{0}"

FOUND: Final = {
    "cause": "PostgreSQL db:5432 of depot is down (DatabaseDown since 12:19 UTC)",
    "line_1": "12 x api: could not connect",
    "line_2": "web: order 17 failed",
    "line_3": "web: gave up",
}
"""What the notifier adds."""

DRAWN: Final = "https://obs.example.com/pictures/0123456789abcdef_-ABCD.png"

WORSE: Final = Alert(
    labels={**LABELS, "update": "3f2a-1"},
    annotations={**ANNOTATIONS, "update": "45% now, 12% in the last message"},
)

MIXED: Final = group(*(slow(number, resolved=number > 2) for number in range(5)))
MANY: Final = group(*(slow(number) for number in range(30)))

CHANNELS: Final = {"slack": "\n", "markdown": "\n\n", "telegram": "\n", "text": "\n", "brief": "\n", "mail": "<br>"}
"""Template of each kind of message, and its line ending."""

WANTED: Final[dict[str, tuple[str, Data]]] = {
    "title": ("obs.title", group(DOWN)),
    "slack title": ("obs.slack.title", group(annotated(summary="<!here> & <b>"))),
    "markdown title": ("obs.markdown.title", group(annotated(summary="*all* [x](y)"))),
    "title over": ("obs.title", group(OVER)),
    "title of a warning": ("obs.title", group(labelled(severity="warning"))),
    "title of no severity": ("obs.title", group(labelled(severity=""))),
    "title of no summary": ("obs.title", group(annotated(summary=""))),
    "title of a test": ("obs.title", group(labelled(obs_test="true"))),
    "title of several": ("obs.title", MANY),
    "title of several over": ("obs.title", group(slow(1, resolved=True), slow(2, resolved=True))),
    "title of a mixture": ("obs.title", MIXED),
    "title of several kinds": ("obs.title", group(DOWN, slow(1))),
    "title of several severities": ("obs.title", group(labelled(severity="warning"), DOWN)),
    "slack": ("obs.slack", group(DOWN)),
    "slack over": ("obs.slack", group(OVER)),
    "slack of a mixture": ("obs.slack", MIXED),
    **{f"{name} with context": (f"obs.{name}", group(annotated(**CONTEXT))) for name in CHANNELS},
    **{f"{name} with evidence": (f"obs.{name}", group(annotated(**FOUND, **CONTEXT))) for name in CHANNELS},
    "over with evidence": ("obs.text", group(Alert(labels=LABELS, annotations=ANNOTATIONS | FOUND, resolved=True))),
    **{f"{name} of an update": (f"obs.{name}", group(WORSE, DOWN)) for name in (*CHANNELS, "title", "firing")},
    **{f"{name} with a picture": (f"obs.{name}", group(annotated(picture=DRAWN))) for name in (*CHANNELS, "picture")},
    "picture of several": ("obs.picture", group(OVER, DOWN, annotated(picture=DRAWN))),
    "picture of none": ("obs.picture", group(Alert(labels=LABELS, annotations={"picture": DRAWN}, resolved=True))),
    "picture that is no address": ("obs.mail", group(annotated(picture='https://x"onerror="y'))),
    "update of several": ("obs.text", group(DOWN, labelled(instance="erp-2"), WORSE)),
    "title of an update of several": ("obs.title", group(DOWN, labelled(instance="erp-2"), WORSE)),
    "end of an update": ("obs.title", group(Alert(labels=WORSE.labels, annotations=WORSE.annotations, resolved=True))),
    "title of an update of what is over": ("obs.title", group(OVER, WORSE)),
    "over with context": ("obs.text", group(Alert(labels=LABELS, annotations=ANNOTATIONS | CONTEXT, resolved=True))),
    "since a text": ("obs.text", group(annotated(since="<b>long</b> ago"))),
    "markdown": ("obs.markdown", group(DOWN)),
    "markdown of markup": ("obs.markdown", group(annotated(description="*a* _b_ [c](http://d) `e` <f>\n# g"))),
    "telegram": ("obs.telegram", group(DOWN)),
    "telegram of many": ("obs.telegram", MANY),
    "text": ("obs.text", group(DOWN)),
    "text of several kinds": ("obs.text", group(DOWN, slow(1))),
    "brief": ("obs.brief", group(DOWN)),
    "brief of many": ("obs.brief", MANY),
    "mail": ("obs.mail", group(DOWN)),
    "mail of many": ("obs.mail", MANY),
    "firing": ("obs.firing", MIXED),
    "resolved": ("obs.resolved", MIXED),
    "logs": ("obs.logs", group(DOWN)),
    "logs of no system": ("obs.logs", group(labelled(system=""))),
    "silence of several": ("obs.silence", MANY),
    "silence of a quote": ("obs.silence", group(labelled(instance='a"b'))),
    "text of no whole address": ("obs.text", group(annotated(runbook_url="runbooks/It.md", dashboard_url="/d/it"))),
    "text of a long address": ("obs.text", group(annotated(runbook_url=f"{RUNBOOK}?{'p' * 300}"))),
    "dashboard": ("obs.dashboard", group(DOWN)),
    "dashboard of none": ("obs.dashboard", group(annotated(dashboard_url="/d/obs-stack"))),
    **{
        f"{name} of {severity}": (f"obs.{name}", group(labelled(severity=severity)))
        for name in ("colour", "pagerduty.severity", "opsgenie.priority", "pushover.priority")
        for severity in ("critical", "warning", "info", "none")
    },
    "colour over": ("obs.colour", group(OVER)),
    "pushover.priority over": ("obs.pushover.priority", group(OVER)),
}
