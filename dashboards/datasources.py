"""Grafana's data sources, under uids that every panel can rely on, and the links between them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from observability.core.naming import ELASTICSEARCH
from observability.elk.source import source
from observability.logs.statements import KIND
from observability.parts import elk, jaeger
from observability.settings.grafana import CloudWatchSource, DataSourceSettings, ElasticsearchSource, SentrySource
from observability.settings.load import StackConfig
from observability.systems.spans import KINDS
from observability.traces.sampling import SYSTEM

PROMETHEUS: Final = "prometheus"
LOKI: Final = "loki"
ALERTMANAGER: Final = "alertmanager"
TEMPO: Final = "tempo"
JAEGER: Final = jaeger.NAME
CLOUDWATCH: Final = "cloudwatch"
SENTRY: Final = "grafana-sentry-datasource"
"""The plugin's id: Grafana's image has not got it."""

TRACE_ID: Final = "trace_id"
CORRELATION_ID: Final = "correlation_id"
"""Name of the trace and request ids in Loki's structured metadata, and of the trace id in an exemplar's labels."""


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """One data source; its uid is also its type in Grafana and the name of its service.

    `options` is Grafana's `jsonData`; `secrets` names, for each key of `secureJsonData`, the secret that it holds,
    and `beside_secrets` is the rest of that object.
    """

    uid: str
    title: str
    url: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    default: bool = False
    user: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    beside_secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def options_json(self) -> str:
        """The options as Grafana's `jsonData`; the same options give the same bytes."""
        return json.dumps(dict(self.options), sort_keys=True, separators=(",", ":"))


