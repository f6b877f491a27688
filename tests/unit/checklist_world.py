"""A running stack for the tests of the checklist, in which every answer is yes, and one in which each is no."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest

from dashboards.linked_rules import files
from dashboards.registry import dashboards
from observability.core.documents import load_yaml
from observability.core.naming import PLATFORM
from observability.operations import verify
from observability.operations.checklist.model import State
from observability.operations.checklist.watching import QUANTILES
from observability.operations.grafana import Grafana
from observability.operations.rows import Row
from observability.parts.registry import parts, stores
from observability.settings.load import ROOT, StackConfig
from observability.systems.model import SeriesSpec
from tests.unit.conftest import FULL, stack_config
from tests.unit.on_call_rota import ROTA
from tests.unit.servers_double import Doubles, serving

NOW: Final = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)

COUNTERS: Final = ("user_registrations_total", "products_created_total", "messages_sent_total")


def with_business(config: StackConfig) -> StackConfig:
    """The same stack where one system counts what no other question of the checklist is about."""
    name, system = next(iter(config.systems.items()))
    added = {one: SeriesSpec(kind="counter", help="Counted.") for one in COUNTERS}
    systems = {**config.systems, name: system.model_copy(update={"series": {**system.series, **added}})}
    return replace(config, systems=systems)


def settings(**values: Any) -> StackConfig:  # noqa: ANN401 - any settings
    """A stack that places a server of every kind and states everything that the checklist asks for."""
    notifications = {**FULL["notifications"], "onCall": {team: ["pager"] for team in ROTA["schedules"]}}
    # Without other hosts there is no edge, to which browsers send.
    given = {**FULL, "hosts": {}, "traces": {}, "onCall": ROTA, "notifications": notifications, **values}
    return with_business(stack_config("dev", given))


def series(**labels: str) -> dict[str, Any]:
    """A sample of 1."""
    return {"metric": labels, "value": [NOW.timestamp(), "1"]}


@dataclass
class World:
    """The stack's settings, the rows of `verify`, the servers, and the folders with documents."""

    config: StackConfig
    verified: Sequence[Row]
    servers: Doubles
    documents: Sequence[Path] = (ROOT,)
    folder: Path = ROOT / "no-such-folder"
    now: datetime = NOW
    grafana: bool = True

    @contextmanager
    def state(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[State]:
        """The state as the command reads it, from servers that respond over HTTP."""
        with serving(self.servers) as places:
            (address,) = places["prometheus"]
            known = dict.fromkeys(("prometheus", "alertmanager", "loki", "grafana"), address)
            monkeypatch.setattr(StackConfig, "addresses", known)
            subject = verify.Subject(config=self.config, declared=[], client=None)  # type: ignore[arg-type]
            yield State(
                config=self.config,
                verified=self.verified,
                get=subject.get,
                grafana=Grafana(url=address, auth="admin:secret") if self.grafana else None,
                documents=self.documents,
                folder=self.folder,
                now=self.now,
            )


def subjects(config: StackConfig) -> list[dict[str, Any]]:
    """A series for everything that a question is about: systems, percentiles, servers, hosts, receivers."""
    found = [series(system=name, quantile=one, level="error") for name, one in product(config.systems, QUANTILES)]
    found += (series(system=name) for name in (*config.systems, PLATFORM))
    for job in stores():
        part = next(part for part in parts().values() if part.store and part.store.job == job)
        found += (series(system=one.system, instance=one.server.instance) for one in config.servers(part.name))
    found += (series(instance=name) for name in ("docker-host", "app-1"))
    kinds = {receiver.channel.counter for receiver in config.notifications.receivers.values()}
    return [*found, *(series(integration=kind) for kind in kinds)]


def rules(config: StackConfig) -> dict[str, Any]:
    """The declared rules, as Prometheus lists those that it has loaded."""
    groups = [
        {
            "name": group["name"],
            "rules": [
                {
                    "type": "alerting" if "alert" in rule else "recording",
                    "name": rule.get("alert") or rule["record"],
                    "query": rule["expr"],
                    "labels": rule.get("labels") or {},
                    "health": "ok",
                }
                for rule in group["rules"]
            ],
        }
        for text in files(config).values()
        for group in load_yaml(text)["groups"]
    ]
    return {"data": {"groups": groups}}


CHECKS: Final = (
    "rules in use by prometheus",
    "rules in use by loki",
    "rules signals-depot",
    "constant series in prometheus",
    "configuration in use by alertmanager",
    "configuration in use by loki",
    "lines in Loki",
    "messages are accepted",
    "Grafana: public status page",
)
"""Rows of `verify` that answers are read from, besides those of dashboards."""


def rows(config: StackConfig, *, ok: bool) -> list[Row]:
    """The rows of `verify`, all with one verdict."""
    names = [*CHECKS, *(f"Grafana: dashboard {entry.uid}" for entry in dashboards(config))]
    return [Row.of(check=name, ok=ok, detail="as declared" if ok else "differs") for name in names]


def complete() -> World:
    """Everything is as the checklist asks."""
    config = settings()
    every = subjects(config)
    servers = Doubles(
        results={
            "sum_over_time((count(ALERTS": [series()],
            "max by (alertname, system) (count_over_time(": [],
            "": every,
        },
        documents={
            "/api/v1/rules": rules(config),
            "/config": "limits_config: {retention_period: 336h}\ncompactor: {retention_enabled: true}\n",
            "/api/health": {"database": "ok"},
            "/api/org/users": [{"login": "admin"}, {"login": "anna"}],
            **{
                f"/api/dashboards/uid/{entry.uid}": {
                    "dashboard": load_yaml(entry.text),
                    "meta": {"updated": "2026-03-01T10:00:00Z"},
                }
                for entry in dashboards(config)
            },
        },
        streams=[{"stream": {"system": "depot"}, "values": [["1", "a line"]]}],
    )
    return World(config=config, verified=rows(config, ok=True), servers=servers)


def empty(folder: Path) -> World:
    """The same systems, hosts and servers, and nothing of them has arrived; `folder` is one without documents."""
    config = settings(onCall={}, notifications={}, grafana={"publicStatus": False})
    servers = Doubles(
        documents={
            "/api/v1/rules": {"data": {"groups": []}},
            "/config": "limits_config: {}\n",
            "/api/health": {"database": "ok"},
            "/api/org/users": [{"login": "admin"}],
            **{
                f"/api/dashboards/uid/{entry.uid}": {"dashboard": {"uid": entry.uid, "panels": []}}
                for entry in dashboards(config)
            },
        },
    )
    return World(config=config, verified=rows(config, ok=False), servers=servers, documents=(folder,))
