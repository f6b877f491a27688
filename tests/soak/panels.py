"""Every query of every panel, sent to a running stack as by Grafana, and a stack in which all panels have data."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from dashboards.datasources import LOKI
from dashboards.queries import Query, queries
from observability.core import http
from observability.core.naming import PROJECT
from observability.settings.load import StackConfig, validate
from tests.live.conftest import DEMO, SETTINGS, STACK, Project

SHOWN: Final = 3600
STEP: Final = 30
"""The time range shown, and the step, in seconds."""

DASHBOARDS: Final = frozenset({"grafana"})
"""Parts left out here still have dashboards whose queries are tested: any Grafana could show them."""

FAULTS: Final[Mapping[str, Sequence[str]]] = {
    "alawael": ("critical-error-rate",),
    "erpgo": ("critical-error-rate", "suspicious-activity"),
    "neuroerp": ("high-failure-rate",),
    "social-selling": ("critical-error-rate", "new-error-type"),
    "syncup": ("critical-error-rate",),
}
"""Faults that some panels wait for."""

NEWS_SECONDS: Final = 15
"""Seconds until the effect of a fault is recorded."""

PAUSED: Final = (f"{DEMO.name}-app", f"obs-{STACK}-node-exporter", f"obs-{STACK}-alertmanager")
"""Containers. When paused, they cause an alert for each system, for the host and for the stack itself."""

SLOT: Final = "panels"
PSQL: Final = ("psql", "-h", "/tmp", "-U", "postgres", "-tAc")  # noqa: S108 - the socket's folder in the container


def live_config(stack: Project | None = None) -> StackConfig:
    """The configuration of the live stack; the one with every part if none is given."""
    own = f"{PROJECT}:"
    values = {key.removeprefix(own): value for key, value in SETTINGS.items() if key.startswith(own)}
    known = stack.data / "left-out" / f"{STACK}.json" if stack else None
    left_out = json.loads(known.read_text(encoding="utf-8")) if known and known.is_file() else {}
    config = validate(STACK, values, frozenset(), complete=False)
    return config.without({name: why for name, why in left_out.items() if name not in DASHBOARDS})


def asked(config: StackConfig) -> Iterator[Query]:
    """The queries of the panels and variables; annotations for alerts are tested with the dashboards."""
    return (query for query in queries(config) if not query.owner.startswith("annotation "))


def answered(stack: Project, wanted: Iterable[Query]) -> set[Query]:
    """The queries that return data."""
    wanted = list(wanted)
    different = {(query.source, query.filled, query.instant) for query in wanted}
    with ThreadPoolExecutor(4) as pool:
        found = dict(zip(different, pool.map(lambda one: bool(_ask(stack, *one)), different), strict=True))
    return {query for query in wanted if found[query.source, query.filled, query.instant]}


def _ask(stack: Project, source: str, expr: str, instant: bool) -> Sequence[object]:
    now = time.time()
    params: dict[str, Any] = {"query": expr, "start": int(now - SHOWN), "end": int(now), "step": STEP}
    if source == LOKI:
        answer = http.get("http://127.0.0.1:13100/loki/api/v1/query_range", params={**params, "limit": 10}, timeout=30)
        answer.raise_for_status()
        return list(answer.json()["data"]["result"])
    if instant:
        return list(stack.prometheus("query", query=expr)["result"])
    return list(stack.prometheus("query_range", **{key: str(value) for key, value in params.items()})["result"])


@contextmanager
def disturbed(stack: Project, faults: Mapping[str, Sequence[str]] = FAULTS) -> Iterator[None]:
    """A stack with faults on and an unused replication slot, in which some parts have been paused for a while."""
    order = [(system, name) for system, names in faults.items() for name in names]
    database = stack.client.containers.get(f"{DEMO.name}-postgres")
    for system, name in order:
        switch(system, name, on=True)
    _sql(database, f"SELECT pg_create_physical_replication_slot('{SLOT}', true)")
    try:
        time.sleep(NEWS_SECONDS)
        for name in PAUSED:
            stack.client.containers.get(name).pause()
        yield
    finally:
        resume(stack)
        _sql(database, f"SELECT pg_drop_replication_slot('{SLOT}')")
        for system, name in order:
            switch(system, name, on=False)


def resume(stack: Project) -> None:
    """Unpause the paused parts."""
    for name in PAUSED:
        container = stack.client.containers.get(name)
        if container.status == "paused":
            container.unpause()


def switch(system: str, name: str, *, on: bool) -> None:
    """Switch a fault of the demo on for an hour, or off."""
    method, query = ("POST", "?for=1h") if on else ("DELETE", "")
    http.request(method, f"{DEMO.faults_address}/faults/{system}/{name}{query}", timeout=10).raise_for_status()


def _sql(database: Any, statement: str) -> None:  # noqa: ANN401 - docker has no types
    done = database.exec_run([*PSQL, statement])
    assert done.exit_code == 0, done.output.decode()