def data_sources(config: StackConfig) -> tuple[DataSource, ...]:
    """The data sources of a stack: by service name, or for an external Grafana by the host's published addresses."""
    settings = config.settings
    own = config.runs("grafana")

    def url(service: str, internal: int, published: int) -> str:
        return f"http://{service}:{internal}" if own else f"http://{settings.bind_address}:{published}"

    elsewhere = settings.grafana.data_sources
    stores = _trace_stores(config, url)
    traces = next((store.uid for store in stores), None)
    found = [
        DataSource(
            uid=PROMETHEUS,
            title="Prometheus",
            url=url("prometheus", 9090, settings.prometheus.port),
            options=_prometheus(settings.prometheus.scrape_interval, traces),
            default=True,
        ),
        DataSource(
            uid=ALERTMANAGER,
            title="Alertmanager",
            url=url("alertmanager", 9093, settings.alertmanager.port),
            options={"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
        ),
    ]
    if config.runs("loki"):
        options = {"maxLines": 1000, "derivedFields": _derived_fields(traces)}
        found.append(DataSource(uid=LOKI, title="Loki", url=url("loki", 3100, settings.loki.port), options=options))
    return (*found, *stores, *_own_lines(config, traces), *_elsewhere(elsewhere, traces))


def _own_lines(config: StackConfig, traces: str | None) -> list[DataSource]:
    """The lines in the Elasticsearch of the section `elk`."""
    named, settings = source(config), config.settings.elk
    if named is None or settings is None:
        return []
    external, found = settings.external, _elasticsearch(named, traces)
    secrets = {"basicAuthPassword": elk.EXTERNAL_PASSWORD if external else "elkGrafanaPassword"}
    options, beside = dict(found.options), dict[str, str]()
    if external is None:
        secrets["tlsCACert"] = elk.AUTHORITY
    elif external.ca:
        beside["tlsCACert"] = config.files[external.ca]
    if external is None or external.ca:
        options["tlsAuthWithCACert"] = True
    return [replace(found, options=options, secrets=secrets, beside_secrets=beside)]


def _trace_stores(config: StackConfig, url: Callable[[str, int, int], str]) -> list[DataSource]:
    """The stores of traces; links lead to the first."""
    settings, lines, found = config.settings, config.runs("loki"), []
    if config.runs(JAEGER):
        address = url(JAEGER, jaeger.PORT, settings.part(JAEGER).port)
        found.append(
            DataSource(uid=JAEGER, title="Jaeger", url=address, options=_of_traces(lines=lines, measured=True))
        )
    own = settings.traces.tempo if settings.traces else None
    tempo = own or settings.grafana.data_sources.tempo
    if tempo is not None:
        named = _of_traces(lines=lines, measured=own is not None, system=SYSTEM if own else "service.name")
        options = {**named, "serviceMap": {"datasourceUid": PROMETHEUS}}
        found.append(DataSource(uid=TEMPO, title="Tempo", url=tempo.url, options=options))
    return found


def _elsewhere(settings: DataSourceSettings, traces: str | None) -> list[DataSource]:
    """The external data sources; `traces`: uid of the store of traces."""
    found = []
    if settings.elasticsearch is not None:
        found.append(_elasticsearch(settings.elasticsearch, traces))
    if settings.cloudwatch is not None:
        found.append(_cloudwatch(settings.cloudwatch))
    if settings.sentry is not None:
        found.append(_sentry(settings.sentry))
    return found


def _prometheus(interval: str, traces: str | None) -> dict[str, Any]:
    """$__rate_interval is computed from the interval; an exemplar links to its trace."""
    options: dict[str, Any] = {"httpMethod": "POST", "timeInterval": interval}
    if traces:
        options["exemplarTraceIdDestinations"] = [{"name": TRACE_ID, "datasourceUid": traces}]
    return options


def _derived_fields(traces: str | None) -> list[dict[str, Any]]:
    """The links of a log line: to its trace, where there are traces, and to all lines of its request and its group."""
    same_request = _by_label(
        CORRELATION_ID, "All lines of this request", LOKI, f'{{stack=~".+"}} | {CORRELATION_ID}="${{__value.raw}}"'
    )
    same_error = _by_label(KIND, "All errors of this group", LOKI, f'{{stack=~".+"}} | {KIND}="${{__value.raw}}"')
    to_trace = [_by_label(TRACE_ID, "Trace", traces, "${__value.raw}")] if traces else []
    return [*to_trace, same_request, same_error]


def _by_label(label: str, title: str, source: str, query: str) -> dict[str, Any]:
    return {
        "name": title,
        "matcherType": "label",
        "matcherRegex": label,
        "url": query,
        "urlDisplayLabel": title,
        "datasourceUid": source,
    }


_RESPONSE_TIME: Final = (
    f"histogram_quantile(0.95, sum by (route, le) (rate({KINDS['http'].series}_bucket{{$__tags}}[$__rate_interval])))"
)


def _of_traces(*, lines: bool, measured: bool, system: str = SYSTEM) -> dict[str, Any]:
    """The links of a trace: to its system's metrics at that time, and to its log lines where the stack has logs.

    `system` is the attribute of a span that names the system; `measured`: whether spans are measured here.
    """
    options: dict[str, Any] = {
        "nodeGraph": {"enabled": True},
        "tracesToMetrics": {
            "datasourceUid": PROMETHEUS,
            "spanStartTimeShift": "-15m",
            "spanEndTimeShift": "15m",
            "tags": [{"key": system, "value": "system"}],
            "queries": [
                {"name": "Requests", "query": "app:http_requests:rate5m{$__tags}"},
                {"name": "Error share", "query": "app:http_errors:ratio_rate5m{$__tags}"},
                *([{"name": "Response time, with exemplars", "query": _RESPONSE_TIME}] if measured else []),
            ],
        },
    }
    if lines:
        options["tracesToLogsV2"] = {
            "datasourceUid": LOKI,
            "spanStartTimeShift": "-5m",
            "spanEndTimeShift": "5m",
            "customQuery": True,
            "query": f'{{stack=~".+"}} | {TRACE_ID}="${{__trace.traceId}}"',
        }
    return options


def _elasticsearch(source: ElasticsearchSource, traces: str | None) -> DataSource:
    """Logs in Elasticsearch; a line links to its trace where there are traces."""
    options: dict[str, Any] = {
        "index": source.index,
        "timeField": source.time_field,
        "logMessageField": source.message_field,
        "logLevelField": source.level_field,
        "maxConcurrentShardRequests": 5,
    }
    if source.index.startswith("["):
        options["interval"] = "Daily"
    if traces:
        options["dataLinks"] = [{"field": TRACE_ID, "url": "${__value.raw}", "datasourceUid": traces}]
    return DataSource(
        uid=ELASTICSEARCH,
        title="Elasticsearch",
        url=source.url,
        options=options,
        user=source.user,
        secrets={"basicAuthPassword": "grafanaElasticsearchPassword"} if source.user else {},
    )


def _cloudwatch(source: CloudWatchSource) -> DataSource:
    """Metrics and logs of AWS; without a key, with the permissions of the host."""
    options: dict[str, Any] = {
        "authType": "keys" if source.access_key else "default",
        "defaultRegion": source.region,
    }
    if source.assume_role:
        options["assumeRoleArn"] = source.assume_role
    if source.namespaces:
        options["customMetricsNamespaces"] = ",".join(source.namespaces)
    if source.log_groups:
        options["defaultLogGroups"] = list(source.log_groups)
    return DataSource(
        uid=CLOUDWATCH,
        title="CloudWatch",
        options=options,
        secrets={"secretKey": "grafanaCloudwatchSecretKey"} if source.access_key else {},
        beside_secrets={"accessKey": source.access_key} if source.access_key else {},
    )


def _sentry(source: SentrySource) -> DataSource:
    """Issues of Sentry."""
    return DataSource(
        uid=SENTRY,
        title="Sentry",
        options={"url": source.url, "orgSlug": source.organization},
        secrets={"authToken": "grafanaSentryToken"},
    )
