"""PagerDuty."""

from typing import Final

from pydantic import Field

from observability.channels.descriptor import ApiUrl, Block, Channel, Files, Secret
from observability.channels.text import LINK, LINKS, SOURCE, TIMEOUT, TITLE, fact, facts
from observability.core.section import Section

_SEVERITY: Final = '{{ template "obs.pagerduty.severity" . }}'


class PagerDuty(Section):
    """PagerDuty, Events API v2 (secret <receiver>Key: the integration key)."""

    api_url: ApiUrl = Field("https://events.pagerduty.com/v2/enqueue", description="Address that events are sent to.")


def _integration(pagerduty: PagerDuty, files: Files) -> Block:
    return {
        "routing_key_file": files["Key"],
        "timeout": TIMEOUT,
        "url": pagerduty.api_url,
        "severity": _SEVERITY,
        "description": TITLE,
        "source": SOURCE,
        "class": fact("condition", "text"),
        "component": fact("component", "text"),
        "group": fact("system", "text"),
        "client": "Alertmanager",
        "client_url": LINK,
        "details": {
            **{name.lower(): value for name, value in facts("text").items()},
            "firing": '{{ template "obs.firing" . }}',
            "resolved": '{{ template "obs.resolved" . }}',
        },
        # Alertmanager omits a link whose address is empty.
        "links": [{"text": name, "href": address} for name, address in LINKS.items()],
    }


def _contact_point(pagerduty: PagerDuty) -> Block:
    return {
        "url": pagerduty.api_url,
        "severity": _SEVERITY,
        "summary": TITLE,
        "class_": "{{ .CommonLabels.condition }}",
        "component": "{{ .CommonLabels.component }}",
        "group": "{{ .CommonLabels.system }}",
        "client": "Grafana",
        "client_url": LINK,
    }


CHANNEL: Final = Channel(
    key="pagerduty",
    title="PagerDuty",
    settings=PagerDuty,
    alertmanager="pagerduty_configs",
    integration=_integration,
    grafana="pagerduties",
    contact_point=_contact_point,
    secrets=(Secret(kind="Key", description="Integration key of the service", grafana="integration_key"),),
    pages=True,
    order=3,
)
