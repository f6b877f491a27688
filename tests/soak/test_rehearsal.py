"""The rehearsal: Pulumi.prod.yaml with other addresses, on containers that no stack created, watched as in production.

Only addresses of the file are changed: those of the systems, hosts and data stores, the host's ports, and the
stack's own network. Every target is up, every rule file loaded, every declared data store's alert raised by stopping
that store, nothing else fires, and the first row of every dashboard has data.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import docker
import pytest
import yaml

from dashboards.datasources import LOKI
from dashboards.queries import Query, of_dashboard
from dashboards.registry import dashboards
from demo.tenant.compose import load
from demo.tenant.containers import Containers
from demo.tenant.images import RECIPES, app_image
from observability.core import http
from observability.core.documents import load_yaml
from observability.core.naming import LABEL_SERVICE, LABEL_STACK
from observability.parts.images import PINS
from observability.settings.load import ROOT, StackConfig, from_file, stack_secrets
from tests.in_use import refuse_if_in_use
from tests.live.project import Project, copied
from tests.waits import until
from toolchain.obtain import ensure_images

STACK: Final = "rehearsal"
HERE: Final = Path(__file__).parent / "rehearsal"
GATEWAY: Final = "172.30.95.1"
SUBNET: Final = "172.30.95.0/24"
PASSWORD: Final = "a-password-of-the-rehearsal"  # noqa: S105 - of containers that end with the test

_PORTS: Final = {"social-selling": 3000, "neuroerp": 3001, "alawael": 3002, "syncup": 3003}
_HOSTS: Final = (
    *("alawael-1", "alawael-2", "erpgo-1", "erpgo-2", "neuroerp-1"),
    *("social-selling-1", "social-selling-2", "syncup-1", "syncup-2"),
)

ADDRESSES: Final[dict[str, str]] = {
    **{f"{name}-1.example.com:3000": f"{GATEWAY}:{port}" for name, port in _PORTS.items()},
    # It has one instance.
    **{
        f"{name}-2.example.com:3000": f"{GATEWAY}:{port + 1000}" for name, port in _PORTS.items() if name != "neuroerp"
    },
    "erpgo-1.example.com:8080": f"{GATEWAY}:8080",
    "erpgo-2.example.com:8080": f"{GATEWAY}:9080",
    **{f"{name}.example.com:9100": f"{GATEWAY}:{9101 + index}" for index, name in enumerate(_HOSTS)},
    "erpgo-postgres.example.com:5432": f"{GATEWAY}:5432",
    "social-selling-postgres.example.com:5432": f"{GATEWAY}:5433",
    "syncup-postgres.example.com:5432": f"{GATEWAY}:5434",
    "alawael-redis.example.com:6379": f"{GATEWAY}:6379",
    "erpgo-redis.example.com:6379": f"{GATEWAY}:6380",
    "social-selling-redis.example.com:6379": f"{GATEWAY}:6381",
    "syncup-redis.example.com:6379": f"{GATEWAY}:6382",
    "alawael-mongodb.example.com:27017": f"{GATEWAY}:27017",
    "social-selling-web.example.com:8081": f"{GATEWAY}:8081",
    "https://social-selling.example.com/health": f"http://{GATEWAY}/health",
    "https://api.erpgo.example.com/health": f"http://{GATEWAY}:9080/health",
    **{
        f"https://api.{name}.example.com/": f"http://{GATEWAY}:{port}{path}"
        for name, port, path in (
            ("alawael", 4002, "/metrics"),
            ("neuroerp", 3001, "/metrics?api"),
            ("syncup", 4003, "/api/metrics"),
        )
    },
    **{
        f"https://{name}.example.com/": f"http://{GATEWAY}:{port}/health"
        for name, port in {"social-selling": 3000, "erpgo": 8080}.items()
    },
    **{
        f"https://{name}.example.com/": f"http://{GATEWAY}:{port}{path}"
        for name, port, path in (
            ("alawael", 3002, "/metrics"),
            ("neuroerp", 3001, "/metrics"),
            ("syncup", 3003, "/api/metrics"),
        )
    },
}
"""Address in Pulumi.prod.yaml → address of the rehearsal's container for it."""

