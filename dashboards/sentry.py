"""Sentry: the issues of an organization, asked for by Grafana itself through Sentry's own data source."""

from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models import common, dashboard

from dashboards.across import back
from dashboards.common import GRAPH_HEIGHT
from dashboards.datasources import SENTRY
from dashboards.layout import Row, assemble
from observability.settings.grafana import SentrySource

UID: Final = "obs-sentry"

SOURCE: Final = common.DataSourceRef(type_val=SENTRY, uid=SENTRY)

LIMIT: Final = 50


@dataclass(frozen=True, kw_only=True)
class Issues(builder.Builder[variants.Dataquery], variants.Dataquery):
    """A query for issues, as the data source's own editor writes it; Grafana's library has no model of it."""

    search: str
    sort: str
    projects: tuple[str, ...]
    environments: tuple[str, ...]

    def build(self) -> variants.Dataquery:
        """Itself."""
        return self

    def to_json(self) -> dict[str, Any]:
        """The query in a dashboard."""
        return {
            "refId": "A",
            "datasource": SOURCE,
            "queryType": "issues",
            "projectIds": list(self.projects),
            "environments": list(self.environments),
            "issuesQuery": self.search,
            "issuesSort": self.sort,
            "issuesLimit": LIMIT,
        }


def sentry(source: SentrySource) -> dashboard.Dashboard:
    """The dashboard: new issues, the most frequent ones, and those that affect the most users."""
    return assemble(
        UID,
        "Sentry Issues",
        "Unresolved issues of Sentry that were seen in the time range.",
        [
            Row("New", [_issues("Newest Issues", "Issues by their first event, the newest first.", "new", source)]),
            Row(
                "Unresolved",
                [
                    _issues("Most Frequent Issues", "Issues by the number of their events.", "freq", source),
                    _issues("Issues by Users", "Issues by the number of users that they affect.", "user", source),
                ],
            ),
        ],
        links=[back()],
        period="24h",
    )


def _issues(title: str, description: str, sort: str, source: SentrySource) -> table.Panel:
    query = Issues(search="is:unresolved", sort=sort, projects=source.projects, environments=source.environments)
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit("short")
        .span(24)
        .height(GRAPH_HEIGHT)
        .targets([query])
    )
