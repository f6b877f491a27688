"""Real servers: backed up while they write, restored beside themselves and over themselves, and asked the same."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import docker
import pytest
from docker.models.containers import Container

from components.loki import USER as LOKI_USER
from components.service import NOBODY
from observability.core import naming
from observability.logs import loki
from observability.operations import backup, drill
from observability.operations.restore import Plan, Target, make_volumes, restore, users
from observability.parts.backup import PASSWORD, script
from observability.parts.images import PINS
from observability.settings.load import StackConfig, validate
from tests.http import HTTP
from tests.ports import free_port
from tests.waits import until

STACK: Final = "drilltest"
CONFIG: Final = """\
global: {scrape_interval: 1s, evaluation_interval: 1s}
scrape_configs:
  - job_name: prometheus
    static_configs: [{targets: ["127.0.0.1:9090"]}]
rule_files: [/etc/test/rules.yaml]
"""
RULES: Final = """\
groups:
  - name: test
    rules:
      - {record: "job:samples:rate", expr: "sum by (job) (rate(prometheus_tsdb_head_samples_appended_total[10s]))"}
      - {record: "job:up:sum", expr: "sum by (job) (up)"}
"""


def config(repository: Path, *, lines: bool) -> StackConfig:
    values = {
        "environment": "dev",
        "profile": "minimal",
        "loki": {"enabled": lines},
        "backup": {"repository": str(repository)},
    }
    return validate(STACK, values, frozenset({PASSWORD}))


@pytest.fixture(params=[False])
def target(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Target]:
    """The volumes of a stack, with Loki's where a test says so, and where they are restored."""
    client = docker.from_env()
    volumes = make_volumes(client, STACK, ["prometheus", *(["loki"] if request.param else [])])
    try:
        yield Target(
            client=client,
            config=config(tmp_path / "repository", lines=request.param),
            secrets={PASSWORD: "s"},
            volumes=volumes,
        )
    finally:
        for name in volumes.values():
            client.volumes.get(name).remove(force=True)


@contextmanager
def prometheus(target: Target, root: Path) -> Iterator[tuple[Container, str]]:
    """The stack's Prometheus, and its address."""
    for name, text in (("prometheus.yaml", CONFIG), ("rules.yaml", RULES)):
        (root / name).write_text(text)
    port = free_port()
    made = target.client.containers.create(
        PINS["prometheus"],
        ["--config.file=/etc/test/prometheus.yaml", "--storage.tsdb.path=/prometheus"],
        name=naming.container(STACK, "prometheus"),
        user=NOBODY,
        ports={"9090/tcp": ("127.0.0.1", port)},
        volumes={
            str(root): {"bind": "/etc/test", "mode": "ro"},
            target.volumes["prometheus"]: {"bind": "/prometheus", "mode": "rw"},
        },
    )
    try:
        made.start()
        url = f"http://127.0.0.1:{port}"
        until(lambda: HTTP.get(f"{url}/-/ready").is_success)
        yield made, url
    finally:
        print(made.logs().decode()[-3000:])  # noqa: T201 - shown by pytest where a test fails
        made.remove(force=True, v=True)


def back_up(target: Target) -> backup.Snapshot:
    said: list[str] = []
    with target.container() as container:
        assert backup.execute(container, list(script("now")), said.append) == 0, said
        return backup.listed(container)[-1]


def test_a_prometheus_that_writes_is_backed_up_and_answers_the_same(target: Target, tmp_path: Path) -> None:
    root = tmp_path / "config"
    root.mkdir()
    root.chmod(0o755)
    tmp_path.chmod(0o755)
    with prometheus(target, root) as (program, url):
        rate = drill.Question(server="prometheus", query="job:samples:rate")
        until(lambda: drill.ask(url, rate, time.time()))
        time.sleep(5)
        at = time.time() - 2
        snapshot = back_up(target)
        made = time.time()
        asked = drill.choose(url, lines=False, at=at)
        assert [one.query for one in asked] == ['up{job="prometheus"}', "job:samples:rate", "job:up:sum"]
        said: list[str] = []
        with drill.scratch(target, snapshot, said.append) as restored:
            compared = drill.compare({"prometheus": url}, restored, asked, at)
            newest = drill.newest(restored["prometheus"], made)
        assert [one.difference for one in compared] == ["", "", ""]
        # The write-ahead log is part of the backup: what is not in a block yet is not lost.
        assert at <= newest <= made
        before = drill.ask(url, rate, at)
        (running,) = users(target.client, STACK, ["prometheus"])
        assert running.name == program.name
    label = f"{naming.LABEL_STACK}=obs-{STACK}-drill"
    assert not target.client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
    assert not target.client.volumes.list(filters={"label": label})
    assert not target.client.networks.list(filters={"label": label})
    # Over itself, once its log is damaged.
    with target.container() as container:
        assert backup.execute(container, ["sh", "-c", "rm -rf /volumes/prometheus/*"], print) == 0
        plan = Plan(services={"prometheus": NOBODY}, state=False)
        assert restore(container, snapshot, plan, said.append) == 0, said
    with prometheus(target, root) as (_, url):
        assert drill.ask(url, rate, at) == before
        until(lambda: drill.ask(url, rate, time.time()))


@contextmanager
def loki_server(target: Target) -> Iterator[str]:
    """The stack's Loki, and its address."""
    files, command = drill.files_of(target.config, "loki")
    port = free_port()
    made = target.client.containers.create(
        PINS["loki"],
        command,
        name=naming.container(STACK, "loki"),
        user=LOKI_USER,
        ports={f"{loki.PORT}/tcp": ("127.0.0.1", port)},
        volumes={target.volumes["loki"]: {"bind": loki.DATA, "mode": "rw"}},
    )
    try:
        texts = {f"etc/drill/{name}": text.encode() for name, text in files.items()}
        made.put_archive("/", backup.packed(texts, 0o644))
        made.start()
        url = f"http://127.0.0.1:{port}"
        until(lambda: HTTP.get(f"{url}/ready").is_success)
        yield url
    finally:
        print(made.logs().decode()[-3000:])  # noqa: T201 - shown by pytest where a test fails
        made.remove(force=True, v=True)


def push(url: str, service: str, flush: bool) -> None:
    """Store ten lines; with `flush` as a chunk, else they are in the log alone."""
    now = time.time_ns()
    stream = {"container": "shop-1", "service": service, "system": "shop"}
    values = [[str(now - 1000 + number), f"line {number}"] for number in range(10)]
    body = {"streams": [{"stream": stream, "values": values}]}
    assert HTTP.post(f"{url}/loki/api/v1/push", json=body).status_code == 204
    if flush:
        assert HTTP.post(f"{url}/flush").is_success


@pytest.mark.parametrize("target", [True], indirect=True, ids=["lines"])
def test_lines_in_chunks_and_lines_in_the_log_alone_are_backed_up(target: Target) -> None:
    with loki_server(target) as url:
        push(url, "flushed", flush=True)
        push(url, "fresh", flush=False)
        asked = [one for one in drill.questions([], [], True) if one.server == "loki"]
        by_service = next(one for one in asked if "by (service)" in one.query)
        until(lambda: len(drill.ask(url, by_service, time.time())) == 2)
        at = time.time()
        snapshot = back_up(target)
        with drill.scratch(target, snapshot, print) as restored:
            compared = drill.compare({"loki": url}, restored, asked, at)
    assert [one.difference for one in compared] == [""] * 5
    (services,) = (one.restored for one in compared if one.question == by_service)
    assert services == {"service=flushed": "10", "service=fresh": "10"}