OWN: Final[dict[str, dict[str, Any]]] = {
    "observability:network": {"subnet": "172.30.94.0/24"},
    "observability:prometheus": {"port": 19190},
    "observability:alertmanager": {"port": 19193},
    "observability:nodeExporter": {"port": 19200},
    "observability:loki": {"port": 13200},
    "observability:grafana": {"port": 13201},
}
"""Addresses of the stack itself, so that it can run next to others."""

STORES: Final[dict[str, tuple[str, str]]] = {
    "alawael-mongodb": ("DatabaseDown", "alawael"),
    "erpgo-postgres": ("DatabaseDown", "erpgo"),
    "social-selling-postgres": ("DatabaseDown", "social-selling"),
    "syncup-postgres": ("DatabaseDown", "syncup"),
    "alawael-redis": ("RedisDown", "alawael"),
    "erpgo-redis": ("RedisDown", "erpgo"),
    "social-selling-redis": ("RedisDown", "social-selling"),
    "syncup-redis": ("RedisDown", "syncup"),
    "nginx": ("NginxDown", "social-selling"),
}
"""Container of every data store and proxy that the systems declare → the alert for it, and the system."""


OTHERS: Final = 'alertstate="firing",condition!~"load|cpu_usage|notifications"'
"""Alerts except those on the load of the machine, which the test causes, and on messages, which leave the machine."""

WITHOUT_DATA: Final[dict[str, str]] = {
    "probe_ssl_earliest_cert_expiry": "the addresses that stand for the pages have no TLS",
    "prometheus_tsdb_compaction_chunk": "Prometheus first compacts after two hours",
    "redis_keyspace_hits_total": "no application asks the caches that stand for production's",
    "app:http_errors_by_route:rate5m": "no route fails",
}
"""Series of a first row that return nothing while everything is healthy, and why."""


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """The stack, its configuration, and the containers it watches."""

    project: Project
    config: StackConfig
    client: docker.DockerClient

    def prometheus(self, path: str, **params: str) -> Any:  # noqa: ANN401 - whatever the API answers
        """The data of a response of the stack's Prometheus."""
        answer = http.get(f"http://127.0.0.1:19190/api/v1/{path}", params=params, timeout=60)
        answer.raise_for_status()
        return answer.json()["data"]

    def old(self, seconds: float) -> bool:
        """Whether Prometheus has run for so long."""
        found = self.value("time() - process_start_time_seconds{job='prometheus'}")
        return bool(found) and float(found[0]["value"][1]) > seconds

    def all_are_one(self, series: str) -> bool:
        """Whether a series exists, and is 1 everywhere."""
        return bool(self.value(series)) and not self.value(f"{series} == 0")

    def value(self, query: str) -> list[dict[str, Any]]:
        """The samples of an instant query."""
        found: list[dict[str, Any]] = self.prometheus("query", query=query)["result"]
        return found


