"""Traces: spans that applications send by OTLP, measured, sampled, and passed on to a store."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from observability.core.section import Section
from observability.core.types import Duration, MemoryMb, Port, Share
from observability.parts.collector import NAME as COLLECTOR
from observability.parts.model import FULL, Here, Part, Scraped, Server, own

NAME: Final = "traces"
"""Name of the part and of its section."""

JOB: Final = "spans"
"""Scrape job of the series that are made from spans."""

GRPC: Final = 4317
HTTP: Final = 4318
"""Ports of OTLP in the collector's container."""

BROWSERS: Final = 4320
"""Port in the collector's container at which spans of browsers arrive, from the edge alone."""

MEASURED: Final = 8890
"""Port in the collector's container of the series that are made from spans."""

Origin = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.-]+(:\d{1,5})?$", examples=["https://shop.example.com"])]
"""Scheme, host and port of a web page."""

HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/[^\s@]*)?$", max_length=2048)]
"""An address without a user or password in it."""


def _not_one(share: float) -> float:
    if not 0 <= share <= 1:
        raise ValueError("is not between 0 and 1; write it like 10% or 0.1")
    return share


Kept = Annotated[Share, AfterValidator(_not_one), Field(examples=["10%"])]
"""A share of the traces, from 0 to 1."""

Rate = Annotated[int, Field(ge=1, le=1_000_000)]
"""Spans a second."""


class BrowserSettings(Section):
    """Pages whose browsers send spans to the edge, without a credential."""

    origins: tuple[Origin, ...] = Field(description="Origins of the pages.", min_length=1)


class TempoStore(Section):
    """A Tempo that is there already, in place of Jaeger."""

    otlp: HttpUrl = Field(
        description="Address at which it takes OTLP by HTTP, without /v1/traces.",
        examples=["http://tempo.example.com:4318"],
    )
    url: HttpUrl = Field(
        description="Address at which Grafana reaches it.", examples=["http://tempo.example.com:3200"]
    )


class TracesSettings(Section):
    """Spans by OTLP: where they arrive, which traces are kept, and where they are stored."""

    grpc_port: Port = Field(GRPC, description="Port of OTLP by gRPC, on this host and on every other.")
    http_port: Port = Field(HTTP, description="Port of OTLP by HTTP, on this host and on every other.")
    keep: Kept | None = Field(
        None,
        description="Share of the traces that are kept, besides those with an error and slow ones, which all are; "
        "default 100% in dev, 50% in staging, 10% in prod.",
    )
    slow: Duration = Field("2s", description="Duration of a span from which on its trace is slow.")
    spans_per_second: Rate = Field(
        1000,
        description="Spans a second that are kept of a system at most: of traces with an error and slow ones, and "
        "again as many of the others.",
    )
    browsers: BrowserSettings | None = Field(None, description="Spans of browsers, by the edge; none: not taken.")
    tempo: TempoStore | None = Field(None, description="A Tempo to store them in; none: the part `jaeger`.")
    memory_mb: MemoryMb = Field(256, description="Memory of the collector besides its own memoryMb, MiB.")

    def kept(self, environment: str) -> float:
        """Share of the traces without an error that are kept in an environment."""
        return {"dev": 1.0, "staging": 0.5}.get(environment, 0.1) if self.keep is None else self.keep


def _targets(_: Here[Any, Any]) -> list[Scraped]:
    """The collector, which has measured the spans of all hosts."""
    return [own(f"{COLLECTOR}:{MEASURED}")]


PART: Final = Part[None, Server](
    name=NAME,
    title="Traces: spans by OTLP.",
    profiles=FULL,
    active=lambda settings: settings is not None,
    needs=(COLLECTOR,),
    job=JOB,
    port=MEASURED,
    targets=_targets,
    rules=("traces", "service_graph"),
    panels={"obs-traces": {"Lost Spans": ("TracesRefused",)}},
    # A series has the `system` of its spans.
    scrape={"honor_labels": True},
)
"""Traces."""
