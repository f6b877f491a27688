"""Where Grafana's data come from, under uids that every panel may rely on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from config.load import StackConfig

PROMETHEUS: Final = "prometheus"
LOKI: Final = "loki"
ALERTMANAGER: Final = "alertmanager"


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """One data source; its uid is at once its type in Grafana and the name of the service behind it."""

    uid: str
    title: str
    url: str
    options: Mapping[str, Any] = field(default_factory=dict)
    default: bool = False

    @property
    def options_json(self) -> str:
        """The options as Grafana's `jsonData`, the same bytes every time."""
        return json.dumps(dict(self.options), sort_keys=True, separators=(",", ":"))


def data_sources(config: StackConfig) -> tuple[DataSource, ...]:
    """The data sources of a stack: by the services' own names, or as the host publishes them to another's Grafana."""
    settings = config.settings
    own = config.runs("grafana")

    def url(service: str, internal: int, published: int) -> str:
        return f"http://{service}:{internal}" if own else f"http://{settings.bind_address}:{published}"

    found = [
        DataSource(
            uid=PROMETHEUS,
            title="Prometheus",
            url=url("prometheus", 9090, settings.prometheus.port),
            # The interval is what $__rate_interval is reckoned from.
            options={"httpMethod": "POST", "timeInterval": settings.prometheus.scrape_interval},
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
        found.append(
            DataSource(uid=LOKI, title="Loki", url=url("loki", 3100, settings.loki.port), options={"maxLines": 1000})
        )
    return tuple(found)
