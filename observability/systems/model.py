"""One watched system, as defined in its YAML file."""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from observability.core.documents import nearest
from observability.core.section import Section
from observability.core.types import LONGEST_INTERVAL, Duration, Share, seconds
from observability.parts.otlp_metrics import JOB as OTLP
from observability.parts.registry import stores
from observability.parts.traces import JOB as SPANS
from observability.systems.signals import Kind, LabelName, SeriesName, Signals, Unit

BUCKETS = {
    "http": (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 5, 10, 30),
    "database": (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
}
"""Upper bounds of the histograms of requirements 1, in seconds; multiplied by 1000 where the series is in ms."""

PER_SECOND: dict[Unit, int] = {"seconds": 1, "ms": 1000}
"""How many of a unit of time make a second."""

UNBOUNDED = frozenset(
    {
        *("user_id", "userid", "customer_id", "email", "ip", "ip_address", "client_ip", "remote_addr"),
        *("session", "session_id", "request_id", "correlation_id", "trace_id", "span_id"),
        *("order_id", "transaction_id", "message_id", "raw_path", "query_string", "token", "password", "timestamp"),
    }
)
"""Labels with a value for each user, request or event: a series for each is more than a server can store."""

TARGET_LABELS = frozenset({"system", "job", "instance"})
"""Labels that Prometheus adds to every series of a target."""


HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$", max_length=253)]
"""Name or address of a server, without a port."""


def _exporter(value: str) -> str:
    declarable = sorted(job for job, store in stores().items() if store.declared)
    if value not in declarable:
        raise ValueError(f"is no exporter; {nearest(value, declarable)}known here: {', '.join(declarable)}")
    return value


Exporter = Annotated[str, AfterValidator(_exporter)]
"""Scrape job of an exporter that reads servers of watched systems: see `observability/parts/`."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _buckets(value: object) -> str | tuple[float, ...] | None:
    if value is None:
        return None
    if isinstance(value, str):
        if value not in BUCKETS:
            raise ValueError(f"is none of {', '.join(BUCKETS)}; or list the upper bounds, like [0.1, 0.5, 1]")
        return value
    if not isinstance(value, list | tuple) or not value or not all(map(_is_number, value)):
        raise ValueError("is not a list of numbers; write the upper bounds, like [0.1, 0.5, 1], or http, or database")
    if list(value) != sorted(set(value)):
        raise ValueError("does not rise; write the upper bounds from the lowest to the highest, without +Inf")
    return tuple(value)


def _amount(value: object) -> float | str | None:
    if value is None or (isinstance(value, str) and re.match(r"\s*[-+]?\.?\d", value)):
        return value
    if isinstance(value, int | float) and _is_number(value):
        return value
    raise ValueError("is not a number; write a number, or like 5%, 500ms, 14d by the threshold's unit")


Buckets = Annotated[
    Literal["http", "database"] | tuple[float, ...] | None,
    PlainValidator(_buckets),
    WithJsonSchema({"anyOf": [{"enum": list(BUCKETS)}, {"type": "array", "items": {"type": "number"}}]}),
]

Amount = Annotated[float | str | None, PlainValidator(_amount), WithJsonSchema({"type": ["number", "string"]})]
"""A value of a threshold as it is written; its unit is the threshold's."""


class SeriesSpec(Section):
    """One series that the system exposes."""

    kind: Kind = Field(description="What it is.")
    help: str = Field(description="What it counts or measures, in a sentence.", examples=["Requests answered."])
    labels: tuple[LabelName, ...] = Field((), description="Its own labels.")
    unit: Unit = Field("count", description="Unit of its value; by default what its name ends in.")
    buckets: Buckets = Field(
        None, description="Upper bounds of a classic histogram, in its unit; none: a native histogram."
    )

    @field_validator("labels")
    @classmethod
    def _bounded(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        for label in labels:
            if label in UNBOUNDED:
                raise ValueError(
                    f"the label {label!r} has a value for each user or event; take it out, count users in a gauge, "
                    "and leave the rest to logs and traces"
                )
            if label in TARGET_LABELS:
                raise ValueError(f"the label {label!r} is given by Prometheus; call the series' own another name")
        return labels

    @model_validator(mode="after")
    def _buckets_of_a_histogram(self) -> Self:
        if self.buckets is not None and self.kind != "histogram":
            raise ValueError(f"a {self.kind} has no buckets; take them out, or make its kind histogram")
        if isinstance(self.buckets, str) and self.unit not in PER_SECOND:
            raise ValueError(f"the buckets {self.buckets!r} are times, its unit is {self.unit}; list the upper bounds")
        return self

    @property
    def bounds(self) -> tuple[float, ...]:
        """Upper bounds of its buckets, in its own unit, without +Inf; none: not a classic histogram."""
        if isinstance(self.buckets, str):
            return tuple(bound * PER_SECOND[self.unit] for bound in BUCKETS[self.buckets])
        return self.buckets or ()


class Scrape(Section):
    """How the system's metrics are read; where, differs per environment and stands in its settings."""

    job: str = Field("backend", description="Name of the scrape job.", pattern=r"^[a-z][a-z0-9_-]*$", max_length=63)
    port: int = Field(description="Port of the metrics.", ge=1, le=65535, examples=[8080])
    path: str = Field("/metrics", description="Path of the metrics.", pattern=r"^/\S*$")
    interval: Duration | None = Field(None, description="How often, 1s to 1m; none: the stack's scrape interval.")

    @field_validator("interval")
    @classmethod
    def _four_in_a_rate(cls, value: str | None) -> str | None:
        if value is not None and not 1 <= seconds(value) <= LONGEST_INTERVAL:
            raise ValueError("must be between 1s and 1m; rates over 5 minutes want four samples at least")
        return value


class HealthEndpoint(Section):
    """A page that tells whether the system is well; probed where its address is known."""

    path: str = Field(description="Path of the page.", pattern=r"^/\S*$")
    keyword: str | None = Field(None, description="Text that the page must hold, taken literally.", min_length=1)


class Slo(Section):
    """One service level objective, over 30 days."""

    objective: Share = Field(description="Share of requests that must be good.", gt=0.5, lt=1, examples=["99.9%"])


class LatencySlo(Slo):
    """A request is good when it is answered within the target."""

    target: Duration = Field(
        description="Time within which a request is good: one of the histogram's bounds, below the highest."
    )


class Slos(Section):
    """The objectives of a system."""

    availability: Slo | None = Field(None, description="Requests without 5xx.")
    latency: LatencySlo | None = Field(None, description="Requests within the target.")


class Waits(Section):
    """How long a value must stand beyond a threshold before its alert fires, by severity."""

    info: Duration | None = Field(None, description="Like 15m; none: what the alert's rule says.")
    warning: Duration | None = Field(None, description="As info.")
    critical: Duration | None = Field(None, description="As info.")

    def under(self, above: "Waits | None") -> "Waits":
        """These durations, each overridden by that of `above` where it has one."""
        return Waits(**{name: value for one in (self, above) if one for name, value in one if value is not None})


def _waits(value: object) -> object:
    return dict.fromkeys(Waits.model_fields, value) if isinstance(value, str) else value


AlertWaits = dict[str, Annotated[Waits, BeforeValidator(_waits, json_schema_input_type=Waits | Duration)]]
"""The `for` of single alerts, by name."""


def merged_waits(below: AlertWaits, above: AlertWaits) -> AlertWaits:
    """The `for` of single alerts, each overridden by that of `above` where it has one."""
    return {**below, **{name: below.get(name, Waits()).under(waits) for name, waits in above.items()}}


class Paging(Section):
    """Which alerts wake someone, where that is not what their rules say: the label `page`."""

    all_criticals: bool | None = Field(None, description="Whether every critical alert does.")
    alerts: dict[str, bool] = Field({}, description="Single alerts by name; they stand above allCriticals.")

    def under(self, above: "Paging") -> "Paging":
        """These values, each overridden by that of `above` where it has one."""
        every = self.all_criticals if above.all_criticals is None else above.all_criticals
        return Paging(all_criticals=every, alerts={**self.alerts, **above.alerts})


class ApiValues(Section):
    """The values of a threshold for one external API."""

    warning: Amount = Field(None, description="A number, or like 5%, 500ms, 14d by the threshold's unit.")
    critical: Amount = Field(None, description="As warning.")
    info: Amount = Field(None, description="As warning.")

    def under(self, above: "ApiValues") -> "ApiValues":
        """These values, each overridden by that of `above` where it has one."""
        return self.model_copy(update={name: value for name, value in above if value is not None})


class ThresholdValues(Section):
    """One threshold: a value per severity, the percentile it is about, and how long it must be exceeded."""

    quantile: Literal["p50", "p95", "p99"] | None = Field(None, description="Which percentile.")
    warning: Amount = Field(None, description="A number, or like 5%, 500ms, 14d by the threshold's unit.")
    critical: Amount = Field(None, description="As warning.")
    info: Amount = Field(None, description="As warning.")
    wait: Annotated[Waits | None, BeforeValidator(_waits, json_schema_input_type=Waits | Duration | None)] = Field(
        None,
        alias="for",
        description="How long it must be exceeded: a duration, or one for each severity like {critical: 1m}; "
        "none: what the alert's rule says.",
    )
    apis: dict[str, ApiValues] = Field(
        {},
        description="Values of single external APIs, by name in signals.externalApis; the others have those above.",
        examples=[{"openai": {"warning": 500}}],
    )

    def under(self, above: "ThresholdValues") -> "ThresholdValues":
        """These values, each overridden by that of `above` where it has one."""
        given = {name: value for name, value in above if value is not None and name not in ("wait", "apis")}
        given["wait"] = self.wait.under(above.wait) if self.wait else above.wait
        apis = {name: self.apis.get(name, ApiValues()).under(values) for name, values in above.apis.items()}
        return self.model_copy(update={**given, "apis": {**self.apis, **apis}})


class Figure(Section):
    """A figure of the business, or of security, that a dashboard shows."""

    title: str = Field(description="Title of its panel.")
    series: SeriesName = Field(description="The series.")
    by: tuple[LabelName, ...] = Field((), description="Labels by which it is split.")
    dashboard: Literal["business", "security", "application"] = Field("business", description="Where it is shown.")
    over: Duration | None = Field(
        None,
        description="Shown as one number: what a counter grew by in this time, or the most a gauge reached; "
        "none: a graph over time.",
    )


class Spans(Section):
    """Which of its signals are made from its spans; a signal that `signals` states is made from that."""

    database: bool = Field(True, description="Whether calls of its database are: signals dbLatency and dbQueries.")
    external_apis: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=63)], HostName] = Field(
        {},
        description="Services that it calls by HTTP: the name of the external API by the name of its server.",
        examples=[{"openai": "api.openai.com"}],
    )


