"""What a stack knows of the time of an incident: alerts, silences, starts, images, changes of configuration."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from observability.alerting.causes import RECENT
from observability.core.alert import NO_PROBLEM_PATTERN
from observability.core.naming import PLATFORM
from observability.notifier.evidence import Ask, asked
from observability.notifier.facts import depends
from observability.operations.home import Update
from observability.operations.incidents import Event, Incident
from observability.settings.load import StackConfig

POINTS: Final = 5_000
"""Most points of a series in one query; Prometheus refuses 11,000."""

FINEST: Final = 15
"""Seconds between two points, at the least."""

RELOADS: Final = (
    ("Prometheus", "prometheus_config_last_reload_success_timestamp_seconds"),
    ("Alertmanager", "alertmanager_config_last_reload_success_timestamp_seconds"),
)
"""Series with the time at which a server has loaded its configuration: each `obs up` that changes it does that."""

_COMMANDS: Final = {"update": "obs up", "destroy": "obs down"}
"""The command of a run of the engine, by its kind."""

Labels = tuple[tuple[str, str], ...]


def timeline(one: Incident, seen: Sequence[Event]) -> list[Event]:
    """The incident's own events and what the stack knows, in order."""
    return sorted([*one.events, *seen], key=lambda event: event.at)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Gathers the events of one incident. A server that does not answer adds a sentence to `missing`."""

    config: StackConfig
    ask: Ask
    incident: Incident
    now: datetime
    updates: Sequence[Update] = ()
    """What is recorded of `up` and `down`."""
    missing: list[str] = field(default_factory=list)

    @property
    def end(self) -> datetime:
        """Until when events belong to it."""
        return min(self.incident.end or self.now, self.now)

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems concerned, with those that they depend on and the stack itself; empty: all."""
        own = self.incident.systems
        if not own:
            return ()
        every = [*own, *(other for name in own for other in depends(self.config, name)), PLATFORM]
        return tuple(dict.fromkeys(every))

    def events(self) -> list[Event]:
        """Every event, in order. Starts and changes of the hour before belong to it: they may be its cause."""
        found = [*self._alerts(), *self._silences(), *self._containers(), *self._processes(), *self._reloads()]
        found += self._updates()
        return sorted(dict.fromkeys(found), key=lambda event: event.at)

    def _alerts(self) -> Iterator[Event]:
        begin = self.incident.since - timedelta(minutes=10)
        step = self._step(begin)
        matchers = f'alertstate="firing",alertname!~"{NO_PROBLEM_PATTERN}"{self._of_systems()}'
        for labels, samples in self._range(f"ALERTS{{{matchers}}}", begin, step):
            times = [at for at, _ in samples]
            name = _described(labels)
            for first, last in _runs(times, step):
                before = first <= begin.timestamp()
                word = "fires since before" if before else "fires"
                yield Event(at=_at(first), what="alert", text=f"{name} {word}")
                if last + step < self.end.timestamp():
                    yield Event(at=_at(last + step), what="alert", text=f"{name} has ended")

    def _silences(self) -> Iterator[Event]:
        found = asked(self, "alertmanager", "/api/v2/silences", {})
        for one in found or ():
            matchers = ", ".join(
                f"{m['name']}{'=' if m.get('isEqual', True) else '!='}{'~' if m['isRegex'] else ''}{m['value']}"
                for m in one["matchers"]
            )
            begun, ends = (datetime.fromisoformat(one[key]) for key in ("startsAt", "endsAt"))
            if self._within(begun):
                text = f"silence {one['id'][:8]} of {matchers}: {one['comment']}"
                yield Event(at=begun.astimezone(UTC), what="silence", text=text, by=one["createdBy"])
            if self._within(ends) and begun < ends:
                yield Event(
                    at=ends.astimezone(UTC), what="silence", text=f"silence {one['id'][:8]} of {matchers} has ended"
                )

    def _containers(self) -> Iterator[Event]:
        query = f"max by (system, name, image) (container_start_time_seconds{{name!=''{self._of_systems()}}})"
        starts: dict[str, set[tuple[float, str]]] = {}
        for labels, values in self._starts(query):
            name = labels.get("name", "")
            starts.setdefault(name, set()).update((value, labels.get("image", "")) for value in values)
        for name, found in sorted(starts.items()):
            image = ""
            for value, now in sorted(found):
                changed = f", image {image} before and {now} now" if image and image != now else ""
                image = now
                if self._recent(value):
                    yield Event(at=_at(value), what="start", text=f"container {name} was started{changed}")

    def _processes(self) -> Iterator[Event]:
        chosen = self.incident.systems or tuple(self.config.systems)
        jobs = sorted({self.config.systems[name].job for name in chosen if name in self.config.systems})
        if not jobs:
            return
        of = f'job=~"{"|".join(jobs)}"{self._of_systems()}'
        query = f"max by (system, job, instance) (process_start_time_seconds{{{of}}})"
        for labels, values in self._starts(query):
            for value in sorted(filter(self._recent, values)):
                text = f"process {labels.get('job', '')} {labels.get('instance', '')} of {labels.get('system', '')}"
                yield Event(at=_at(value), what="start", text=f"{text} was started")

    def _reloads(self) -> Iterator[Event]:
        for server, series in RELOADS:
            for _, values in self._starts(f"max({series})"):
                for value in sorted(filter(self._recent, values)):
                    yield Event(at=_at(value), what="configuration", text=f"{server} has loaded its configuration")

    def _updates(self) -> Iterator[Event]:
        """Runs of `up` and `down` that changed something or failed."""
        for one in self.updates:
            if self._recent(one.end.timestamp()) and (one.changes or one.result != "succeeded"):
                counts = ", ".join(f"{name} {count}" for name, count in sorted(one.changes.items()))
                text = f"{_COMMANDS.get(one.kind, one.kind)} {one.result}: {counts or 'no resource changed'}"
                yield Event(at=one.end, what="deployment", text=text)

    def _starts(self, query: str) -> Iterator[tuple[Mapping[str, str], set[float]]]:
        """The values of series that are times, from an hour before the incident."""
        begin = self.incident.since - RECENT
        for labels, samples in self._range(query, begin, self._step(begin)):
            yield labels, {math.floor(value) for _, value in samples}

    def _range(
        self, query: str, begin: datetime, step: int
    ) -> Iterable[tuple[Mapping[str, str], list[tuple[float, float]]]]:
        params = {
            "query": query,
            "start": f"{begin.timestamp():.0f}",
            "end": f"{self.end.timestamp():.0f}",
            "step": str(step),
        }
        answer = asked(self, "prometheus", "/api/v1/query_range", params)
        for one in answer["data"]["result"] if answer else ():
            yield one["metric"], [(float(at), float(value)) for at, value in one["values"]]

    def _of_systems(self) -> str:
        return f',system=~"{"|".join(self.systems)}"' if self.systems else ""

    def _step(self, begin: datetime) -> int:
        return max(FINEST, math.ceil((self.end - begin).total_seconds() / POINTS))

    def _within(self, at: datetime) -> bool:
        return self.incident.since - timedelta(minutes=10) <= at <= self.end

    def _recent(self, value: float) -> bool:
        return (self.incident.since - RECENT).timestamp() <= value <= self.end.timestamp()


def _described(labels: Mapping[str, str]) -> str:
    """An alert by its name, severity, system and what it is about."""
    hidden = {"__name__", "alertname", "alertstate", "severity", "system", "team", "component", "condition", "page"}
    about = " ".join(f"{name}={value}" for name, value in sorted(labels.items()) if name not in hidden)
    words = [labels.get("severity", ""), labels.get("system", ""), about]
    return f"{labels.get('alertname', '')} ({', '.join(filter(None, words))})"


def _runs(times: Sequence[float], step: int) -> Iterator[tuple[float, float]]:
    """First and last of each run of times without a gap."""
    first = last = None
    for at in times:
        if first is None or last is None:
            first = at
        elif at - last > 1.5 * step:
            yield first, last
            first = at
        last = at
    if first is not None and last is not None:
        yield first, last


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
