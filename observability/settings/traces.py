"""Checks of the sections `traces` and `otlpMetrics`, beyond what they can check themselves."""

from collections.abc import Iterator

from observability.core.errors import ConfigError
from observability.parts import collector, jaeger, otlp_metrics
from observability.settings.model import Settings
from observability.settings.parts import runs


def check(source: str, settings: Settings) -> None:
    """ConfigError where spans or metrics could not be taken or stored; `source` is the prefix of errors."""
    _check_metrics(source, settings)
    own, store = settings.traces, settings.part(jaeger.NAME)
    if own is None:
        if store.enabled:
            raise ConfigError(
                f"{source}jaeger.enabled: no spans are taken that it could store", f"add {_key(source)}traces: {{}}"
            )
        _check_systems(source, settings)
        return
    if not runs(settings, {}, collector.NAME):
        raise ConfigError(
            f"{source}traces: the collector, which takes spans, does not run here",
            "enable collector, loki and dockerProxy (profile full has them), or remove traces",
        )
    if own.tempo is not None and store.enabled is not False:
        raise ConfigError(
            f"{source}traces.tempo: traces have one store, and jaeger runs too",
            f"add {_key(source)}jaeger: {{enabled: false}}, or remove traces.tempo",
        )
    if own.tempo is not None and settings.grafana.data_sources.tempo is not None:
        raise ConfigError(
            f"{source}grafana.dataSources.tempo: traces.tempo is this data source already", "remove one of them"
        )
    if own.browsers is not None and not runs(settings, {}, "edge"):
        raise ConfigError(
            f"{source}traces.browsers: browsers send to the edge, which this stack has not",
            f"add {_key(source)}edge: {{enabled: true, address: monitoring.example.com}}, or remove traces.browsers",
        )


def _check_metrics(source: str, settings: Settings) -> None:
    if settings.otlp_metrics is not None and not runs(settings, {}, collector.NAME):
        raise ConfigError(
            f"{source}otlpMetrics: the collector, which takes metrics, does not run here",
            "enable collector, loki and dockerProxy (profile full has them), or remove otlpMetrics",
        )
    if settings.otlp_metrics is None:
        for name, system in settings.systems.items():
            if system.otlp_metrics.model_fields_set:
                raise ConfigError(
                    f"{source}systems.{name}.otlpMetrics: no metrics are taken in this stack",
                    f"add {_key(source)}otlpMetrics: {{}}",
                )


def _key(source: str) -> str:
    """The prefix of a key, without the file."""
    return source.rpartition(" ")[2]


def _check_systems(source: str, settings: Settings) -> None:
    # The services of a system are also those of its metrics.
    of_metrics = {"services"} if runs(settings, {}, otlp_metrics.NAME) else set()
    for name, system in settings.systems.items():
        if system.traces.model_fields_set - of_metrics:
            raise ConfigError(
                f"{source}systems.{name}.traces: no spans are taken in this stack", f"add {_key(source)}traces: {{}}"
            )


def certificates(settings: Settings) -> Iterator[tuple[str, str]]:
    """The setting and the path of the certificate of a store's authority."""
    there = settings.part(jaeger.NAME).elasticsearch
    if there is not None and there.ca is not None:
        yield "jaeger.elasticsearch.ca", there.ca
