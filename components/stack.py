"""The whole stack as one component: the facade that `__main__.py` and `obs` build."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_docker as docker
from pulumi import ComponentResource, Output, ResourceOptions

from components.alertmanager import Alertmanager, AlertmanagerArgs
from components.context import StackContext
from components.exporters.custom import CustomExporter, CustomExporterArgs
from components.exporters.node import NodeExporter, NodeExporterArgs
from components.prometheus import Prometheus, PrometheusArgs
from config import load, naming
from config.errors import ConfigError
from config.load import ROOT, StackConfig
from rules import load as load_rules


@dataclass(frozen=True, kw_only=True)
class MonitoringStackArgs:
    """Validated settings, the rule files by name, and the way to a secret's value."""

    config: StackConfig
    rule_files: Mapping[str, str]
    secret: Callable[[str], Output[str]]


class MonitoringStack(ComponentResource):
    """Everything one environment runs."""

    def __init__(self, name: str, args: MonitoringStackArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:MonitoringStack", name, None, opts)
        config = args.config
        settings = config.settings
        child = ResourceOptions(parent=self)
        network = docker.Network(
            "network",
            name=naming.network(config.stack),
            driver="bridge",
            ipam_configs=[
                docker.NetworkIpamConfigArgs(subnet=str(settings.network.subnet), gateway=settings.network.gateway)
            ],
            labels=[docker.NetworkLabelArgs(label=naming.LABEL_STACK, value=config.stack)],
            opts=child,
        )
        context = StackContext(config=config, network=network, secret=args.secret)
        Alertmanager("alertmanager", AlertmanagerArgs(context=context), child)
        Prometheus("prometheus", PrometheusArgs(context=context, rule_files=args.rule_files), child)
        if settings.node_exporter.enabled:
            NodeExporter("node-exporter", NodeExporterArgs(context=context), child)
        for exporter in settings.exporters:
            CustomExporter(exporter.name, CustomExporterArgs(context=context, exporter=exporter), child)
        self.register_outputs({})


def deploy(root: Path = ROOT) -> None:
    """The Pulumi program: read the configuration, declare the stack, export its addresses."""
    try:
        config, secret = load.from_pulumi()
        rule_files = load_rules(root / "rules")
    except ConfigError as error:
        raise pulumi.RunError(f"{error.what}\n{error.mend}") from None
    MonitoringStack("monitoring", MonitoringStackArgs(config=config, rule_files=rule_files, secret=secret))
    for service, address in addresses(config).items():
        pulumi.export(f"{service}Url", address)


def addresses(config: StackConfig) -> dict[str, str]:
    """Where each service with a page of its own is found, by its name."""
    host = config.settings.bind_address
    return {
        "prometheus": f"http://{host}:{config.settings.prometheus.port}",
        "alertmanager": f"http://{host}:{config.settings.alertmanager.port}",
    }
