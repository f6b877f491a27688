"""Whether Prometheus scrapes every container of a host that asks for it by its label."""

from collections.abc import Iterator

import docker
from docker.errors import DockerException

from observability.core.naming import LABEL_SCRAPE, LABELLED
from observability.operations.parts import Answer, Get, Retry
from observability.operations.rows import verdict
from observability.parts import docker_proxy
from observability.scrape.labelled import Labelled, labelled
from observability.settings.load import StackConfig


def containers(
    config: StackConfig, client: docker.DockerClient, get: Get, retry: Retry, host: str | None = None
) -> Iterator[Answer]:
    """A row for each such container that runs on a host; None: the stack's own. `client` is the host's engine."""
    there = config.on(host) if host else config
    if not there.runs(docker_proxy.NAME):
        return
    try:
        listed = client.containers.list(filters={"label": f"{LABEL_SCRAPE}={LABELLED}"}, ignore_removed=True)
    except DockerException as error:
        yield "labelled containers", "failed", f"Docker does not list them: {error}"
        return
    wanted = [one for one in (labelled(there, container.attrs, host) for container in listed) if one is not None]
    up: dict[str, str] = {}

    def all_up() -> bool:
        up.clear()
        for sample in get("prometheus", "/api/v1/query", query="up")["data"]["result"]:
            up[sample["metric"].get("instance", "")] = sample["value"][1]
        return all(one.instance is None or up.get(one.instance) == "1" for one in wanted)

    if any(one.instance for one in wanted):
        retry(all_up)
    place = f"{host}/" if host else ""
    for one in sorted(wanted, key=lambda one: one.name):
        yield f"container {place}{one.name} is scraped", verdict(up.get(one.instance or "") == "1"), _said(one, up)


def _said(one: Labelled, up: dict[str, str]) -> str:
    if one.instance is None:
        return one.problem or ""
    return {"1": "up", "0": "down"}.get(up.get(one.instance, ""), "not scraped yet")
