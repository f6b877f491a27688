"""Grafana's content: folders, data sources, dashboards, accounts, permissions, and receivers of its own alerts."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import pulumiverse_grafana as grafana
from pulumi import ComponentResource, Output, Resource, ResourceOptions

from components.context import StackContext
from components.grafana.notifications import notifications
from dashboards import status
from dashboards.datasources import DataSource, data_sources
from dashboards.registry import dashboards
from dashboards.registry import folders as folder_titles
from observability.alerting.grafana_rules import EXPRESSION, WINDOW, RuleGroup, rule_groups
from observability.settings.grafana import ROLES

VIEW: Final = "View"
EDIT: Final = "Edit"

Own = Callable[..., ResourceOptions]
"""Makes the options of a resource in Grafana from the resources that it depends on."""


@dataclass(frozen=True, kw_only=True)
class GrafanaContentArgs:
    """The stack it belongs to, Grafana's address, and its container if the stack runs it."""

    context: StackContext
    url: str
    server: Resource | None = None


class GrafanaContent(ComponentResource):
    """Grafana's content, created through its API; address and credentials are configuration, known at preview."""

    def __init__(self, name: str, args: GrafanaContentArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:GrafanaContent", name, None, opts)
        context = args.context
        # A changed address of the stack's own server is the same Grafana; of an external one, it is another Grafana,
        # in which all resources must be created again.
        moves = ["url"] if args.server is None else []
        provider = grafana.Provider(
            f"{name}-provider",
            url=args.url,
            auth=_auth(args),
            opts=ResourceOptions(parent=self, replace_on_changes=moves, delete_before_replace=bool(moves)),
        )
        server = [args.server] if args.server else []

        def own(*after: Resource) -> ResourceOptions:
            return ResourceOptions(parent=self, provider=provider, depends_on=[*server, *after])

        sources = [
            _data_source(f"{name}-source-{source.uid}", source, context, own())
            for source in data_sources(context.config)
        ]
        folders = {
            uid: grafana.oss.Folder(f"{name}-folder-{uid}", uid=uid, title=title, opts=own())
            for uid, title in folder_titles(context.config).items()
        }
        made = {
            entry.uid: grafana.oss.Dashboard(
                f"{name}-dashboard-{entry.uid}",
                folder=folders[entry.folder].uid,
                config_json=entry.text,
                message=f"observability, stack {context.stack}",
                overwrite=True,
                opts=own(),
            )
            for entry in dashboards(context.config)
        }
        if context.settings.grafana.public_status:
            grafana.oss.DashboardPublic(
                f"{name}-public-status",
                dashboard_uid=status.UID,
                is_enabled=True,
                opts=own(made[status.UID]),
            )
        _accounts(name, context, own, folders)
        for group in rule_groups(context.config):
            _rule_group(f"{name}-rules-{group.name}", group, folders[group.folder], own(*sources))
        notifications(name, context, own)
        self.register_outputs({})


def _auth(args: GrafanaContentArgs) -> Output[str]:
    if args.server is None:
        return args.context.secret("grafanaAuth")
    return Output.concat("admin:", args.context.secret("grafanaAdminPassword"))


def _accounts(name: str, context: StackContext, own: Own, folders: Mapping[str, grafana.oss.Folder]) -> None:
    """Service accounts, teams, and the permissions of each folder."""
    settings = context.settings.grafana
    for account, asked in settings.service_accounts.items():
        grafana.oss.ServiceAccount(f"{name}-account-{account}", name=account, role=ROLES[asked.role], opts=own())
    teams = {
        team: grafana.oss.Team(f"{name}-team-{team}", name=team, members=list(asked.members) or None, opts=own())
        for team, asked in settings.teams.items()
    }
    for uid, folder in folders.items():
        editing = [teams[team] for team, asked in settings.teams.items() if uid in asked.folders]
        grafana.oss.FolderPermission(
            f"{name}-rights-{uid}",
            folder_uid=folder.uid,
            permissions=[
                grafana.oss.FolderPermissionPermissionArgs(role="Viewer", permission=VIEW),
                grafana.oss.FolderPermissionPermissionArgs(role="Editor", permission=EDIT),
                *(grafana.oss.FolderPermissionPermissionArgs(team_id=team.id, permission=EDIT) for team in editing),
            ],
            opts=own(),
        )


def _data_source(name: str, source: DataSource, context: StackContext, opts: ResourceOptions) -> Resource:
    secrets = {key: context.secret(secret) for key, secret in source.secrets.items()}
    return grafana.oss.DataSource(
        name,
        uid=source.uid,
        name=source.title,
        type=source.uid,
        url=source.url,
        is_default=source.default,
        basic_auth_enabled=True if source.user else None,
        basic_auth_username=source.user,
        json_data_encoded=source.options_json,
        secure_json_data_encoded=Output.json_dumps({**source.beside_secrets, **secrets}) if secrets else None,
        opts=opts,
    )


def _rule_group(name: str, group: RuleGroup, folder: grafana.oss.Folder, opts: ResourceOptions) -> None:
    alerting = grafana.alerting
    alerting.RuleGroup(
        name,
        name=group.name,
        folder_uid=folder.uid,
        interval_seconds=group.interval,
        rules=[
            alerting.RuleGroupRuleArgs(
                name=rule.name,
                condition=rule.queries[-1].ref,
                for_=rule.hold,
                no_data_state="OK",
                exec_err_state="Error",
                labels=rule.labels,
                annotations=rule.annotations,
                datas=[
                    alerting.RuleGroupRuleDataArgs(
                        ref_id=query.ref,
                        datasource_uid=query.source,
                        model=json.dumps({"refId": query.ref, **query.model}, sort_keys=True),
                        relative_time_range=alerting.RuleGroupRuleDataRelativeTimeRangeArgs(
                            from_=0 if query.source == EXPRESSION else WINDOW, to=0
                        ),
                    )
                    for query in rule.queries
                ],
            )
            for rule in group.rules
        ],
        opts=opts,
    )
