"""What the dashboards across all systems have in common: which systems are chosen, and the ways between them."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.layout import to, variable

FOLDER: Final = "observability"
"""uid of the folder that holds them."""

OF: Final = 'system=~"$system"'
"""The chosen systems."""


def systems() -> build.QueryVariable:
    """The choice of systems, the stack itself among them."""
    return variable("system", "System", "label_values(app:system:info, system)")


def back() -> build.DashboardLink:
    """The way to the overview."""
    return to("Overview", "/d/obs-overview")
