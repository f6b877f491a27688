"""Evidence for an alert's cause: active alerts, the state of its data stores, starts, error lines."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from components.stack import addresses
from observability.alerting.causes import RECENT, Active, Lines, Observed, Server, Started, grouped
from observability.parts.registry import parts
from observability.settings.load import StackConfig

ERROR_LEVELS: Final = "error|critical"
"""Values of the label `level` of the lines that are read."""

LINES: Final = 300
"""How many of the newest error lines are read."""

_TIMEOUT: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Observer:
    """The running servers of a stack. A server that does not respond adds a sentence to `missing` and no evidence."""

    config: StackConfig
    missing: list[str]

    def alerts(self) -> list[Active]:
        """Every alert that Prometheus has, including pending ones. httpx.HTTPError without Prometheus."""
        found = self._get("prometheus", "/api/v1/alerts")["data"]["alerts"]
        return [
            Active(
                labels=one["labels"],
                since=datetime.fromisoformat(one["activeAt"]),
                firing=one["state"] == "firing",
                summary=one["annotations"].get("summary", ""),
            )
            for one in found
            if one["labels"].get("alertname") != "Watchdog"
        ]

    def observed(self, alert: Active, alerts: Sequence[Active]) -> Observed:
        """The observations for one of these alerts."""
        names = self.systems(alert)
        return Observed(
            alerts=alerts,
            servers=tuple(self._servers(names)),
            started=tuple(self._started(names, alert.since)),
            lines=tuple(self.lines(names, alert.since)),
        )

    def systems(self, alert: Active) -> tuple[str, ...]:
        """The alert's system and all that it depends on."""
        return (alert.labels.get("system", ""), *depends(self.config, alert.labels.get("system", "")))

    def lines(self, systems: Iterable[str], since: datetime) -> list[Lines]:
        """Error lines from five minutes before the alert until now, similar ones grouped, the most frequent first."""
        if not self.config.runs("loki"):
            return []
        query = f'{{system=~"{"|".join(systems)}",level=~"{ERROR_LEVELS}"}}'
        start = (since - timedelta(minutes=5)).timestamp()
        params = {"query": query, "limit": str(LINES), "start": f"{start:.0f}", "direction": "backward"}
        answer = self._ask("loki", "/loki/api/v1/query_range", **params)
        streams = answer["data"]["result"] if answer else []
        found = [
            (at, stream["stream"].get("service", ""), text) for stream in streams for at, text in stream["values"]
        ]
        return grouped((service, text.strip()) for _, service, text in sorted(found, reverse=True))

    def _servers(self, systems: Sequence[str]) -> Iterator[Server]:
        """The data stores and proxies of these systems, and whether their exporters reach them."""
        for part in parts().values():
            # Other targets of parts are hosts and addresses, which have their own alerts.
            if part.store is None or part.store.up == "up" or not part.store.declared:
                continue
            placed = [one for one in self.config.servers(part.name) if one.system in systems]
            if not placed:
                continue
            values = {
                labels.get("instance", ""): value == 1
                for labels, value in self._query(f'min by (instance) ({part.store.up}{{job="{part.store.job}"}})')
            }
            for one in placed:
                instance = one.server.instance
                title = part.store.description.removesuffix(" servers.").removesuffix(".")
                yield Server(
                    system=one.system,
                    title=title,
                    kind=part.store.job,
                    instance=instance,
                    up=values.get(instance),
                )

    def _started(self, systems: Sequence[str], since: datetime) -> Iterator[Started]:
        """Processes and containers of these systems that were started in the hour before the alert."""
        at = since + timedelta(minutes=2)
        age, of = int(RECENT.total_seconds()), f'system=~"{"|".join(systems)}"'
        containers = "max by (system, name, image) (container_start_time_seconds{%s,name!=''}%s)"
        before = {
            labels["name"]: labels.get("image", "")
            for labels, _ in self._query(containers % (of, f" offset {age}s"), at)
            if "name" in labels
        }
        for labels, value in self._query(f"{containers % (of, '')} > {at.timestamp() - age:.0f}", at):
            name, image = labels["name"], labels.get("image", "")
            old = before.get(name, image)
            yield Started(what=f"container {name}", at=_moment(value), image=image, before=old if old != image else "")
        # The start of an exporter's process is not that of the server it reads.
        jobs = "|".join(
            sorted({self.config.systems[name].scrape.job for name in systems if name in self.config.systems})
        )
        processes = f'max by (system, job, instance) (process_start_time_seconds{{{of},job=~"{jobs}"}})'
        for labels, value in self._query(f"{processes} > {at.timestamp() - age:.0f}", at):
            yield Started(what=f"{labels.get('job', '')} {labels.get('instance', '')}", at=_moment(value))

    def _query(self, query: str, at: datetime | None = None) -> list[tuple[Mapping[str, str], float]]:
        """An instant query: labels and value of each series. `at` None or in the future: now."""
        params = {"query": query}
        if at is not None and at < datetime.now(UTC):
            params["time"] = f"{at.timestamp():.0f}"
        answer = self._ask("prometheus", "/api/v1/query", **params)
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]] if answer else []

    def _ask(self, service: str, path: str, **params: str) -> Any:  # noqa: ANN401 - any JSON
        """The JSON of a server's response; None where it does not respond, which is noted once."""
        try:
            return self._get(service, path, **params)
        except httpx.HTTPError as error:
            said = f"{service} does not answer: {error}".splitlines()[0]
            if said not in self.missing:
                self.missing.append(said)
            return None

    def _get(self, service: str, path: str, **params: str) -> Any:  # noqa: ANN401 - any JSON
        url = addresses(self.config)[service] + path
        return httpx.get(url, params=params, timeout=_TIMEOUT, trust_env=False).raise_for_status().json()


def depends(config: StackConfig, system: str) -> tuple[str, ...]:
    """Every watched system on which one depends, directly or indirectly, without itself."""
    found: dict[str, None] = {}
    todo = [system]
    while todo:
        known = config.systems.get(todo.pop())
        for other in known.depends_on if known else ():
            if other not in found and other != system and other in config.systems:
                found[other] = None
                todo.append(other)
    return tuple(found)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
