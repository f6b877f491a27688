"""What the dashboards across all systems share: the selection of systems, and the links between the dashboards."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.layout import to, variable

FOLDER: Final = "observability"
"""uid of the folder that contains them."""

OF: Final = 'system=~"$system"'
"""The chosen systems."""


def systems() -> build.QueryVariable:
    """The variable that selects systems, the stack itself among them."""
    return variable("system", "System", "label_values(app:system:info, system)")


def back() -> build.DashboardLink:
    """The link to the overview."""
    return to("Overview", "/d/obs-overview")