def rehearsed() -> dict[str, Any]:
    """Pulumi.prod.yaml with every address of a system replaced, and the addresses of the stack itself."""
    text = (ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    for address in sorted(ADDRESSES, key=len, reverse=True):
        assert address in text, f"Pulumi.prod.yaml no longer names {address}"
        text = text.replace(address, ADDRESSES[address])
    document: dict[str, Any] = load_yaml(text)
    systems = yaml.safe_dump(document["config"]["observability:systems"])
    assert "example.com" not in systems, "an address of a system is left that no container stands for"
    for key, values in OWN.items():
        document["config"][key] = {**document["config"].get(key, {}), **values}
    document["config"]["observability:environment"] = "prod"
    return document


def secrets(config: StackConfig) -> dict[str, str]:
    """A value for every missing secret of prod: passwords, and addresses of the replacements of external services."""
    outside = f"http://{GATEWAY}:8000/ping/rehearsal"
    return {name: outside if name.endswith("Url") else PASSWORD for name in config.missing}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Passwords, and the key and certificate of the PostgreSQL servers."""
    folder = tmp_path_factory.mktemp("rehearsal-files")
    for name in ("app-password", "monitoring-password"):
        (folder / name).write_text(PASSWORD)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=rehearsal"),
            *("-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture(scope="module")
def containers(files: Path) -> Iterator[docker.DockerClient]:
    """The containers that represent production, healthy; none of them has a label of a stack."""
    variables = {
        "SUBNET": SUBNET,
        "GATEWAY": GATEWAY,
        "FILES": str(files),
        "APP_IMAGE": app_image(),
        "HOST_IMAGE": PINS["node-exporter"],
    }
    compose = load(HERE / "compose.yaml", variables)
    images = {service.image: name for name, service in compose.services.items()}
    known = {**{name: RECIPES["postgres"] for name in images.values() if name.endswith("postgres")}}
    known |= {name: RECIPES["redis"] for name in images.values() if name.endswith(("redis", "cache"))}
    known |= {images[app_image()]: RECIPES["app"], "nginx": RECIPES["nginx"]}
    wanted = {name: image for image, name in images.items() if image != PINS["node-exporter"]}
    client, left_out = ensure_images(wanted, known)
    assert not left_out
    refuse_if_in_use(client, STACK)
    made = Containers(client, compose, HERE, files)
    made.down(volumes=True)
    try:
        made.up()
        yield client
    finally:
        made.down(volumes=True)


@pytest.fixture(scope="module")
def rehearsal(containers: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """The stack of prod, up; it and its data are removed at the end."""
    project = copied(tmp_path_factory.mktemp("rehearsal"), STACK, {})
    (project.root / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump(rehearsed()))
    for name, value in secrets(from_file(STACK, project.root, complete=False)).items():
        stored = project.obs("secret", "set", name, STACK, stdin=value)
        assert stored.returncode == 0, stored.stderr
    try:
        done = project.obs("up", STACK)
        assert done.returncode == 0, done.stdout + done.stderr
        left_out = json.loads((project.data / "left-out" / f"{STACK}.json").read_text())
        known = frozenset(stack_secrets(STACK, project.root))
        config = from_file(STACK, project.root, known, complete=False).without(left_out)
        yield Rehearsal(project=project, config=config, client=containers)
    finally:
        project.obs("down", STACK, "--volumes", "--yes")


def test_only_addresses_of_prod_are_replaced() -> None:
    prod = load_yaml((ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))["config"]
    other = rehearsed()["config"]
    assert other.keys() - prod.keys() <= {*OWN, "observability:environment"}
    for key in prod.keys() - {"observability:systems", *OWN}:
        assert other[key] == prod[key]
    systems = prod["observability:systems"]
    assert {name: own.keys() for name, own in systems.items()} == {
        name: own.keys() for name, own in other["observability:systems"].items()
    }


def test_every_store_that_a_system_declares_has_a_container(rehearsal: Rehearsal) -> None:
    declared = {
        (name, what)
        for name, system in rehearsal.config.systems.items()
        for what in system.exporters
        if what != "node"
    }
    kinds = {"DatabaseDown": ("postgres", "mongodb"), "RedisDown": ("redis",), "NginxDown": ("nginx",)}
    stood_for = {(system, kind) for alert, system in STORES.values() for kind in kinds[alert]}
    assert declared <= stood_for
    assert not rehearsal.config.unplaced


def test_no_container_of_production_has_a_label_of_a_stack(rehearsal: Rehearsal) -> None:
    found = rehearsal.client.containers.list(
        filters={"label": "com.docker.compose.project=rehearsal"}, ignore_removed=True
    )
    assert len(found) > len(STORES)
    assert not [label for one in found for label in one.labels if label in (LABEL_STACK, LABEL_SERVICE)]


def test_every_target_is_up(rehearsal: Rehearsal) -> None:
    def down() -> list[str]:
        active = rehearsal.prometheus("targets", state="active")["activeTargets"]
        return [
            f"{one['labels']['job']} {one['labels']['instance']}: {one['lastError']}"
            for one in active
            if one["health"] != "up"
        ]

    until(lambda: not down())
    jobs = {one["labels"]["job"] for one in rehearsal.prometheus("targets", state="active")["activeTargets"]}
    assert {"backend", "syncup-api", "node", "postgres", "redis", "mongodb", "nginx", "blackbox"} <= jobs


def test_every_store_and_page_is_reached(rehearsal: Rehearsal) -> None:
    for series in ("pg_up", "redis_up", "mongodb_up", "nginx_up", "probe_success"):
        until(partial(rehearsal.all_are_one, series))


def test_every_rule_file_is_loaded_and_healthy(rehearsal: Rehearsal) -> None:
    out = rehearsal.project.root.parent / "synth"
    done = rehearsal.project.obs("synth", STACK, "--out", str(out))
    assert done.returncode == 0, done.stderr
    written = {path.name for path in (out / "prometheus/rules").glob("*.yaml")}
    groups = rehearsal.prometheus("rules")["groups"]
    loaded = {Path(group["file"]).name for group in groups}
    left_out = {"container.yaml", "grafana.yaml"}
    assert written - left_out <= loaded
    assert not [rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "err"]


def test_nothing_fires_while_everything_is_healthy(rehearsal: Rehearsal) -> None:
    until(lambda: not rehearsal.value(f'ALERTS{{{OTHERS},alertname!~"Watchdog|RecentlyCritical"}}'))
    # Longer than the longest wait of a critical alert.
    until(lambda: rehearsal.old(420))
    fired = rehearsal.value(f"count by (alertname, system) (max_over_time(ALERTS{{{OTHERS}}}[2m]))")
    names = {sample["metric"]["alertname"] for sample in fired}
    assert names - {"RecentlyCritical"} == {"Watchdog"}, fired


def test_the_first_row_of_every_dashboard_has_data(rehearsal: Rehearsal) -> None:
    wanted = list(first_rows(rehearsal))
    assert {query.dashboard.partition("-")[0] for query in wanted} >= {"obs", "alawael", "erpgo", "neuroerp", "syncup"}

    def empty() -> list[str]:
        return [f"{one.dashboard}: {one.owner}: {one.filled}" for one in wanted if not rehearsal.value(one.filled)]

    until(lambda: not empty() or rehearsal.old(900))
    assert not empty()


def first_rows(rehearsal: Rehearsal) -> Iterator[Query]:
    """The queries of Prometheus in the first row of each dashboard; lists of alerts are empty if all is healthy."""
    config = rehearsal.config
    shown = config.without({name: why for name, why in config.left_out.items() if name != "grafana"})
    for entry in dashboards(shown):
        document = json.loads(entry.text)
        rows = [index for index, panel in enumerate(document["panels"]) if panel["type"] == "row"]
        first = document["panels"][: rows[1]] if len(rows) > 1 else document["panels"]
        for query in of_dashboard({**document, "panels": first, "annotations": {"list": []}}):
            about_alerts = "ALERTS" in query.expr or query.owner.startswith("variable ")
            silent = any(series in query.expr for series in WITHOUT_DATA)
            if query.source != LOKI and not about_alerts and not silent:
                yield query


@pytest.mark.parametrize("container", sorted(STORES))
def test_stopping_a_store_raises_its_alert(rehearsal: Rehearsal, container: str) -> None:
    alert, system = STORES[container]
    found = rehearsal.client.containers.get(f"rehearsal-{container}")
    found.stop(timeout=5)
    try:
        query = f'ALERTS{{alertstate="firing",alertname="{alert}",system="{system}"}}'
        until(lambda: rehearsal.value(query))
        (sample, *_) = rehearsal.value(query)
        assert sample["metric"]["instance"].startswith(f"{GATEWAY}:")
    finally:
        found.start()
