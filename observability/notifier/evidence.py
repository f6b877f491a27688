"""Evidence for an alert's cause: active alerts, the state of its data stores, starts, error lines, calls in spans.

`obs why` and the notifier use it; each says itself how a server is asked. Only the standard library.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from observability.alerting.calls import Call, called
from observability.alerting.causes import RECENT, Active, Lines, Observed, Server, Started, grouped
from observability.core.alert import NO_PROBLEM

ERROR_LEVELS: Final = "error|critical"
"""Values of the label `level` of the lines that are read."""

LINES: Final = 300
"""How many of the newest error lines are read."""

Ask = Callable[[str, str, Mapping[str, str]], Any]
"""Requests a path of a server (`prometheus` or `loki`) with parameters; the JSON of the response, or NoAnswerError."""


class NoAnswerError(Exception):
    """A server does not respond, or its response is not usable."""


class Asking(Protocol):
    """Has a way to request, and notes who does not respond."""

    @property
    def ask(self) -> Ask:
        """How a server is asked."""

    @property
    def missing(self) -> list[str]:
        """A sentence for each server that does not respond."""


def asked(by: Asking, service: str, path: str, params: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    """The JSON of a server's response; None where it does not respond, which is noted once."""
    try:
        return by.ask(service, path, params)
    except NoAnswerError as error:
        said = f"{service} does not answer: {error}"
        if said not in by.missing:
            by.missing.append(said)
        return None


@dataclass(frozen=True, kw_only=True)
class Store:
    """The data stores or proxies of one kind that the stack reads."""

    kind: str
    """Scrape job of their exporter."""
    title: str
    up: str
    """Name of the series that is 1 while the exporter reaches a server."""
    servers: tuple[tuple[str, str], ...]
    """System and instance of each."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts from the settings: dependencies and scrape jobs by system, the stores, and where evidence is kept."""

    depends: Mapping[str, tuple[str, ...]]
    """Every system on which a system depends, directly or indirectly."""
    jobs: Mapping[str, str]
    stores: tuple[Store, ...]
    logs: bool
    spans: bool = False
    """Whether there are series made from spans."""


@dataclass(frozen=True, kw_only=True)
class Observer:
    """The running servers of a stack. A server that does not respond adds a sentence to `missing` and no evidence."""

    facts: Facts
    ask: Ask
    missing: list[str]

    def alerts(self) -> list[Active]:
        """Every alert that Prometheus has, including pending ones. NoAnswerError without Prometheus."""
        found = self.ask("prometheus", "/api/v1/alerts", {})["data"]["alerts"]
        return [
            Active(
                labels=one["labels"],
                since=datetime.fromisoformat(one["activeAt"]),
                firing=one["state"] == "firing",
                summary=one["annotations"].get("summary", ""),
                value=float(one.get("value", "nan")),
                annotations=one["annotations"],
            )
            for one in found
            if one["labels"].get("alertname") not in NO_PROBLEM
        ]

    def observed(self, alert: Active, alerts: Sequence[Active]) -> Observed:
        """The observations for one of these alerts."""
        calls = tuple(self._calls(alert.since))
        own, *others = self.systems(alert)
        names = (own, *called((own, *others), calls))
        return Observed(
            alerts=alerts,
            servers=tuple(self._servers(names)),
            started=tuple(self._started(names, alert.since)),
            lines=tuple(self.lines(names, alert.since)),
            calls=calls,
        )

    def systems(self, alert: Active) -> tuple[str, ...]:
        """The alert's system and all that it depends on, as declared."""
        system = alert.labels.get("system", "")
        return (system, *self.facts.depends.get(system, ()))

    def lines(self, systems: Iterable[str], since: datetime) -> list[Lines]:
        """Error lines from five minutes before the alert until now, similar ones grouped, the most frequent first."""
        if not self.facts.logs:
            return []
        query = f'{{system=~"{"|".join(systems)}",level=~"{ERROR_LEVELS}"}}'
        start = (since - timedelta(minutes=5)).timestamp()
        params = {"query": query, "limit": str(LINES), "start": f"{start:.0f}", "direction": "backward"}
        answer = asked(self, "loki", "/loki/api/v1/query_range", params)
        streams = answer["data"]["result"] if answer else []
        found = [
            (at, stream["stream"].get("service", ""), text) for stream in streams for at, text in stream["values"]
        ]
        return grouped((service, text.strip()) for _, service, text in sorted(found, reverse=True))

    def _calls(self, since: datetime) -> Iterator[Call]:
        """The calls of the hour before the alert, by spans of every system, with failures and times at its begin."""
        if not self.facts.spans:
            return
        at = since + timedelta(minutes=5)
        by = ("system", "client", "server", "server_system", "kind")

        def asked_for(expression: str) -> dict[tuple[str, ...], float]:
            found = self._query(f"max by ({', '.join(by)}) ({expression})", at)
            return {tuple(labels.get(name, "") for name in by): value for labels, value in found}

        slowest = 'app:service_graph_latency_seconds:quantile5m{quantile="0.95"}'
        rates = asked_for("max_over_time(app:service_graph_requests:rate5m[1h]) > 0")
        if not rates:
            return
        failed = asked_for("max_over_time(app:service_graph_errors:ratio_rate5m[10m]) > 0")
        times = asked_for(f"max_over_time({slowest}[10m])")
        before = asked_for(f"{slowest} offset 1h")
        for edge, rate in rates.items():
            yield Call(
                **dict(zip(by, edge, strict=True)),
                rate=rate,
                failed=failed.get(edge, 0.0),
                slowest=times.get(edge, math.nan),
                before=before.get(edge, math.nan),
            )

    def _servers(self, systems: Sequence[str]) -> Iterator[Server]:
        """The data stores and proxies of these systems, and whether their exporters reach them."""
        for store in self.facts.stores:
            placed = [(system, instance) for system, instance in store.servers if system in systems]
            if not placed:
                continue
            values = {
                labels.get("instance", ""): value == 1
                for labels, value in self._query(f'min by (instance) ({store.up}{{job="{store.kind}"}})')
            }
            for system, instance in placed:
                yield Server(
                    system=system, title=store.title, kind=store.kind, instance=instance, up=values.get(instance)
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
            yield Started(what=f"container {name}", at=_at(value), image=image, before=old if old != image else "")
        # The start of an exporter's process is not that of the server it reads.
        jobs = "|".join(sorted({self.facts.jobs[name] for name in systems if name in self.facts.jobs}))
        processes = f'max by (system, job, instance) (process_start_time_seconds{{{of},job=~"{jobs}"}})'
        for labels, value in self._query(f"{processes} > {at.timestamp() - age:.0f}", at):
            yield Started(what=f"{labels.get('job', '')} {labels.get('instance', '')}", at=_at(value))

    def _query(self, query: str, at: datetime | None = None) -> list[tuple[Mapping[str, str], float]]:
        """An instant query: labels and value of each series. `at` None or in the future: now."""
        params = {"query": query}
        if at is not None and at < datetime.now(UTC):
            params["time"] = f"{at.timestamp():.0f}"
        answer = asked(self, "prometheus", "/api/v1/query", params)
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]] if answer else []


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
