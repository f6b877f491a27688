"""The whole stack as one component: the entry point that `__main__.py` and `obs` use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pulumi
from pulumi import ComponentResource, Output, Resource, ResourceOptions

from components.alertmanager import Alertmanager, AlertmanagerArgs
from components.backup import Backup, BackupArgs
from components.collector import Collector, CollectorArgs
from components.context import StackContext
from components.custom import CustomExporter, CustomExporterArgs
from components.datadog import DatadogAgent, DatadogAgentArgs
from components.edge import Edge, EdgeArgs
from components.elk import Elk, ElkArgs
from components.exporter import Exporter, exporters
from components.goalert.server import GoAlert, GoAlertArgs
from components.grafana.server import GrafanaServer, GrafanaServerArgs
from components.host_agent import HostAgent, HostAgentArgs
from components.jaeger import Jaeger, JaegerArgs
from components.loki import Loki, LokiArgs
from components.network import network
from components.notifier import Notifier, NotifierArgs
from components.prometheus import Prometheus, PrometheusArgs
from components.status_page import StatusPage, StatusPageArgs
from dashboards.linked_rules import files
from observability.core import naming
from observability.core.errors import ConfigError
from observability.parts import datadog, docker_proxy, elk
from observability.settings import load
from observability.settings.load import StackConfig
from rules import alerts


@dataclass(frozen=True, kw_only=True)
class MonitoringStackArgs:
    """Validated settings, the rule files by name, and the lookup of secret values."""

    config: StackConfig
    rule_files: Mapping[str, str]
    secret: Callable[[str], Output[str]]


class MonitoringStack(ComponentResource):
    """All parts that one environment runs."""

    def __init__(self, name: str, args: MonitoringStackArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:MonitoringStack", name, None, opts)
        config = args.config
        settings = config.settings
        child = ResourceOptions(parent=self)
        context = StackContext(config=config, network=network("network", config, child), secret=args.secret)
        servers: list[Resource] = [
            Alertmanager("alertmanager", AlertmanagerArgs(context=context), child),
            Prometheus("prometheus", PrometheusArgs(context=context, rule_files=args.rule_files), child),
        ]
        made = exporters(context, child)
        servers += _logs(context, made, child)
        if config.runs(elk.NAME):
            Elk(elk.NAME, ElkArgs(context=context), child)
        if config.runs("notifier"):
            Notifier("notifier", NotifierArgs(context=context, rule_files=args.rule_files), child)
        page = None
        if config.runs("status-page"):
            page = StatusPage("status-page", StatusPageArgs(context=context, rules=alerts(config)), child)
        edge = (Edge("edge", EdgeArgs(context=context, page=page), child).container,) if config.runs("edge") else ()
        if config.runs("goalert"):
            GoAlert("goalert", GoAlertArgs(context=context), child)
        server = None
        if config.runs("grafana"):
            grafana = GrafanaServer("grafana", GrafanaServerArgs(context=context), child)
            server = grafana.container
            servers.append(grafana)
        if config.grafana_url is not None:
            # Imported here, as it takes 0.3 s: a change of a stack without Grafana must be live within 3 s.
            from components.grafana.resources import GrafanaContent, GrafanaContentArgs

            # Two names: resources of one Grafana are not in the other.
            name = "grafana-content" if server else "grafana-external"
            content = GrafanaContentArgs(context=context, url=config.grafana_url, server=server)
            GrafanaContent(name, content, child)
        if config.runs("backup"):
            Backup("backup", BackupArgs(context=context, exporters=made, servers=tuple(servers)), child)
        for exporter in settings.exporters:
            CustomExporter(exporter.name, CustomExporterArgs(context=context, exporter=exporter), child)
        for host in settings.hosts:
            agent = HostAgentArgs(config=config, host=host, secret=args.secret, after=edge)
            HostAgent(naming.agent(host), agent, child)
        self.register_outputs({})


def _logs(context: StackContext, made: Mapping[str, Exporter], child: ResourceOptions) -> list[Resource]:
    """Loki, Jaeger, and the collector after those that it needs; returns Loki, where it runs."""
    if not context.config.runs("loki"):
        return []
    loki = Loki("loki", LokiArgs(context=context), child)
    proxy = made.get(docker_proxy.NAME)
    if proxy is not None and context.config.runs(datadog.NAME):
        DatadogAgent("datadog-agent", DatadogAgentArgs(context=context, after=proxy.container), child)
    if context.config.runs("jaeger"):
        Jaeger("jaeger", JaegerArgs(context=context), child)
    if context.config.runs("collector"):
        after = (loki.container, made[docker_proxy.NAME].container)
        Collector("collector", CollectorArgs(context=context, after=after), child)
    return [loki]


def deploy(known: StackConfig | None = None) -> None:
    """The Pulumi program: read the configuration, declare the stack, export its addresses.

    `known` is the configuration of the command that runs it: where it is the same, what was computed of it is used.
    """
    try:
        config, secret = load.from_pulumi()
        config = known if known == config else config
        rule_files = files(config)
    except ConfigError as error:
        raise pulumi.RunError(str(error)) from None
    MonitoringStack("monitoring", MonitoringStackArgs(config=config, rule_files=rule_files, secret=secret))
    for service, address in config.addresses.items():
        pulumi.export(f"{service}Url", address)
