"""Elasticsearch, Logstash and Kibana, and the setup that installs the index template and the lifecycle."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pulumi_docker as docker
from pulumi import ComponentResource, Input, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.exporter import INSTALLED_BY, loader_id, secret_text
from components.service import HealthCheck, PublishedPort, Service, ServiceArgs, VolumeMount, http_health
from components.volume import volume
from observability.elk import logstash, servers
from observability.parts.busybox import BUSYBOX
from observability.parts.elk import API, ELASTICSEARCH, HTTP, KIBANA, LINES, LOGSTASH, PAGES, SETUP, ElkSettings
from observability.parts.model import SecretText
from observability.parts.notifier import NAME as PYTHON
from observability.parts.notifier import RECIPE

USER: Final = "1000:1000"
"""uid and gid of the servers' programs in all three images."""
ELASTICSEARCH_USER: Final = "1000:0"
"""Elasticsearch's files belong to the group root in its image."""

SCRATCH: Final = {"/tmp": "rw,exec,nosuid,nodev,size=256m,mode=1777"}  # noqa: S108 - a tmpfs of the container
"""Java loads libraries that it has unpacked there."""
_TO_OUTPUT: Final = "-Xlog:disable -Xlog:all=warning:stderr:utctime,level,tags"
"""The image's own options write 2 GB of files about garbage collection."""
_MEMORY: Final = "rw,noexec,nosuid,nodev,size=16m,mode=1777"


@dataclass(frozen=True, kw_only=True)
class ElkArgs:
    """The stack it belongs to."""

    context: StackContext


