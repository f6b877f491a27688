"""HAProxy before the Docker socket: through it the log collector and Prometheus list containers, and change none."""

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from observability.core.section import PartSettings
from observability.core.types import MemoryMb
from observability.parts.model import ALWAYS, Allowance, Files, Health, Here, Image, Part, Run, Server
from toolchain.recipe import Base, Recipe

NAME: Final = "docker-proxy"
PORT: Final = 2375
"""Port of the Docker Engine API in the container, by Docker's convention."""
ADDRESS: Final = f"tcp://{NAME}:{PORT}"
"""Where clients on the stack's network reach it."""
METRICS_PORT: Final = 8404
SOCKET: Final = "/var/run/docker.sock"
FOLDER: Final = "/usr/local/etc/haproxy"
MAIN: Final = "haproxy.cfg"
ROOT: Final = "0:0"
"""The socket belongs to root and a group whose number differs from host to host."""

_VERSION: Final = "(?:/v1\\.[0-9]{1,3})?"
ALLOWED: Final = (
    f"^{_VERSION}/(?:_ping|version|info|events|networks|containers/json)$",
    f"^{_VERSION}/containers/[a-zA-Z0-9][a-zA-Z0-9_.-]*/json$",
)
"""Paths that may be read, whole: HAProxy compares them undecoded and without the query."""


class DockerProxySettings(PartSettings):
    """A proxy before the Docker socket, which lets the log collector and Prometheus list containers, no more."""

    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")


def configuration(address: str = f"unix@{SOCKET}") -> str:
    """HAProxy's configuration; `address` is the Docker Engine's, in HAProxy's notation.

    The stream of events is silent for as long as no container changes, so the time-outs of an established connection
    are a day: a client whose stream ends asks again for the events since its last one.
    """
    return f"""\
# Read access to a part of the Docker Engine API. What is allowed shows the environment of every container.
global
    log stdout format raw local0 notice
    maxconn 100
    # Streams of events never end by themselves.
    hard-stop-after 5s

defaults
    mode http
    log global
    option dontlognull
    timeout connect 5s
    timeout http-request 5s
    timeout http-keep-alive 60s
    timeout client 1d
    timeout server 1d

frontend api
    bind :{PORT}
    http-request deny deny_status 403 if !{{ method GET }}
    http-request deny deny_status 403 unless {" or ".join(f"{{ path -m reg '{path}' }}" for path in ALLOWED)}
    # A read has no body and stays HTTP.
    http-request deny deny_status 403 if {{ req.hdr(content-length) -m found }}
    http-request deny deny_status 403 if {{ req.hdr(transfer-encoding) -m found }}
    http-request deny deny_status 403 if {{ req.hdr(upgrade) -m found }}
    default_backend engine

frontend health
    bind :{METRICS_PORT}
    monitor-uri /healthz
    monitor fail if {{ nbsrv(engine) lt 1 }}
    http-request use-service prometheus-exporter if {{ path /metrics }}
    http-request deny deny_status 404

backend engine
    option httpchk GET /_ping
    server engine {address} check inter 5s
"""


def _runs(_: Here[DockerProxySettings, Server]) -> Iterable[Run]:
    return [
        Run(
            user=ROOT,
            # The image has no HTTP client.
            health=Health(url=f"http://127.0.0.1:{METRICS_PORT}/healthz", bash=True),
            command=("haproxy", "-W", "-db", "-f", "{main}"),
            files=Files(
                folder=FOLDER,
                main=MAIN,
                files={MAIN: configuration()},
                checker=("haproxy", "-c", "-f", ""),
            ),
            host_mounts={SOCKET: SOCKET},
        )
    ]


PART: Final = Part[DockerProxySettings, Server](
    name=NAME,
    title="Read access to the Docker socket, for the log collector.",
    settings=DockerProxySettings,
    profiles=ALWAYS,
    # It runs only beside the collector, which needs it.
    needs=("collector",),
    on_hosts=True,
    job=NAME,
    port=METRICS_PORT,
    runs=_runs,
    images=(
        Image(
            name=NAME,
            reference="haproxy:2.6.22",
            recipe=Recipe(
                repository="haproxy",
                tag="2.6.22",
                title="HAProxy",
                base=Base.DEBIAN,
                packages=("haproxy",),
                user="",
                uid=0,
                cmd=("haproxy", "-f", f"{FOLDER}/{MAIN}"),
                stop_signal="SIGUSR1",
                without="what its makers add to a build (this is Debian's package of that release series)",
            ),
        ),
    ),
    allowances=(
        Allowance(
            service=NAME,
            rule="not root",
            reason="the socket is root's and a group's whose number differs from host to host; no capability",
        ),
        Allowance(
            service=NAME,
            rule="no Docker socket",
            reason="so that no other container needs it: it lets a few GET requests through; mounted read-only",
        ),
    ),
)
