"""Lines from the containers to Loki, and what the exporters report."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from docker.models.containers import Container

from observability.core import http
from observability.core.naming import UNASSIGNED
from observability.logs.sources import LABEL_FORMAT, LABEL_SYSTEM
from observability.systems import load as system_files
from tests.live.conftest import DEMO, STACK, Project, until

pytestmark = pytest.mark.usefixtures("stack")


@contextmanager
def writer(stack: Project, labels: dict[str, str], program: str) -> Iterator[Container]:
    """A container that runs a Python program, with these Docker labels."""
    image = stack.client.containers.get(f"{DEMO.name}-app").attrs["Config"]["Image"]
    container = stack.client.containers.run(
        image,
        entrypoint=["/usr/bin/python3", "-u", "-c", program + "time.sleep(600)"],
        name=f"try-{uuid.uuid4().hex[:8]}",
        labels=labels,
        detach=True,
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def lines(selector: str, limit: int = 5000, start: int = 0) -> list[tuple[dict[str, str], int, str]]:
    """Labels, time and text of the lines of the last hour that a LogQL query selects, oldest first."""
    now = time.time_ns()
    params: dict[str, Any] = {"query": selector, "limit": limit, "direction": "forward"}
    params |= {"start": start or now - 3_600 * 10**9, "end": now}
    answer = http.get("http://127.0.0.1:13100/loki/api/v1/query_range", params=params, timeout=60)
    answer.raise_for_status()
    found = [
        (stream["stream"], int(value[0]), value[1])
        for stream in answer.json()["data"]["result"]
        for value in stream["values"]
    ]
    return sorted(found, key=lambda line: line[1])


def value(stack: Project, query: str) -> float | None:
    result = stack.prometheus("query", query=query)["result"]
    return float(result[0]["value"][1]) if result else None


def test_a_request_is_found_in_loki_by_its_correlation_id() -> None:
    mine = uuid.uuid4().hex
    headers = {"X-Correlation-ID": mine}
    assert http.get(f"{DEMO.shop_address}/api/products/1", headers=headers, timeout=60).status_code == 200
    labels, _, _ = until(partial(lines, f'{{service="app"}} | correlation_id="{mine}"'))[0]
    assert labels["system"] == "social-selling"
    assert labels["level"] == "info"
    assert labels["container"] == f"{DEMO.name}-app"


@pytest.mark.parametrize(
    "service", ["app", "nginx", "postgres", "redis", "redis-alawael", "prometheus", "alertmanager"]
)
def test_lines_of_every_kind_are_read_and_have_a_level(service: str) -> None:
    selector = f'{{service="{service}", level=~"debug|info|warning|error|critical"}} | parse_error=""'
    assert until(partial(lines, selector, 5))


@pytest.mark.parametrize("system", ["alawael", "erpgo", "neuroerp", "syncup"])
def test_the_lines_of_a_simulated_system_are_its_own(system: str) -> None:
    found = until(partial(lines, f'{{service="app", system="{system}"}}', 5))
    assert f'"system": "{system}"' in found[0][2]


def test_lines_have_the_team_of_their_system() -> None:
    for system in ("platform", "alawael", "erpgo", "social-selling"):
        found = until(partial(lines, f'{{system="{system}"}}', 50))
        team = "platform" if system == "platform" else system_files.load()[system].team
        assert {labels["team"] for labels, _, _ in found} == {team}


def test_a_container_that_nothing_selects_is_read_as_unassigned(stack: Project) -> None:
    mark = uuid.uuid4().hex
    with writer(stack, {}, f"import time\nprint('{mark}')\n") as stranger:
        found = until(partial(lines, f'{{container="{stranger.name}"}}'))
    assert [text for _, _, text in found] == [mark]
    labels, _, _ = found[0]
    assert (labels["system"], labels["team"], labels["service"]) == (UNASSIGNED, UNASSIGNED, stranger.name)
    assert labels["stack"] == STACK


def test_streams_have_few_labels() -> None:
    answer = http.get("http://127.0.0.1:13100/loki/api/v1/labels", timeout=60).json()
    assert set(answer["data"]) == {"container", "service", "stack", "system", "team", "level"}


def test_a_line_that_cannot_be_parsed_is_kept_marked_and_counted(stack: Project) -> None:
    mark = uuid.uuid4().hex
    said = {LABEL_SYSTEM: "social-selling", LABEL_FORMAT: "json"}
    with writer(stack, said, f"import time\nprint('not JSON {mark}')\n") as container:
        labels, _, text = until(partial(lines, f'{{container="{container.name}"}} |= "not JSON {mark}"'))[0]
        assert text == f"not JSON {mark}"
        assert labels["parse_error"] == "json"
        assert labels["level"] == "unknown"
        query = f'obs_collector_lines_unparsed_total{{container="{container.name}",system="social-selling"}}'
        until(lambda: value(stack, query) == 1)


def test_a_database_that_is_down_is_reported_by_its_exporter(stack: Project) -> None:
    database = stack.client.containers.get(f"{DEMO.name}-postgres")
    until(lambda: value(stack, "pg_up") == 1)
    database.stop()
    try:
        until(lambda: value(stack, "pg_up") == 0)
    finally:
        database.start()
    until(lambda: value(stack, "pg_up") == 1)


def test_a_changed_configuration_replaces_loki_and_keeps_its_lines(settled: Project) -> None:
    before = settled.client.containers.get(f"obs-{STACK}-loki").id
    old = until(partial(lines, '{service="prometheus"}', 1))
    settled.configure({"loki": {"retention": "240h"}})
    done = settled.obs("up", STACK)
    assert done.returncode == 0, done.stderr
    assert settled.client.containers.get(f"obs-{STACK}-loki").id != before
    config = http.get("http://127.0.0.1:13100/config", timeout=60).text
    assert "retention_period: 10d" in config
    assert until(partial(lines, '{service="prometheus"}', 1)) == old
