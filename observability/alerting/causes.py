"""What may have caused an alert: other alerts, the state of dependencies, restarts and log lines, most likely first.

Pure functions on observations, which `observability/notifier/evidence.py` collects.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from observability.alerting.calls import Call, called, shown

OLD: Final = timedelta(hours=6)
"""An alert that began this much earlier than another is less likely its cause than one that began with it."""

LATE: Final = timedelta(minutes=15)
"""A cause may be detected after its effect, as waits differ; an alert that began later than this is no cause."""

RECENT: Final = timedelta(hours=1)
"""How long before an alert a restart may be its cause."""


EXAMPLES: Final = 3
"""How many groups of log lines are shown as evidence of one cause."""


class Layer(IntEnum):
    """What a cause is about, from the layer that most others depend on to the one that depends on most."""

    HOST = 0
    DEPENDENCY = 1
    SYSTEM = 2
    REFUSED = 3
    CONTAINER = 4
    RESTART = 5
    EXTERNAL = 6
    SATURATION = 7
    APPLICATION = 8
    SYMPTOM = 9


_COMPONENTS: Final[Mapping[str, Layer]] = {
    "host": Layer.HOST,
    "database": Layer.DEPENDENCY,
    "cache": Layer.DEPENDENCY,
    "proxy": Layer.DEPENDENCY,
    "container": Layer.CONTAINER,
    "service": Layer.CONTAINER,
    "application": Layer.APPLICATION,
    "logs": Layer.SYMPTOM,
    "endpoint": Layer.SYMPTOM,
    "business": Layer.SYMPTOM,
    "security": Layer.APPLICATION,
}
"""Layer of an alert by its label `component`."""

_CALLED: Final[Mapping[str, Layer]] = {"service": Layer.SYSTEM, "database": Layer.REFUSED}
"""Layer of calls by their kind; all others are external."""

_EXTERNAL: Final = re.compile(r"external_api|integration")
_SATURATED: Final = re.compile(r"db_pool|db_connections|_usage$|goroutines|event_loop|load$|throttling|limit")
"""Conditions of an exhausted resource, for any component."""

_TOTAL: Final = frozenset({"down", "oom", "disk_readonly", "no_primary", "cluster_status"})
"""Conditions of a host, store or container that is down, as opposed to degraded."""

_FAILS: Final = re.compile(
    r"(?i)refused|timed? ?out|unreachable|no such host|could not connect|can't connect|connection reset"
    r"|authentication failed|access denied|too many (clients|connections)|not accept|econn|broken pipe"
)
"""Text of a log line when a dependency does not respond or refuses a connection."""


@dataclass(frozen=True, kw_only=True)
class Active:
    """An alert that is firing or pending; `since` is when its condition began to hold."""

    labels: Mapping[str, str]
    since: datetime
    firing: bool = True
    summary: str = ""
    value: float = field(default=math.nan, compare=False)
    """Value of the rule's expression at its last evaluation."""
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)
    """As they were rendered then."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.labels.get("alertname", "")

    @property
    def layer(self) -> Layer:
        """The layer it is about."""
        condition = self.labels.get("condition", "")
        if _EXTERNAL.search(condition):
            return Layer.EXTERNAL
        # An application's database alerts are measured by the application: they have no instance of a server.
        if self.labels.get("component") == "database" and "instance" not in self.labels:
            return Layer.SATURATION
        if _SATURATED.search(condition):
            return Layer.SATURATION
        return _COMPONENTS.get(self.labels.get("component", ""), Layer.SYMPTOM)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A data store or proxy that a system's settings place, and whether its exporter reaches it (None: unknown)."""

    system: str
    title: str
    kind: str
    """Its scrape job, which a log line may contain instead of the address."""
    instance: str
    up: bool | None


