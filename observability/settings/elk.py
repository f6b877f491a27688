"""Checks of the section `elk` beyond its own, and what of it is watched as a server of the stack itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from observability.core.errors import ConfigError
from observability.core.naming import PLATFORM
from observability.parts import collector
from observability.parts.elasticsearch import ElasticsearchServer
from observability.parts.elk import API, ELASTICSEARCH, HTTP, LOGSTASH, NAME, SERVER_NAME
from observability.parts.probe import Probe
from observability.settings.model import Settings
from observability.settings.parts import runs
from observability.settings.systems import SystemSettings, system_settings_model


def check(source: str, settings: Settings) -> None:
    """ConfigError where the section does not fit the others; `source` is the prefix of errors."""
    own = settings.elk
    if own is None or not runs(settings, {}, NAME):
        return
    if own.collector and not runs(settings, {}, collector.NAME):
        raise ConfigError(
            f"{source}elk.collector: the collector, which sends lines, does not run here",
            "enable collector, loki and dockerProxy (profile full has them), or remove elk.collector",
        )
    if settings.grafana.data_sources.elasticsearch is not None:
        raise ConfigError(
            f"{source}grafana.dataSources.elasticsearch: elk is this data source already", "remove one of them"
        )
    if own.external is None:
        for key, name in (("elasticsearch", SERVER_NAME), ("probes", LOGSTASH)):
            for index, server in enumerate(settings.systems.get(PLATFORM, SystemSettings()).servers(key)):
                if server.name == name:
                    raise ConfigError(
                        f"{source}systems.{PLATFORM}.{key}[{index}].name: {name!r} is the server of elk",
                        "give it another name",
                    )


def certificates(settings: Settings) -> Iterator[tuple[str, str]]:
    """The setting and the path of the certificate of an external Elasticsearch's authority."""
    if settings.elk is not None and settings.elk.external is not None and settings.elk.external.ca is not None:
        yield "elk.external.ca", settings.elk.external.ca


def watched(settings: Settings, left_out: Mapping[str, str]) -> Settings:
    """The settings with Elasticsearch and a probe of Logstash among the servers of the stack itself.

    Without them where an image of the part is one of those that are left out; from either to the other.
    """
    if settings.elk is None:
        return settings
    ours: dict[str, tuple[Any, ...]] = {"probes": (_probe(),)}
    if settings.elk.external is None:
        ours["elasticsearch"] = (_server(),)
    there = runs(settings, left_out, NAME)
    own = settings.systems.get(PLATFORM) or system_settings_model()()
    changed = {
        key: (*(one for one in own.servers(key) if one not in servers), *(servers if there else ()))
        for key, servers in ours.items()
    }
    if all(changed[key] == tuple(own.servers(key)) for key in ours):
        return settings
    systems = {**settings.systems, PLATFORM: own.model_copy(update=changed)}
    return settings.model_copy(update={"systems": systems})


def _server() -> ElasticsearchServer:
    return ElasticsearchServer(name=SERVER_NAME, address=f"{ELASTICSEARCH}:{HTTP}", user="obs-exporter")


def _probe() -> Probe:
    # Not green where its pipeline takes lines and cannot pass them on for minutes. The report costs it some effort, so
    # it is not asked every 30 s.
    report = f"http://{LOGSTASH}:{API}/_health_report"
    return Probe(name=LOGSTASH, url=report, interval="1m", json_values={"status": "green"})
