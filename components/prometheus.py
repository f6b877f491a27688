"""Prometheus: scrapes, evaluates the rules, stores the samples."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.service import NOBODY, PublishedPort, Service, ServiceArgs, VolumeMount, http_health
from components.volume import volume
from observability.scrape.prometheus import features, files, secret_files
from observability.settings.load import StackConfig

FOLDER = "/etc/prometheus"
PORT = 9090

RESEND_DELAY = "15s"
"""How often a firing alert is sent again. Alertmanager keeps an alert for four times this interval after Prometheus
stops, so with the default of one minute the heartbeat would detect that Prometheus is down only after four minutes."""


@dataclass(frozen=True, kw_only=True)
class PrometheusArgs:
    """The stack it belongs to, and the rule files by name."""

    context: StackContext
    rule_files: Mapping[str, str]


class Prometheus(ComponentResource):
    """The metrics server; a change of configuration or rules is reloaded, not restarted."""

    def __init__(self, name: str, args: PrometheusArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Prometheus", name, None, opts)
        context = args.context
        settings = context.settings
        image = settings.image("prometheus")
        child = ResourceOptions(parent=self)
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service="prometheus",
                image=image,
                user=NOBODY,
                folder=FOLDER,
                files=files(context.config, args.rule_files),
                secret_files=secret_files(context.config),
                check="promtool check config prometheus.yaml",
                reload_url=f"http://prometheus:{PORT}/-/reload",
            ),
            child,
        )
        data = volume(f"{name}-data", context, "prometheus", "data", parent=self)
        size, flags = settings.prometheus.retention_size, ",".join(features(context.config))
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service="prometheus",
                image=image,
                memory_mb=settings.prometheus.memory_mb,
                user=NOBODY,
                health=http_health(f"http://127.0.0.1:{PORT}/-/ready"),
                command=(
                    f"--config.file={FOLDER}/current/prometheus.yaml",
                    "--storage.tsdb.path=/prometheus",
                    f"--storage.tsdb.retention.time={settings.retention}",
                    *((f"--storage.tsdb.retention.size={size}",) if size else ()),
                    f"--rules.alert.resend-delay={RESEND_DELAY}",
                    "--web.enable-lifecycle",
                    # Loki writes what it counts in log lines, and the agents on other hosts their samples.
                    *(("--web.enable-remote-write-receiver",) if _is_written_to(context.config) else ()),
                    *((f"--enable-feature={flags}",) if flags else ()),
                    f"--web.external-url={context.config.link('prometheus')}",
                    # Behind a proxy the external URL may have a path; inside the network there is none.
                    "--web.route-prefix=/",
                ),
                ports=(
                    PublishedPort(
                        internal=PORT, external=settings.prometheus.port, address=str(settings.bind_address)
                    ),
                ),
                volumes=(config.mount, VolumeMount(volume=data.name, path="/prometheus")),
                after=(config.installed,),
            ),
            child,
        )
        self.register_outputs({})


def _is_written_to(config: StackConfig) -> bool:
    """Whether another service of the stack writes samples."""
    return config.runs("loki") or config.runs("edge")
