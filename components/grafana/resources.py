"""What is in Grafana: folders, data sources, dashboards, and whom its own alerts go to."""

from dataclasses import dataclass

import pulumiverse_grafana as grafana
from pulumi import ComponentResource, Output, Resource, ResourceOptions

from components.context import StackContext
from dashboards.datasources import data_sources
from dashboards.registry import dashboards
from dashboards.registry import folders as folder_titles

CONTACT_POINT = "default"

GROUP_BY = ("alertname", "cluster", "system")


@dataclass(frozen=True, kw_only=True)
class GrafanaContentArgs:
    """The stack it belongs to, where Grafana is, and its container where the stack runs it."""

    context: StackContext
    url: str
    server: Resource | None = None


class GrafanaContent(ComponentResource):
    """Everything in Grafana, made through its API; address and credentials are configuration, known at preview."""

    def __init__(self, name: str, args: GrafanaContentArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:GrafanaContent", name, None, opts)
        context = args.context
        # Another address of the stack's own server is the same Grafana; of an external one it is another Grafana,
        # in which all is to be made anew.
        moves = ["url"] if args.server is None else []
        provider = grafana.Provider(
            f"{name}-provider",
            url=args.url,
            auth=_auth(args),
            opts=ResourceOptions(parent=self, replace_on_changes=moves, delete_before_replace=bool(moves)),
        )
        made = ResourceOptions(parent=self, provider=provider, depends_on=[args.server] if args.server else None)
        for source in data_sources(context.config):
            grafana.oss.DataSource(
                f"{name}-source-{source.uid}",
                uid=source.uid,
                name=source.title,
                type=source.uid,
                url=source.url,
                is_default=source.default,
                json_data_encoded=source.options_json,
                opts=made,
            )
        folders = {
            uid: grafana.oss.Folder(f"{name}-folder-{uid}", uid=uid, title=title, opts=made)
            for uid, title in folder_titles(context.config).items()
        }
        for entry in dashboards(context.config):
            grafana.oss.Dashboard(
                f"{name}-dashboard-{entry.uid}",
                folder=folders[entry.folder].uid,
                config_json=entry.text,
                message=f"observability, stack {context.stack}",
                overwrite=True,
                opts=made,
            )
        contact = _contact_point(f"{name}-contact", context, made)
        # Grafana has one tree of policies: this is its only owner. It names the contact point, so it goes first.
        grafana.alerting.NotificationPolicy(
            f"{name}-policy",
            contact_point=contact.name,
            group_bies=list(GROUP_BY),
            group_wait="10s",
            group_interval="5m",
            repeat_interval="12h",
            opts=made,
        )
        self.register_outputs({})


def _auth(args: GrafanaContentArgs) -> Output[str]:
    if args.server is None:
        return args.context.secret("grafanaAuth")
    return Output.concat("admin:", args.context.secret("grafanaAdminPassword"))


def _contact_point(name: str, context: StackContext, opts: ResourceOptions) -> grafana.alerting.ContactPoint:
    """The webhook that Alertmanager calls too, or an address for mail where there is none."""
    if "alertWebhookUrl" in context.config.secrets:
        url = context.secret("alertWebhookUrl")
        hooks = [grafana.alerting.ContactPointWebhookArgs(url=url, http_method="POST")]
        return grafana.alerting.ContactPoint(name, name=CONTACT_POINT, webhooks=hooks, opts=opts)
    mail = [grafana.alerting.ContactPointEmailArgs(addresses=[context.settings.grafana.alert_email])]
    return grafana.alerting.ContactPoint(name, name=CONTACT_POINT, emails=mail, opts=opts)
