"""The series that the collector makes from spans, and the signals that a system has by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from observability.parts.traces import JOB
from observability.systems.model import BUCKETS, SeriesSpec, System
from observability.systems.signals import DbLatency, ExternalApi, HttpLatency, HttpRequests, Outcomes, Selector, Times

UNMATCHED: Final = "unmatched"
"""Route of requests whose span states none."""

OTHER: Final = "other"
"""Peer of calls to services that no system's file names."""

UNKNOWN: Final = "unknown"
"""A caller, or what is called, whose span does not name it."""

OK: Final = "ok"
"""Outcome of a call without an error."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of series: a histogram of the duration of spans."""

    namespace: str
    labels: tuple[str, ...]
    buckets: str
    help: str

    @property
    def series(self) -> str:
        """Name of the series in Prometheus; of a histogram, its base name."""
        return f"{self.namespace.replace('.', '_')}_duration_seconds"

    @property
    def bounds(self) -> tuple[float, ...]:
        """Upper bounds, in seconds."""
        return BUCKETS[self.buckets]

    @property
    def spec(self) -> SeriesSpec:
        """The series as a system's file would declare it."""
        return SeriesSpec.model_validate(
            {"kind": "histogram", "unit": "seconds", "labels": self.labels, "buckets": self.buckets, "help": self.help}
        )


KINDS: Final[Mapping[str, Kind]] = {
    "http": Kind(
        namespace="obs.spans.http",
        labels=("route", "method", "status"),
        buckets="http",
        help="Requests answered, by spans.",
    ),
    "database": Kind(
        namespace="obs.spans.database",
        labels=("operation", "outcome"),
        buckets="database",
        help="Calls of a database, by spans.",
    ),
    "external": Kind(
        namespace="obs.spans.external",
        labels=("peer", "outcome"),
        buckets="http",
        help="Calls of other services by HTTP, by spans.",
    ),
}
"""Every kind by its name."""

EDGE: Final = Kind(
    namespace="obs.spans.edge",
    labels=("client", "peer", "kind", "outcome"),
    buckets="http",
    help="Calls of databases and of other services, by spans.",
)
"""Calls by the service that makes them, `client`, and what it calls, `peer`: the service graph is made from them."""

DATABASE: Final = "database"
CALL: Final = "call"
"""Values of the label `kind` of a call."""

SERVED: Final = "obs.spans.served"
"""Namespace of the count of requests answered by service, and by the address at which it was called."""

ANSWERED: Final = ("service", "address")
"""Its labels."""

SERIES: Final[Mapping[str, SeriesSpec]] = {kind.series: kind.spec for kind in KINDS.values()}
"""Every series by its name."""


def declared(system: System, selector: Selector) -> SeriesSpec | None:
    """The series of a selector, of the system's own metrics or of its spans; None for an exporter's, or an unknown."""
    if selector.job is None:
        return system.series.get(selector.series)
    return SERIES.get(selector.series) if selector.job == JOB else None


def mapped(system: System) -> System:
    """The system with the signals that its spans are; a signal that its file states is unchanged."""
    if system.spans is None:
        return system
    http, database, external = (KINDS[kind].series for kind in ("http", "database", "external"))
    found: dict[str, Any] = {
        "http_requests": HttpRequests(series=http, job=JOB, route="route", status="status"),
        "http_latency": HttpLatency(series=http, job=JOB, route="route"),
    }
    if system.spans.database:
        found["db_latency"] = DbLatency(series=database, job=JOB, operation="operation")
        found["db_queries"] = Outcomes(series=database, job=JOB, ok={"outcome": OK})
    own = {name: value for name, value in found.items() if getattr(system.signals, name) is None}
    apis = {
        name: ExternalApi(
            calls=Outcomes(series=external, job=JOB, where={"peer": host}, ok={"outcome": OK}),
            latency=Times(series=external, job=JOB, where={"peer": host}),
        )
        for name, host in system.spans.external_apis.items()
    }
    own["external_apis"] = {**apis, **system.signals.external_apis}
    return system.model_copy(update={"signals": system.signals.model_copy(update=own)})
