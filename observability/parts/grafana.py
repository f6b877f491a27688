"""Grafana: dashboards, and their access. Its settings are in `observability/settings/grafana.py`."""

from typing import Final

from observability.core.secret import SecretSpec
from observability.parts.model import Image, Kept, Part, Server

PORT: Final = 3000
"""Port in the container."""

PART: Final = Part[None, Server](
    name="grafana",
    title="Dashboards.",
    # With an external Grafana, the stack writes its content there and runs none.
    active=lambda settings: settings.url is None,
    job="grafana",
    port=PORT,
    rules=("grafana",),
    kept=Kept(owner="472:0", databases=("grafana.db",), left_out=("csv", "pdf", "png", "plugins")),
    images=(Image(name="grafana", reference="grafana/grafana:13.2.0"),),
    secrets={
        "grafanaAdminPassword": SecretSpec(
            description="Password of the user admin of the Grafana that the stack runs; it counts on its first start.",
            generated=True,
            part="grafana",
        ),
        "grafanaAuth": SecretSpec(
            description="Service account token, or user:password, of the external Grafana that grafana.url names.",
        ),
        "grafanaOidcSecret": SecretSpec(
            description="Client secret of Grafana at the identity provider of grafana.oidc.", part="grafana"
        ),
        "grafanaElasticsearchPassword": SecretSpec(
            description="Password of the user of grafana.dataSources.elasticsearch.",
        ),
        "grafanaCloudwatchSecretKey": SecretSpec(
            description="Secret half of the access key of grafana.dataSources.cloudwatch.",
        ),
        "grafanaSentryToken": SecretSpec(
            description="Token of an internal integration of Sentry that may read projects, issues and organization.",
        ),
    },
)