def _spans(value: object) -> object:
    return {} if value is True else None if value is False else value


class System(Section):
    """One system. Its name, the label `system`, is the file's own: `systems/<name>.yaml`."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=63)] = Field(description="The file's name.")
    title: str = Field(description="Display name.", examples=["Shop"])
    description: str = Field("", description="What it is for, in a sentence or two.")
    team: str = Field(description="Who owns it, in the label `team`.", pattern=r"^[a-z][a-z0-9-]*$", examples=["shop"])
    scrape: Scrape | None = Field(
        None, description="How its metrics are read; required unless it sends them by OTLP, or has spans."
    )
    otlp: bool = Field(False, description="Whether it sends its metrics by OTLP, and has no page of them.")
    spans: Annotated[Spans | None, BeforeValidator(_spans, json_schema_input_type=Spans | bool | None)] = Field(
        None, description="Signals from its spans: requests, errors and latency by route, calls of others."
    )
    health: tuple[HealthEndpoint, ...] = Field((), description="Pages that tell whether it is well.")
    exporters: tuple[Exporter, ...] = Field((), description="Jobs of exporters whose targets belong to it.")
    depends_on: tuple[str, ...] = Field(
        (),
        description="Systems that it calls, by the names of their files: `obs why` looks there for a cause as well.",
        examples=[["shop"]],
    )
    series: dict[SeriesName, SeriesSpec] = Field(
        {}, description="Every series it exposes that anything here reads; required unless it has spans."
    )
    signals: Signals = Field(default_factory=Signals, description="Which series is which signal.")
    thresholds: dict[str, ThresholdValues] = Field(
        {}, description="What is demanded of it: see observability/systems/thresholds.py."
    )
    page: Paging = Field(default_factory=Paging, description="Which of its alerts wake someone.")
    waits: AlertWaits = Field(
        {},
        alias="for",
        description="How long the condition of single alerts must hold before they fire: by name, a duration or one "
        "for each severity; above what their rules and the thresholds say.",
        examples=[{"HostDown": "3m", "EndpointDown": {"critical": "2m"}}],
    )
    slos: Slos = Field(default_factory=Slos, description="Its service level objectives.")
    figures: tuple[Figure, ...] = Field((), description="Figures for its dashboards.")

    @model_validator(mode="after")
    def _measured(self) -> Self:
        read = self.scrape is not None or self.otlp
        if self.scrape is not None and self.otlp:
            raise ValueError("has scrape and otlp; its metrics arrive in one way, remove the other")
        if self.spans is None and not (read and "series" in self.model_fields_set):
            missing = "series" if read else "scrape"
            raise ValueError(
                f"has no {missing}; add it, or otlp: true where it sends metrics, "
                "or spans: true where it sends spans and has no metrics"
            )
        if self.series and not read:
            raise ValueError(
                "has series and no scrape by which they are read; add scrape, like {port: 8080}, or otlp: true"
            )
        return self

    @property
    def job(self) -> str:
        """Scrape job of its metrics; of a system that only sends spans, that of their series."""
        return self.scrape.job if self.scrape else OTLP if self.otlp else SPANS

    @property
    def measured(self) -> bool:
        """Whether it has any series of its own: metrics or spans."""
        return bool(self.series) or self.spans is not None

    @property
    def called(self) -> Mapping[str, str]:
        """The servers of the external APIs that its spans show, by the API's name."""
        return self.spans.external_apis if self.spans else {}

    @property
    def native_histograms(self) -> bool:
        """Whether one of its histograms is a native one, which Prometheus must ask for."""
        return any(spec.kind == "histogram" and not spec.bounds for spec in self.series.values())

    @field_validator("series", mode="before")
    @classmethod
    def _units_by_name(cls, found: Any) -> Any:  # noqa: ANN401 - any parsed value
        if not isinstance(found, dict):
            return found
        return {
            name: {"unit": unit_of(str(name)), **spec} if isinstance(spec, dict) else spec
            for name, spec in found.items()
        }


def unit_of(name: str) -> Unit:
    """The unit in the suffix of a series' name."""
    last = name.removesuffix("_total").rpartition("_")[2]
    units: dict[str, Unit] = {"seconds": "seconds", "ms": "ms", "milliseconds": "ms", "bytes": "bytes", "usd": "usd"}
    return units.get(last, "count")
