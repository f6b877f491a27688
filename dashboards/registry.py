"""Every dashboard, and the JSON that is sent to Grafana."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

from dashboards import own, postgres
from dashboards.across import FOLDER
from dashboards.alerts import alerts
from dashboards.application import application
from dashboards.business import business
from dashboards.capacity import capacity
from dashboards.containers import containers
from dashboards.cost import cost
from dashboards.database import database
from dashboards.elasticsearch import elasticsearch
from dashboards.endpoints import endpoints
from dashboards.errors import errors
from dashboards.external_apis import external_apis
from dashboards.hosts import hosts
from dashboards.layout import link_runbooks
from dashboards.log_lines import logs
from dashboards.main_page import main_page
from dashboards.modules import modules
from dashboards.overview import overview
from dashboards.redis import redis
from dashboards.security import security
from dashboards.sentry import sentry
from dashboards.service_graph import service_graph
from dashboards.slos import slos
from dashboards.stack import stack
from dashboards.status import status
from dashboards.subject import Subject, subjects
from dashboards.traces import traces
from observability.core import project
from observability.core.errors import ConfigError
from observability.core.naming import PLATFORM
from observability.settings.load import StackConfig, once


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One dashboard: its folder, its uid and its JSON, in one line."""

    folder: str
    uid: str
    text: str
    source: Path | None = None
    """The source file of a project's page."""


def folders(config: StackConfig) -> Mapping[str, str]:
    """Title of every folder by its uid: one of the whole stack, and one per system that has dashboards."""
    titles = {FOLDER: "Observability", PLATFORM: "Platform"}
    titles |= {name: system.title for name, system in config.systems.items()}
    used = {entry.folder for entry in dashboards(config)}
    return {uid: title for uid, title in titles.items() if uid in used}


@once
def dashboards(config: StackConfig) -> tuple[Entry, ...]:
    """The dashboards of a stack, by folder; none where the stack has no Grafana."""
    return tuple(
        Entry(
            folder=folder,
            uid=str(made.uid),
            # Python indents far slower than it writes in one line.
            text=json.dumps(made, cls=JSONEncoder, sort_keys=True),
            source=source,
        )
        for folder, made, source in _made(config)
    )


def files(config: StackConfig) -> dict[str, str]:
    """Grafana's files: path → text."""
    return {f"dashboards/{entry.folder}/{entry.uid}.json": entry.text for entry in dashboards(config)}


def _made(config: StackConfig) -> Iterator[tuple[str, dashboard.Dashboard, Path | None]]:
    """Every dashboard with its folder and, for a project's page, its file; ConfigError where two have the same uid."""
    if config.grafana_url is None:
        return
    runbooks = config.settings.links.runbooks
    known: dict[str, Path | None] = {}
    for folder, made, source in (
        *((FOLDER, made, None) for made in _stack(config)),
        *((subject.name, made, None) for subject in subjects(config) for made in _of_system(subject)),
        *((folder, made, source) for folder, made, source in _own(config)),
    ):
        uid = str(made.uid)
        if source is not None and uid in known:
            other = known[uid]
            raise ConfigError(
                f"{project.shown(source)}: the uid {uid!r} is that of "
                f"{f'{project.shown(other)} too' if other else 'a built-in dashboard'}",
                "give the page another uid",
            )
        known[uid] = source
        if runbooks is not None:
            link_runbooks(made, None if folder == FOLDER else folder, runbooks)
        yield folder, made, source


def _own(config: StackConfig) -> Iterator[tuple[str, dashboard.Dashboard, Path]]:
    """The project's pages that apply to this stack."""
    for module in own.modules():
        if module.page.system is None or module.page.system in config.systems:
            yield module.page.folder, module.page.build(), module.path


def _stack(config: StackConfig) -> Iterator[dashboard.Dashboard]:
    """The dashboards across all systems, and of the stack itself."""
    yield overview(config)
    yield status()
    yield slos()
    yield alerts(config)
    if config.runs("loki"):
        yield logs(config)
        yield errors()
    if config.runs("traces"):
        yield traces(config)
        yield service_graph()
    if config.runs("blackbox-exporter"):
        yield endpoints()
    if config.runs("cadvisor"):
        yield containers()
    elsewhere = config.settings.grafana.data_sources
    if elsewhere.cloudwatch is not None:
        # Imported only where it is used: the SDK's part for it takes a tenth of the time of all imports of a command.
        from dashboards.cloudwatch import cloudwatch_dashboard

        yield cloudwatch_dashboard(elsewhere.cloudwatch)
    if elsewhere.sentry is not None:
        yield sentry(elsewhere.sentry)
    yield capacity(config)
    yield cost(config)
    yield stack(config)


def _of_system(subject: Subject) -> Iterator[dashboard.Dashboard]:
    """The dashboards of one system: those for which it has data."""
    found = (
        main_page(subject),
        application(subject),
        database(subject),
        postgres.details(subject),
        redis(subject),
        elasticsearch(subject),
        business(subject),
        security(subject),
        modules(subject),
        external_apis(subject),
        hosts(subject),
    )
    yield from (one for one in found if one is not None)
