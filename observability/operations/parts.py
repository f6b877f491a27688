"""Whether the parts work: what exporters reach, and whether lines arrive in Loki; each result is a row of `verify`."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import docker
from docker.errors import APIError

from observability.alerting.alerts import alerts
from observability.alerting.gaps import gaps
from observability.core.naming import UNASSIGNED
from observability.logs import sources
from observability.operations.rows import Verdict, verdict
from observability.parts.registry import parts
from observability.settings.load import StackConfig

Answer = tuple[str, Verdict, str]
"""The object, its state, and the observation."""


Get = Callable[..., Any]
Retry = Callable[[Callable[[], bool]], bool]

DRIVER: Final = "json-file"
"""The log driver whose files the collector reads."""

GONE: Final = (404, 409)
"""What the Engine answers about a container that was removed since it was listed, or is being removed."""

RARE: Final = 30.0
"""A server that is read less often, seconds, may not have been read since the last update."""

RECENT: Final = 600
"""A container must have written a line within this many seconds for its absence from Loki to be an error."""


def left_out(config: StackConfig) -> Iterator[Answer]:
    """The reason why a part is not in the stack; Grafana's is reported elsewhere."""
    for name, reason in config.left_out.items():
        if name != "grafana":
            yield f"image {name}", "left out", reason


def exporters(config: StackConfig, get: Get, retry: Retry) -> Iterator[Answer]:
    """Whether each exporter reaches what it watches."""
    for name, part in parts().items():
        store = part.store
        if store is None or store.up == "up" or not config.runs(name):
            continue
        job, series = store.job, store.up
        values: dict[str, str] = {}

        shown = store.up_now or f'{series}{{job="{job}"}}'

        def reached(values: dict[str, str] = values, query: str = shown) -> bool:
            result = get("prometheus", "/api/v1/query", query=query)["data"]["result"]
            values.clear()
            values.update({sample["metric"]["instance"]: sample["value"][1] for sample in result})
            return bool(values) and all(value == "1" for value in values.values())

        retry(reached)
        for instance, value in sorted(values.items()):
            yield f"{series} {instance}", verdict(value == "1"), "reached" if value == "1" else "not reached"
        if not values:
            due = any(placed.server.every <= RARE for placed in config.servers(name))
            yield series, verdict(not due), "Prometheus has no such series" if due else "no server was due yet"


def unplaced(config: StackConfig) -> Iterator[Answer]:
    """Objects that systems' files declare and the settings do not place: left out with a reason, else an error."""
    for missing in config.unplaced:
        what = f"{missing.what} of {missing.system}"
        if missing.reason is not None:
            yield what, "left out", missing.reason
        else:
            yield what, "failed", f"declared in systems/{missing.system}.yaml and placed nowhere: see ./obs doctor"


def not_watched(config: StackConfig) -> Iterator[str]:
    """A line for each object that systems' files declare and the settings do not place, with the reason if any."""
    for missing in config.unplaced:
        reason = missing.reason or f"declared in systems/{missing.system}.yaml and placed nowhere"
        yield f"not watched: {missing.what} of {missing.system}: {reason}"


def receivers(config: StackConfig) -> Iterator[Answer]:
    """Settings by which alerts reach no receiver; errors in prod."""
    from dashboards.linked_rules import files

    for gap in gaps(config, alerts(files(config)), datetime.now(UTC)):
        found: Verdict = "failed" if config.settings.environment == "prod" else "warning"
        yield f"alerts: {gap.path}", found, f"{gap.what}; {gap.fix}"


def lines(config: StackConfig, client: docker.DockerClient, get: Get, retry: Retry) -> Iterator[Answer]:
    """Whether every container of the host that recently wrote a line is found in Loki."""
    if not config.runs("collector"):
        return
    missing: set[str] = set()
    wrote: set[str] = set()

    def all_there() -> bool:
        wrote.clear()
        wrote.update(_writers(config, client))
        found = get("loki", "/loki/api/v1/label/container/values", start=f"{time.time() - RECENT:.0f}000000000")
        missing.clear()
        missing.update(wrote - set(found.get("data") or ()))
        return not missing

    ok = retry(all_there)
    detail = f"of {len(wrote)} containers" if ok else f"none of {', '.join(sorted(missing))}"
    yield "lines in Loki", verdict(ok), detail


def _writers(config: StackConfig, client: docker.DockerClient) -> Iterator[str]:
    """Containers that run and wrote a line recently, but not just now: the collector needs time to send.

    Of a container that nothing selects, the collector reads what it can: the files of Docker's default driver.
    """
    now = int(time.time())
    for container in client.containers.list(ignore_removed=True):
        name = str(container.name)
        strange = sources.stream(config, name, container.labels)["system"] == UNASSIGNED
        if strange and container.attrs["HostConfig"]["LogConfig"]["Type"] != DRIVER:
            continue
        try:
            wrote = container.logs(since=now - RECENT + 60, until=now - 10, tail=1)
        except APIError as error:
            if error.status_code in GONE:
                continue
            raise
        if wrote:
            yield name