class Elk(ComponentResource):
    """The three servers. A change of their files, or of a secret, replaces the container and keeps the data."""

    def __init__(self, name: str, args: ElkArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Elk", name, None, opts)
        self._context = args.context
        self._child = ResourceOptions(parent=self)
        self._settings: ElkSettings = servers.settings_of(args.context.config)
        node = [self._elasticsearch().container] if self._settings.external is None else []
        installed = self._setup(node)
        self._logstash(installed)
        if self._settings.kibana.enabled:
            self._kibana(installed)
        self.register_outputs({})

    def _config(
        self,
        service: str,
        user: str,
        files: Mapping[str, str],
        secret_files: Mapping[str, str],
        texts: Mapping[str, SecretText],
    ) -> ConfigVolume:
        """Files that a server reads as it starts, installed by busybox: the images' own tools are not relied on."""
        context = self._context
        return ConfigVolume(
            f"{service}-config",
            ConfigVolumeArgs(
                context=context,
                service=service,
                image=context.settings.image(BUSYBOX.name),
                user=user,
                folder=servers.folder(service),
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that every user can write to
                files=files,
                secret_files=secret_files,
                secret_texts={path: secret_text(context, text) for path, text in texts.items()},
            ),
            self._child,
        )

    def _server(
        self,
        service: str,
        config: ConfigVolume,
        *,
        user: str,
        memory_mb: int,
        health: HealthCheck,
        entrypoint: tuple[str, ...],
        envs: Mapping[str, str],
        data: str,
        ports: Mapping[int, int],
        after: tuple[Input[docker.Container], ...] = (),
        tmpfs: Mapping[str, str] | None = None,
    ) -> Service:
        context = self._context
        kept = volume(f"{service}-data", context, service, "data", parent=self)
        return Service(
            f"{service}-server",
            ServiceArgs(
                context=context,
                service=service,
                image=context.settings.image(service),
                memory_mb=memory_mb,
                user=user,
                health=health,
                entrypoint=entrypoint,
                envs={**envs, INSTALLED_BY: loader_id(config.installed)},
                tmpfs={**SCRATCH, **(tmpfs or {})},
                ports=[
                    PublishedPort(internal=internal, external=external, address=str(context.settings.bind_address))
                    for internal, external in ports.items()
                ],
                volumes=(config.mount, VolumeMount(volume=kept.name, path=data)),
                after=(config.installed, *after),
            ),
            self._child,
        )

    def _elasticsearch(self) -> Service:
        own, settings = self._context.config, self._settings.elasticsearch
        plain, hidden = servers.trusted(own)
        config = self._config(
            ELASTICSEARCH,
            ELASTICSEARCH_USER,
            {**servers.elasticsearch(own), **plain},
            {**servers.pair(ELASTICSEARCH), **hidden},
            servers.elasticsearch_texts(),
        )
        return self._server(
            ELASTICSEARCH,
            config,
            user=ELASTICSEARCH_USER,
            memory_mb=settings.memory_mb,
            health=_curl(
                *("-K", f"{servers.CONFIG}/{servers.CURL}"),
                f"https://localhost:{HTTP}/_cluster/health?wait_for_status=yellow&timeout=2s",
            ),
            entrypoint=("/bin/bash", f"{servers.folder(ELASTICSEARCH)}/current/{servers.START}"),
            envs={"ES_PATH_CONF": servers.CONFIG, "ES_JAVA_OPTS": f"{heap(settings.memory_mb)} {_TO_OUTPUT}"},
            data=servers.DATA[ELASTICSEARCH],
            ports={HTTP: settings.port},
            tmpfs={
                # Its keystore is written there.
                servers.CONFIG: _MEMORY,
                "/usr/share/elasticsearch/logs": _MEMORY,
            },
        )

    def _setup(self, node: list[docker.Container]) -> Input[docker.Container]:
        """Runs whenever the template or the policy changes, once Elasticsearch is healthy."""
        context = self._context
        files, secrets = servers.setup(context.config)
        config = ConfigVolume(
            f"{SETUP}-config",
            ConfigVolumeArgs(
                context=replace(context, after=(*context.after, *node)),
                service=SETUP,
                image=context.settings.image(PYTHON),
                user=RECIPE.user,
                folder=servers.folder(SETUP),
                loader_folder="/tmp",  # noqa: S108 - as above
                files=files,
                secret_files=secrets,
                check="python3 setup.py",
            ),
            self._child,
        )
        return config.installed

    def _logstash(self, installed: Input[docker.Container]) -> Service:
        own, settings = self._context.config, self._settings.logstash
        config = self._config(
            LOGSTASH,
            USER,
            logstash.files(own),
            logstash.secret_files(own),
            {logstash.PIPELINE: logstash.pipeline(own)},
        )
        return self._server(
            LOGSTASH,
            config,
            user=USER,
            memory_mb=settings.memory_mb,
            health=replace(http_health(f"http://127.0.0.1:{API}/", bash=True), retries=100),
            entrypoint=(
                "/usr/share/logstash/bin/logstash",
                f"--path.settings={servers.folder(LOGSTASH)}/current",
            ),
            envs={"LS_JAVA_OPTS": heap(settings.memory_mb)},
            data=logstash.DATA,
            ports={LINES: settings.port},
            after=(installed,),
        )

    def _kibana(self, installed: Input[docker.Container]) -> Service:
        own, settings = self._context.config, self._settings.kibana
        # Of an external Elasticsearch there is another authority, and Kibana's own certificate is still of this one.
        plain, hidden = servers.trusted(own)
        config = self._config(
            KIBANA, USER, plain, {**servers.pair(KIBANA), **hidden}, {"kibana.yml": servers.kibana_text(own)}
        )
        return self._server(
            KIBANA,
            config,
            user=USER,
            memory_mb=settings.memory_mb,
            # The certificate is that of this very server, on its own loopback address.
            health=_curl("-k", f"https://localhost:{PAGES}/api/status"),
            entrypoint=("/usr/share/kibana/bin/kibana",),
            envs={
                "KBN_PATH_CONF": f"{servers.folder(KIBANA)}/current",
                "NODE_OPTIONS": f"--max-old-space-size={settings.memory_mb // 2}",
            },
            data=servers.DATA[KIBANA],
            ports={PAGES: settings.port},
            after=(installed,),
        )


def heap(memory_mb: int) -> str:
    """Java's options: a heap of half the container's memory; the rest is for buffers and the files it reads."""
    return f"-Xms{memory_mb // 2}m -Xmx{memory_mb // 2}m"


def _curl(*words: str) -> HealthCheck:
    """A check by the image's curl, which fails on any answer of 400 and above."""
    test = ("CMD", "curl", "-fsS", "-m", "4", "-o", "/dev/null", *words)
    return HealthCheck(test=test, interval="5s", timeout="6s", retries=24)
