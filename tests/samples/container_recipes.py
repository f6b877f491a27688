"""What reads containers, and the address that other hosts send to."""

from observability.core.naming import (
    COMPOSE_PROJECT,
    COMPOSE_SERVICE,
    LABEL_SCRAPE,
    LABEL_SERVICE,
    LABEL_STACK,
    LABEL_SYSTEM,
    LABELLED,
)
from observability.parts import caddy
from observability.parts import cadvisor as cadvisor_part
from observability.parts.edge import PART as EDGE
from tests.samples.lab import CLIENT, NAME, Lab, Server
from tests.samples.recipe import Recipe

_LABELS = (
    {LABEL_STACK: "dev", LABEL_SERVICE: "example"},
    {COMPOSE_PROJECT: "example", COMPOSE_SERVICE: "example"},
    {COMPOSE_PROJECT: "example", COMPOSE_SERVICE: "example", LABEL_SYSTEM: "example", LABEL_SCRAPE: LABELLED},
)
_BUSY = "while true; do echo x > /tmp/x; cat /tmp/x > /dev/null; sleep 1; done"


def _wait_for_containers(lab: Lab) -> None:
    def listed() -> None:
        page = lab.get(f"http://cadvisor:{cadvisor_part.PORT}/metrics")
        for number in range(len(_LABELS)):
            if f'name="{NAME}-container-{number}"' not in page:
                raise RuntimeError(f"container {number} is not listed yet")
        if "container_fs_writes_total" not in page:
            raise RuntimeError("nothing was written yet")

    lab.wait(listed)


def cadvisor() -> Recipe:
    """The exporter of containers."""
    (run,) = cadvisor_part.PART.runs(None) if cadvisor_part.PART.runs else ()  # type: ignore[arg-type]  # reads nothing
    return Recipe(
        image="cadvisor",
        job="docker",
        how="on a Docker host, with containers of a stack, of a Compose project and of a watched system",
        servers=[
            *(
                Server(
                    name=f"container-{number}",
                    image="prometheus",
                    entrypoint=("/bin/sh",),
                    command=("-c", _BUSY),
                    labels=labels,
                    limits=True,
                )
                for number, labels in enumerate(_LABELS)
            ),
            Server(
                name="cadvisor",
                image="cadvisor",
                command=run.command,
                mounts=dict(run.host_mounts),
                devices=run.devices,
                capabilities=run.capabilities,
            ),
        ],
        urls=[f"http://cadvisor:{cadvisor_part.PORT}/metrics"],
        prepare=_wait_for_containers,
        masks={
            "id": {"/": "/", ".*/docker/.*|/docker/.*": "/docker/0123456789ab"},
            "name": {".*": "obs-dev-example"},
            "image": {".*": "example:1.0"},
            "device": {r"(/dev/)?[shv]d[a-z]+\d*|(/dev/)?nvme.*": "/dev/sda1", "": "", "/.*": "/dev/sda1"},
            "interface": {".*": "eth0"},
            "major": {".*": "8"},
            "minor": {".*": "0"},
            "cpu": {".*": "total"},
            "container_label_io_observability_stack": {".*": "dev"},
            "container_label_io_observability_service": {".*": "example"},
            "container_label_com_docker_compose_project": {".*": "example"},
            "container_label_com_docker_compose_service": {".*": "example"},
            "container_label_obs_scrape": {".*": LABELLED},
            "container_label_obs_system": {".*": "example"},
            "kernelVersion": {".*": "6.1.0"},
            "osVersion": {".*": "example"},
            "dockerVersion": {".*": "example"},
            "cadvisorVersion": {".*": cadvisor_part.VERSION},
            "cadvisorRevision": {".*": "example"},
            "boot_id": {".*": "example"},
            "machine_id": {".*": "example"},
            "system_uuid": {".*": "example"},
            "version": {".*": "go1"},
        },
    )


_ADDRESS = "edge"
_TOKEN = "0" * 48


def _files() -> dict[str, str]:
    from observability.parts import authority

    made = authority.make(caddy.CERTIFICATE, caddy.KEY, "sample")
    return {
        **{f"/etc/edge/{path}": text for path, text in made.items()},
        f"/etc/edge/{caddy.MAIN}": caddy.configuration(_ADDRESS, "authority", runs=("prometheus",)),
        f"/etc/edge/{caddy.HOSTS}": caddy.hosts({_TOKEN: "example"}),
    }


def _send(lab: Lab) -> None:
    """Requests that are refused, passed on, and passed on in vain."""

    def answered() -> None:
        for token in ("wrong", _TOKEN):
            settings = f"{{authorization: {{credentials: {token!r}}}, tls_config: {{insecure_skip_verify: true}}}}"
            push = f"promtool push metrics --http.config.file=/tmp/http.yaml https://{_ADDRESS}:{caddy.PORT}"
            lab.run(CLIENT, "sh", "-c", f'echo "{settings}" > /tmp/http.yaml; echo "x 1" | {push} || true')
        page = lab.get(f"http://edge:{caddy.METRICS_PORT}/metrics")
        for code in ("401", "502"):
            if f'code="{code}"' not in page:
                raise RuntimeError(f"no request was answered with {code} yet")

    lab.wait(answered)


def edge() -> Recipe:
    """The address that other hosts send to."""
    return Recipe(
        image=EDGE.images[0].name,
        job=str(EDGE.job),
        how="with its configuration; requests with and without a credential",
        servers=[
            Server(name="edge", image="edge", files=_files(), entrypoint=("/bin/sh",), command=("-c", _RUN)),
        ],
        urls=[f"http://edge:{caddy.METRICS_PORT}/metrics"],
        prepare=_send,
        masks={"version": {"go.*": "go1", ".*": caddy.VERSION}, "upstream": {".*": "prometheus:9090"}},
    )


_RUN = f"cd /etc/edge && exec caddy run --config {caddy.MAIN} --adapter caddyfile"