@dataclass(frozen=True, kw_only=True)
class Started:
    """A process or container that started; `image` is the container's, empty if unknown."""

    what: str
    at: datetime
    image: str = ""
    before: str = ""
    """The image that it ran before, if it differs."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Error lines that differ only in numbers: their count, and the newest one."""

    service: str
    count: int
    text: str
    place: int = field(default=0, compare=False)
    """Place of the newest one among all groups, 0 for the newest of all."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """All observations: active alerts, the servers of the alert's systems, starts, error lines, calls in spans."""

    alerts: Sequence[Active] = ()
    servers: Sequence[Server] = ()
    started: Sequence[Started] = ()
    lines: Sequence[Lines] = ()
    calls: Sequence[Call] = ()


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One possible cause, and the evidence for it."""

    what: str
    evidence: tuple[str, ...]
    layer: Layer
    rank: tuple[float, ...]
    """A lower rank is more likely."""


def causes(alert: Active, observed: Observed, depends: Iterable[str] = ()) -> list[Cause]:
    """Possible causes of an alert, the most likely first; each object is named once.

    `depends` names the systems that the alert's system depends on as declared; those that it calls in spans are added.
    """
    system = alert.labels.get("system", "")
    found = [
        *_of_alerts(alert, observed, frozenset(called((system, *depends), observed.calls))),
        *_of_servers(alert, observed),
        *_of_calls(alert, observed),
        *_of_starts(alert, observed.started),
    ]
    return sorted(found, key=lambda cause: cause.rank)


def grouped(lines: Iterable[tuple[str, str]]) -> list[Lines]:
    """(service, line) pairs, newest first, grouped by messages that differ only in numbers; largest group first."""
    newest: dict[tuple[str, str], str] = {}
    counts: dict[tuple[str, str], int] = {}
    for service, line in lines:
        text = message(line)
        key = (service, _VARIES.sub("#", text))
        newest.setdefault(key, text)
        counts[key] = counts.get(key, 0) + 1
    found = [
        Lines(service=service, count=count, text=newest[service, key], place=place)
        for place, ((service, key), count) in enumerate(counts.items())
    ]
    return sorted(found, key=lambda one: -one.count)


_VARIES: Final = re.compile(r"[\w:.+-]*\d[\w:.+-]*")
"""Numbers, times, addresses and ids."""


def message(line: str) -> str:
    """The message of a line in JSON; any other line unchanged."""
    try:
        document = json.loads(line) if line.startswith("{") else None
    except ValueError:
        return line
    if not isinstance(document, dict):
        return line
    words = [document[name] for name in ("message", "msg", "error", "err") if isinstance(document.get(name), str)]
    return ": ".join(dict.fromkeys(words)) or line


def _of_alerts(alert: Active, observed: Observed, depends: frozenset[str]) -> Iterator[Cause]:
    down = {server.instance for server in observed.servers if server.up is False}
    up = {server.instance for server in observed.servers if server.up}
    for other in observed.alerts:
        if other.labels == alert.labels or other.since > alert.since + LATE:
            continue
        layer = _related(alert, other, depends)
        if layer is None or _same_trouble(alert, other):
            continue
        # A server that is down is listed as the server itself.
        if other.layer == Layer.DEPENDENCY and other.labels.get("instance") in down:
            continue
        # It is reached again: its alert is pending from a scrape or two that failed, and never fires.
        total = other.layer == Layer.DEPENDENCY and other.labels.get("condition") in _TOTAL
        if total and not other.firing and other.labels.get("instance") in up:
            continue
        begun = f"{other.name} since {other.since:%H:%M} UTC" + ("" if other.firing else ", its wait is not over")
        seen = shown(observed.calls, other.labels.get("system", "")) if layer == Layer.SYSTEM else ()
        yield Cause(
            what=other.summary or other.name, evidence=(begun, *seen), layer=layer, rank=_rank(alert, other, layer)
        )


def _related(alert: Active, other: Active, depends: frozenset[str]) -> Layer | None:
    """The layer of another alert if it can be the cause of this one; None if it cannot."""
    system, host = alert.labels.get("system"), alert.labels.get("host")
    theirs = other.labels.get("system")
    same_host = host is not None and other.labels.get("host") == host
    if theirs != system and theirs in depends:
        severe = other.labels.get("severity") == "critical"
        return Layer.SYSTEM if severe and other.layer < Layer.SYMPTOM else None
    if theirs != system and not (same_host and other.layer in (Layer.HOST, Layer.SATURATION)):
        return None
    return other.layer if other.layer < alert.layer else None


def _same_trouble(alert: Active, other: Active) -> bool:
    """Whether they are the warning and the critical alert of one condition."""
    one, another = dict(alert.labels), dict(other.labels)
    for labels in (one, another):
        for name in ("alertname", "severity", "page"):
            labels.pop(name, None)
    return one == another


def _rank(alert: Active, other: Active, layer: Layer) -> tuple[float, ...]:
    old = alert.since - other.since > OLD
    partial = layer <= Layer.DEPENDENCY and other.labels.get("condition") not in _TOTAL
    severe = other.labels.get("severity") == "critical"
    # A degraded dependency is a weaker explanation than one that is down.
    place = Layer.SATURATION if partial else layer
    return (old, place, not severe, not other.firing, other.since.timestamp())


def _of_servers(alert: Active, observed: Observed) -> Iterator[Cause]:
    if alert.layer <= Layer.DEPENDENCY:
        return
    for server in observed.servers:
        said = _said(server, observed.lines)
        lines = [f"{_lines(one.count)} of {one.service} like: {one.text}" for one in said[:EXAMPLES]]
        told = [
            one
            for one in observed.alerts
            if one.labels.get("instance") == server.instance and one.layer == Layer.DEPENDENCY
        ]
        alerts = [f"{one.name} since {one.since:%H:%M} UTC" for one in told]
        alerts += [one.words for one in observed.calls if one.failing and one.address == server.instance]
        what = f"{server.title} {server.instance} of {server.system}"
        if server.up is False:
            since = min((one.since.timestamp() for one in told), default=alert.since.timestamp())
            yield Cause(
                what=f"{what} is down",
                evidence=(*alerts, *lines) or ("its exporter does not reach it",),
                layer=Layer.DEPENDENCY,
                rank=(False, Layer.DEPENDENCY, False, False, since),
            )
        elif said:
            yield Cause(
                what=f"{what} is reached by its exporter, and not by the application",
                evidence=(*lines, *alerts),
                layer=Layer.REFUSED,
                rank=(False, Layer.REFUSED, False, False, -sum(one.count for one in said)),
            )


def _of_calls(alert: Active, observed: Observed) -> Iterator[Cause]:
    """Calls of the alert's system that fail or became slow, by its spans."""
    servers = (one for one in observed.servers if one.up is False or _said(one, observed.lines))
    known = {server.instance for server in servers}
    for call in observed.calls:
        # Calls between the services of one system fail as the application fails: that is no cause of it.
        own = call.server_system == call.system
        layer = Layer.APPLICATION if own else _CALLED.get(call.kind, Layer.EXTERNAL)
        if call.system != alert.labels.get("system") or layer >= alert.layer or call.address in known:
            continue
        if call.failing or call.slower:
            what = f"Calls of {call.client} to {call.server} {'fail' if call.failing else 'became slow'}"
            rank = (False, layer, True, not call.failing, -call.failed)
            yield Cause(what=what, evidence=(call.words,), layer=layer, rank=rank)


def _said(server: Server, lines: Sequence[Lines]) -> list[Lines]:
    """The lines of an application that does not reach the server."""
    return [one for one in lines if _FAILS.search(one.text) and _names(server, one.text)]


def _names(server: Server, text: str) -> bool:
    """Whether a line names the server: its address, its host, or the kind of server."""
    host = server.instance.rpartition(":")[0] or server.instance
    words = (server.instance, host, server.kind, server.title)
    return any(re.search(rf"(?i)(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text) for word in words)


def _of_starts(alert: Active, started: Sequence[Started]) -> Iterator[Cause]:
    for one in started:
        if not timedelta(minutes=-2) <= alert.since - one.at <= RECENT:
            continue
        changed = bool(one.before)
        image = f", image {one.before} before and {one.image} now" if changed else ""
        yield Cause(
            what=f"{one.what} was {'replaced' if changed else 'restarted'} at {one.at:%H:%M} UTC",
            evidence=(f"started {_minutes(alert.since - one.at)} before the alert{image}",),
            layer=Layer.RESTART,
            rank=(False, Layer.RESTART, not changed, False, -one.at.timestamp()),
        )


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _minutes(span: timedelta) -> str:
    return f"{max(0, round(span.total_seconds() / 60))} minutes"
