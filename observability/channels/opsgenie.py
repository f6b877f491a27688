"""Opsgenie."""

from typing import Final, Literal

from pydantic import Field

from observability.channels.descriptor import ApiUrl, Block, Channel, Files, Secret
from observability.channels.text import LINKS, SOURCE, TEXT, TITLE, facts
from observability.core.section import Section

_API: Final = {"us": "https://api.opsgenie.com/", "eu": "https://api.eu.opsgenie.com/"}
"""Address of Opsgenie's API, by region."""


class Opsgenie(Section):
    """Opsgenie, by an API integration (secret <receiver>Key)."""

    region: Literal["us", "eu"] = Field("us", description="Region of the account.")
    api_url: ApiUrl | None = Field(None, description="Address of the API; none: that of the region.")

    @property
    def address(self) -> str:
        """The API's address."""
        return self.api_url or _API[self.region]


def _integration(opsgenie: Opsgenie, files: Files) -> Block:
    return {
        "api_key_file": files["Key"],
        "api_url": opsgenie.address,
        "message": TITLE,
        "description": TEXT,
        "priority": '{{ template "obs.opsgenie.priority" . }}',
        "source": "Alertmanager",
        "entity": SOURCE,
        # Alertmanager adds all labels that the alerts share to the details.
        "details": {name.lower(): address for name, address in LINKS.items()},
        "tags": ",".join(facts("text")[name] for name in ("Severity", "System", "Component")),
    }


def _contact_point(opsgenie: Opsgenie) -> Block:
    url = f"{opsgenie.address.rstrip('/')}/v2/alerts"
    return {"url": url, "message": TITLE, "description": TEXT, "auto_close": True}


CHANNEL: Final = Channel(
    key="opsgenie",
    title="Opsgenie",
    settings=Opsgenie,
    alertmanager="opsgenie_configs",
    integration=_integration,
    grafana="opsgenies",
    contact_point=_contact_point,
    secrets=(Secret(kind="Key", description="Key of the API integration", grafana="api_key"),),
    destination=lambda opsgenie: f"Opsgenie ({opsgenie.region})",
    pages=True,
    order=7,
)
