"""What the agent on another host scrapes, and the files of its Prometheus, which sends the samples to the edge."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from observability.core.render import to_yaml
from observability.parts.prometheus import PART as PROMETHEUS
from observability.parts.prometheus import PORT
from observability.parts.registry import parts
from observability.scrape import labelled, otlp
from observability.scrape.job import Job, Target, own
from observability.scrape.jobs import of_part
from observability.settings.hosts import token
from observability.settings.load import StackConfig

HOST: Final = "host"
"""Label of every target of an agent: the host's name."""

TOKEN_FILE: Final = "secrets/edge-token"  # noqa: S105 - the path of a file
AUTHORITY_FILE: Final = "secrets/edge-authority.pem"


def jobs(config: StackConfig, host: str) -> tuple[Job, ...]:
    """The jobs of the agent on a host: of its own Prometheus, and of the parts that run there too.

    An instance is the host's name, or the name and the port where a service has it: so it is unique in the stack, and
    alerts name their host as for any other instance.
    """
    there = config.on(host)
    found = [own(str(PROMETHEUS.job), PORT)]
    for part in parts().values():
        if part.on_hosts:
            found += of_part(there, part)
    found += otlp.jobs(there)
    scraped = (
        replace(
            job,
            targets=tuple(_of_host(host, target) for target in job.targets),
            # cAdvisor repeats the time of a sample until it reads the container again; an agent refuses that.
            extra={**job.extra, "honor_timestamps": False},
        )
        for job in found
    )
    return (*scraped, *labelled.jobs(there, host))


def _of_host(host: str, target: Target) -> Target:
    instance = target.labels["instance"]
    port = target.address.rpartition(":")[2]
    return Target(
        address=target.address,
        labels={**target.labels, "instance": host if instance == host else f"{host}:{port}", HOST: host},
    )


def files(config: StackConfig, host: str) -> dict[str, str]:
    """The configuration folder of the agent's Prometheus: path within it → text."""
    settings = config.settings
    document = {
        "global": {"scrape_interval": settings.prometheus.scrape_interval},
        "scrape_configs": [job.to_config() for job in jobs(config, host)],
        "remote_write": [
            {
                "name": "edge",
                "url": f"{settings.edge.url}/api/v1/write",
                "authorization": {"credentials_file": TOKEN_FILE},
                **({"tls_config": {"ca_file": AUTHORITY_FILE}} if settings.edge.authority else {}),
                # After an outage of the edge it is reached again within half a minute.
                "queue_config": {"max_backoff": "30s"},
            }
        ],
    }
    return {"prometheus.yaml": to_yaml(document, source=f"Pulumi.{config.stack}.yaml")}


def secret_files(config: StackConfig, host: str) -> dict[str, str]:
    """Secrets that it needs: path within the same folder → name of the secret."""
    return dict(_secrets(config, host))


def _secrets(config: StackConfig, host: str) -> Iterator[tuple[str, str]]:
    yield TOKEN_FILE, token(host)
    if config.settings.edge.authority:
        yield AUTHORITY_FILE, config.settings.edge.authority


def addresses(config: StackConfig) -> Mapping[str, str]:
    """The names of hosts with an agent by their addresses, where the settings tell them."""
    return {named: name for name, host in config.settings.hosts.items() if (named := host.named) and named != name}
