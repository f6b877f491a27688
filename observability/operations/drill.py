"""`obs drill`: restore a backup beside the running stack, ask both the same questions, and measure.

The scratch stack is a network, volumes and containers of other names, of the images that the stack runs. It scrapes
nothing, evaluates no rule and notifies nobody; its ports are free ones on loopback.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import docker
import httpx
import yaml
from docker.models.containers import Container
from docker.models.networks import Network

from components.loki import USER as LOKI_USER
from components.service import NOBODY, SECURITY_OPTIONS
from observability.core import http, naming
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.logs import loki
from observability.operations import backup
from observability.operations.backup import OnLine, Snapshot
from observability.operations.restore import Plan, Target
from observability.operations.restore import restore as put_back
from observability.parts import prometheus
from observability.scrape.backup import kept
from observability.settings.load import StackConfig

QUERIES: Final = 20
_OF_LINES: Final = 5
"""How many of them are for Loki, where it is backed up."""
SETTLED: Final = 60.0
"""Seconds before the backup at which the questions are asked: what came in late has arrived by then."""
WAIT: Final = 300.0
"""Seconds that a scratch server may take to read its log and be ready."""
_CONFIG: Final = "/etc/drill"

Server = Literal["prometheus", "loki"]
Answer = Mapping[str, str]
"""Value by the labels of its series."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A query, and the server that is asked."""

    server: Server
    query: str


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A question with both answers."""

    question: Question
    running: Answer
    restored: Answer

    @property
    def equal(self) -> bool:
        """Whether the answers are the same, and are answers at all."""
        return bool(self.running) and self.running == self.restored

    @property
    def difference(self) -> str:
        """What differs, for people; empty where nothing does."""
        if self.equal:
            return ""
        if not self.running:
            return "the running stack has no answer"
        missing = len(self.running.keys() - self.restored.keys())
        other = sum(1 for key, value in self.restored.items() if self.running.get(key) != value)
        return f"of {len(self.running)} series {missing} are missing and {other} differ"


@dataclass(kw_only=True)
class Result:
    """The result of a drill; times in seconds."""

    snapshot: Snapshot
    compared: list[Compared] = field(default_factory=list)
    backup_seconds: float = 0
    restore_seconds: float = 0
    """RTO: from the begin of the restore until both servers answered."""
    lost_seconds: float = 0
    """RPO of this backup: from the newest restored sample to the end of the backup."""

    @property
    def ok(self) -> bool:
        """Whether there were questions, and all answers are equal."""
        return bool(self.compared) and all(one.equal for one in self.compared)


def questions(jobs: Sequence[str], recorded: Sequence[str], lines: bool) -> list[Question]:
    """QUERIES questions, or as many as there are: lines by label, targets by job, recorded series spread evenly."""
    found = [Question(server="loki", query=query) for query in _of_lines()] if lines else []
    names = sorted(set(recorded))
    of_jobs = [f'up{{job="{job}"}}' for job in sorted(set(jobs))][: max(QUERIES // 4, QUERIES // 2 - len(found))]
    room = QUERIES - len(found) - len(of_jobs)
    step = max(len(names) / room, 1.0) if room else 1.0
    spread = [names[int(index * step)] for index in range(room) if int(index * step) < len(names)]
    found += [Question(server="prometheus", query=query) for query in (*of_jobs, *spread)]
    return found


def _of_lines() -> Iterator[str]:
    for label in ("system", "service", "container", "team", "level")[:_OF_LINES]:
        yield f'sum by ({label}) (count_over_time({{{loki.INDEXED[0]}=~".+"}}[15m]))'


def ask(url: str, question: Question, at: float) -> Answer:
    """The answer at a time, Unix seconds; httpx.HTTPError where there is none."""
    path = "/api/v1/query" if question.server == "prometheus" else "/loki/api/v1/query"
    found = http.get(f"{url}{path}", params={"query": question.query, "time": str(at)}, timeout=60, trust_env=False)
    found.raise_for_status()
    return read_answer(found.json())


def read_answer(document: Any) -> Answer:  # noqa: ANN401 - any JSON
    """The vector of a response."""
    rows = document["data"]["result"]
    return {
        ",".join(f"{name}={value}" for name, value in sorted(row["metric"].items())): str(row["value"][1])
        for row in rows
    }


def choose(url: str, *, lines: bool, at: float) -> list[Question]:
    """Questions that the running Prometheus has answers to at that time."""
    rules = http.get(f"{url}/api/v1/rules", params={"type": "record"}, timeout=60, trust_env=False)
    rules.raise_for_status()
    loaded = {rule["name"] for group in rules.json()["data"]["groups"] for rule in group["rules"]}
    named = ask(url, Question(server="prometheus", query='count by (__name__) ({__name__=~".+:.+"})'), at)
    recorded = [key.removeprefix("__name__=") for key in named]
    jobs = ask(url, Question(server="prometheus", query="count by (job) (up)"), at)
    return questions(
        [key.removeprefix("job=") for key in jobs if key], [name for name in recorded if name in loaded], lines
    )


@contextmanager
def scratch(target: Target, snapshot: Snapshot, on_line: OnLine) -> Iterator[Mapping[Server, str]]:
    """Addresses of servers with the data of the snapshot; all of it is removed in any case."""
    client, config = target.client, target.config
    found = kept(config)
    services: list[Server] = [
        "prometheus",
        *(("loki",) if "loki" in found and config.settings.loki.s3 is None else ()),
    ]
    remove(client, config.stack)
    with ExitStack() as held:
        held.callback(remove, client, config.stack)
        labels = {naming.LABEL_STACK: _name(config.stack), naming.LABEL_SERVICE: "drill"}
        network = client.networks.create(_name(config.stack), labels=labels)
        volumes: dict[str, str] = {service: f"{_name(config.stack)}-{service}" for service in services}
        for volume in volumes.values():
            client.volumes.create(volume, labels=labels)
        plan = Plan(services={service: found[service].owner for service in services}, state=False)
        with replace(target, volumes=volumes).container() as container:
            if put_back(container, snapshot, plan, on_line):
                raise ConfigError(
                    f"the snapshot {snapshot.id} could not be restored", "the lines above say what failed"
                )
        yield {service: _started(client, config, service, volumes[service], network) for service in services}


def _name(stack: str) -> str:
    return f"obs-{stack}-drill"


def remove(client: docker.DockerClient, stack: str) -> None:
    """Remove what a drill of the stack made."""
    label = f"{naming.LABEL_STACK}={_name(stack)}"
    for container in client.containers.list(all=True, filters={"label": label}, ignore_removed=True):
        container.remove(force=True, v=True)
    for volume in client.volumes.list(filters={"label": label}):
        volume.remove()
    for network in client.networks.list(filters={"label": label}):
        network.remove()


def _started(client: docker.DockerClient, config: StackConfig, service: Server, volume: str, network: Network) -> str:
    """Start a scratch server; returns its address once it is ready. ConfigError where it is not in time."""
    port, ready = {"prometheus": (prometheus.PORT, "/-/ready"), "loki": (loki.PORT, "/ready")}[service]
    data = {"prometheus": "/prometheus", "loki": loki.DATA}[service]
    files, command = files_of(config, service)
    made: Container = client.containers.create(
        config.settings.image(service),
        name=f"{_name(config.stack)}-{service}",
        command=command,
        user=LOKI_USER if service == "loki" else NOBODY,
        cap_drop=["ALL"],
        security_opt=list(SECURITY_OPTIONS),
        mem_limit=f"{config.settings.part(service).memory_mb}m",
        network=str(network.name),
        ports={f"{port}/tcp": ("127.0.0.1", 0)},
        volumes={volume: {"bind": data, "mode": "rw"}},
        labels={naming.LABEL_STACK: _name(config.stack), naming.LABEL_SERVICE: "drill"},
    )
    folder = _CONFIG.lstrip("/")
    made.put_archive("/", backup.packed({f"{folder}/{name}": text.encode() for name, text in files.items()}, 0o644))
    made.start()
    made.reload()
    published = made.attrs["NetworkSettings"]["Ports"][f"{port}/tcp"][0]["HostPort"]
    url = f"http://127.0.0.1:{published}"
    if not _wait(lambda: http.get(f"{url}{ready}", timeout=5, trust_env=False).is_success, WAIT):
        last = made.logs(tail=3).decode(errors="replace").strip()
        raise ConfigError(f"the restored {service} is not ready after {WAIT:.0f} s: {last}", "see the lines above")
    return url


def files_of(config: StackConfig, service: Server) -> tuple[dict[str, str], list[str]]:
    """The configuration of a scratch server, and its command: it only answers."""
    if service == "prometheus":
        command = [
            f"--config.file={_CONFIG}/prometheus.yaml",
            "--storage.tsdb.path=/prometheus",
            f"--storage.tsdb.retention.time={config.settings.retention}",
        ]
        return {"prometheus.yaml": "global: {}\n"}, command
    document = load_yaml(loki.files(config)["loki.yaml"])
    document.pop("ruler", None)
    # What the retention would remove is part of the answers.
    document["compactor"]["retention_enabled"] = False
    document["compactor"].pop("delete_request_store", None)
    return {"loki.yaml": yaml.safe_dump(document)}, [f"-config.file={_CONFIG}/loki.yaml"]


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return True
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    return False


def newest(url: str, at: float) -> float:
    """Time of the newest sample of a Prometheus at or before a time, Unix seconds; 0 where there is none."""
    found = ask(url, Question(server="prometheus", query="max(timestamp(up))"), at)
    return max(map(float, found.values()), default=0.0)


def compare(
    running: Mapping[Server, str], restored: Mapping[Server, str], asked: Sequence[Question], at: float
) -> list[Compared]:
    """Ask both; a server that does not answer has no answer."""

    def answer(urls: Mapping[Server, str], question: Question) -> Answer:
        try:
            return ask(urls[question.server], question, at)
        except (httpx.HTTPError, KeyError):
            return {}

    return [Compared(question=one, running=answer(running, one), restored=answer(restored, one)) for one in asked]
