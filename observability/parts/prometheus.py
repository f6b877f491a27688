"""Prometheus: scrapes, evaluates rules, sends alerts."""

from typing import Final

from pydantic import Field, field_validator

from observability.core.section import Section
from observability.core.types import LONGEST_INTERVAL, Duration, MemoryMb, Port, seconds
from observability.parts.model import ALWAYS, NOBODY, Image, Kept, Loaded, Part, Server
from toolchain.gobuild import GoBuild
from toolchain.recipe import Recipe, stamps

PORT: Final = 9090
"""Port in the container."""


CUT_OFF: Final = "12h"
"""How long another host may be cut off without the loss of a sample: its agent keeps samples for that time, and the
stack takes samples of that age."""


class PrometheusSettings(Section):
    """The metrics server."""

    port: Port = Field(9090, description="Port on the host.")
    scrape_interval: Duration = Field("15s", description="How often targets are read; 1s to 1m.")
    evaluation_interval: Duration = Field("15s", description="How often rules are evaluated; 1s to 2m.")
    retention: Duration | None = Field(None, description="How long samples are kept; default 15d in dev, else 30d.")
    retention_size: str | None = Field(
        None, description="Most disk the samples may take, like 20GB; none: no limit.", pattern=r"^[1-9]\d*(MB|GB|TB)$"
    )
    exemplars: int = Field(
        100_000,
        ge=0,
        le=10_000_000,
        description="How many exemplars are kept in memory, about 100 bytes each; 0: none, and no panel shows any.",
    )
    memory_mb: MemoryMb = Field(512, description="Memory limit, MiB.")
    agent_memory_mb: MemoryMb = Field(192, description="Memory limit of the agent on each other host, MiB.")

    @field_validator("scrape_interval")
    @classmethod
    def _four_in_a_rate(cls, value: str) -> str:
        # Rates are over 5 minutes; with fewer than four samples one lost scrape is visible.
        if not 1 <= seconds(value) <= LONGEST_INTERVAL:
            raise ValueError("must be between 1s and 1m")
        return value

    @field_validator("evaluation_interval")
    @classmethod
    def _within_lookback(cls, value: str) -> str:
        # A series is stale after 5 minutes (Prometheus' default lookback); beyond 2m one lost scrape leaves a gap.
        if not 1 <= seconds(value) <= 120:
            raise ValueError("must be between 1s and 2m")
        return value


LOADED: Final = Loaded(
    file="prometheus.yaml",
    config="/api/v1/status/config",
    at=("data", "yaml"),
    added={
        "scheme": ("http",),
        "scrape_timeout": ("10s",),
        "scrape_interval": ("1m",),
        "evaluation_interval": ("1m",),
        "scrape_protocols": (
            ["OpenMetricsText1.0.0", "OpenMetricsText0.0.1", "PrometheusText1.0.0", "PrometheusText0.0.4"],
        ),
        "metric_name_validation_scheme": ("utf8",),
        "metric_name_escaping_scheme": ("allow-utf-8",),
        "metrics_path": ("/metrics",),
        "honor_timestamps": (True,),
        "follow_redirects": (True,),
        "enable_http2": (True,),
        "enable_compression": (True,),
        "type": ("Bearer",),
        "refresh_interval": ("30s", "5m"),
        # Of a relabelling.
        "separator": (";",),
        "regex": ("(.*)",),
        "replacement": ("$1",),
        "action": ("replace",),
        # Of Alertmanagers.
        "timeout": ("10s",),
        "api_version": ("v2",),
        "gogc": (75,),
        # Of a receiver by remote write.
        "metadata_config": ({"send": True, "send_interval": "1m", "max_samples_per_send": 2000},),
        "log_level": ("info",),
        "translation_strategy": ("UnderscoreEscapingWithSuffixes",),
        "label_name_underscore_sanitization": (True,),
        "label_name_preserve_multiple_underscores": (True,),
        # The window for late samples once more, in milliseconds.
        "outofordertimewindow": (round(seconds(CUT_OFF) * 1000),),
    },
    inherits="global",
    rules="/api/v1/rules",
    rule_files="rules/",
    values="/api/v1/query",
)
"""Its configuration and rules in use, by its API."""

PART: Final = Part[PrometheusSettings, Server](
    name="prometheus",
    title="The metrics server.",
    settings=PrometheusSettings,
    profiles=ALWAYS,
    essential=True,
    kept=Kept(
        owner=NOBODY,
        # The write-ahead logs hold what is in no block yet, also what chunks_head has.
        copied=("wal", "wbl"),
        left_out=("chunks_head", "*.tmp*", "lock", "queries.active"),
    ),
    loaded=LOADED,
    job="prometheus",
    port=PORT,
    images=(
        Image(
            name="prometheus",
            reference="prom/prometheus:v3.15.0",
            recipe=Recipe(
                repository="prom/prometheus",
                tag="v3.15.0",
                title="Prometheus",
                build=GoBuild(
                    name="prometheus",
                    module="github.com/prometheus/prometheus",
                    version="v0.315.0",
                    packages=("cmd/prometheus", "cmd/promtool"),
                    replaces={"cloud.google.com/go": "cloud.google.com/go v0.123.0"},
                    stamps=stamps("3.15.0"),
                    # Without `builtinassets`, which embeds the compiled pages that the module does not contain.
                    tags=("netgo",),
                    keep=("documentation/examples/prometheus.yml", "LICENSE", "NOTICE"),
                ),
                binaries={"/bin/prometheus": "prometheus", "/bin/promtool": "promtool"},
                files={
                    "/etc/prometheus/prometheus.yml": "documentation/examples/prometheus.yml",
                    "/LICENSE": "LICENSE",
                    "/NOTICE": "NOTICE",
                },
                owned={"/etc/prometheus": 0o755, "/prometheus": 0o775},
                workdir="/prometheus",
                entrypoint=("/bin/prometheus",),
                cmd=("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"),
                volumes=("/prometheus",),
                ports=("9090/tcp",),
                without="its web pages (the API is whole)",
            ),
        ),
    ),
)
