"""A complete exporter from a project folder: a descriptor, a rule file and a dashboard are enough."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from observability.core.documents import load_yaml
from observability.settings.load import ROOT

DESCRIPTOR = '''
"""etcd_exporter: metrics of every etcd server of the watched systems."""

from collections.abc import Iterable

from pydantic import Field

from observability.core.section import PartSettings
from observability.core.types import MemoryMb
from observability.parts.model import (
    AddressedServer, Files, Health, Here, Image, Part, Run, SecretText, Store, secrets_of
)


class EtcdServer(AddressedServer):
    """One etcd server."""

    user: str | None = Field(None, description="User to sign in as.")

    @property
    def needs_password(self) -> bool:
        return self.user is not None


class EtcdExporterSettings(PartSettings):
    """Metrics of etcd servers."""

    memory_mb: MemoryMb = Field(48, description="Memory limit, MiB.")


def runs(here: Here[EtcdExporterSettings, EtcdServer]) -> Iterable[Run]:
    names = secrets_of(here.servers)
    return [
        Run(
            user="65534:65534",
            health=Health(url="http://127.0.0.1:9999/healthz"),
            command=("--passwords=/etc/etcd-exporter/current/passwords",),
            files=Files(
                folder="/etc/etcd-exporter",
                loader_folder="/tmp",
                secrets={"passwords": SecretText(names=names, text=lambda values: "\\n".join(values.values()))},
            ),
        )
    ]


PART = Part[EtcdExporterSettings, EtcdServer](
    name="etcd-exporter",
    title="Metrics of etcd servers.",
    settings=EtcdExporterSettings,
    images=(Image(name="etcd-exporter", reference="example/etcd-exporter:v1.0.0"),),
    job="etcd",
    port=9999,
    path="/probe",
    store=Store(
        job="etcd",
        key="etcd",
        server=EtcdServer,
        description="etcd servers.",
        up="etcd_up",
        database=True,
        labels=lambda server: {"__param_target": server.address},
    ),
    runs=runs,
    rules=("etcd",),
)
'''

SYSTEM = """
title: Shop
team: shop
scrape: {port: 8000}
exporters: [etcd]
series:
  http_requests_total: {kind: counter, labels: [route, status], help: Requests answered.}
signals:
  httpRequests: {series: http_requests_total, route: route, status: status}
"""

RULES = """
groups:
  - name: etcd
    rules:
      - alert: EtcdDown
        expr: etcd_up{job="etcd"} == 0
        for: 1m
        labels: {severity: critical, component: database}
        annotations: {summary: An etcd server does not answer.}
"""

DASHBOARD = '''
"""etcd."""

from dashboards.common import graph, over_time
from dashboards.own import Page

page = Page(uid="shop-etcd", title="Shop: etcd", description="The etcd servers of the shop.", system="shop")


@page.panel(row="Servers")
def leaders():
    """Changes of the leader."""
    return graph("Servers Up", "Servers that answer.", "short", over_time('etcd_up{system="shop",job="etcd"}'))
'''

STACK = """
config:
  observability:systems:
    shop:
      instances: {static: ["shop-1.example.com:8000"]}
      etcd: [{address: "etcd-1.example.com:2379", user: monitoring}]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `obs synth` writes for a project folder with an exporter that is not in this repository."""
    folder = tmp_path_factory.mktemp("project")
    for path, text in {
        "parts/etcd.py": DESCRIPTOR,
        "systems/shop.yaml": SYSTEM,
        "rules/etcd.yaml": RULES,
        "dashboards/etcd.py": DASHBOARD,
        "Pulumi.shop.yaml": STACK.replace("config:", "config:\n  observability:environment: staging", 1),
    }.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text.lstrip("\n"))
    out = folder / "out"
    run = obs(folder, "synth", "shop", "--out", str(out))
    assert run.returncode == 0, run.stderr
    return folder


def obs(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "observability.cli", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OBS_PROJECT": str(folder), "OBS_DATA_DIR": str(folder / "data")},
        capture_output=True,
        text=True,
        check=False,
    )


def containers(folder: Path) -> dict[str, dict[str, Any]]:
    resources = json.loads((folder / "out/resources.json").read_text())
    return {one["inputs"]["name"]: one["inputs"] for one in resources if one["type"].endswith(":Container")}


def test_an_own_part_has_its_container_with_settings_and_secrets(made: Path) -> None:
    found = containers(made)
    exporter = found["obs-shop-etcd-exporter"]
    assert exporter["image"] == "example/etcd-exporter:v1.0.0"
    assert exporter["memory"] == 48
    (upload,) = found["obs-shop-etcd-exporter-config"]["uploads"]
    assert upload == {"file": "/staging/passwords", "content": "[secret]"}


def test_an_own_part_has_its_scrape_job(made: Path) -> None:
    document = load_yaml((made / "out/prometheus/prometheus.yaml").read_text())
    (job,) = (one for one in document["scrape_configs"] if one["job_name"] == "etcd")
    assert job["metrics_path"] == "/probe"
    assert job["static_configs"] == [
        {
            "targets": ["etcd-exporter:9999"],
            "labels": {
                "system": "shop",
                "instance": "etcd-1.example.com:2379",
                "__param_target": "etcd-1.example.com:2379",
            },
        }
    ]


def test_an_own_part_has_its_rules_and_dashboard(made: Path) -> None:
    (group,) = load_yaml((made / "out/prometheus/rules/etcd.yaml").read_text())["groups"]
    assert [rule["alert"] for rule in group["rules"]] == ["EtcdDown"]
    (dashboard,) = (made / "out/grafana/dashboards").glob("*/shop-etcd.json")
    assert "Servers Up" in dashboard.read_text()
    assert "etcd_up" in (made / "out/grafana/dashboards/shop/shop-database.json").read_text()


def test_the_rules_of_an_own_part_are_removed_with_it(made: Path) -> None:
    stack = (made / "Pulumi.shop.yaml").read_text().replace("      etcd: ", "      unwatched: {etcd: gone}\n      # ")
    (made / "Pulumi.without.yaml").write_text(stack)
    run = obs(made, "synth", "without", "--out", str(made / "without"))
    assert run.returncode == 0, run.stderr
    assert not (made / "without/prometheus/rules/etcd.yaml").exists()
    assert "etcd-exporter" not in (made / "without/resources.json").read_text()


def test_a_missing_secret_of_an_own_parts_server_is_requested_by_name(made: Path) -> None:
    run = obs(made, "secret", "list", "shop")
    assert "shopEtcdPassword" in run.stdout
    assert "needed by systems.shop.etcd[0]: ./obs secret set shopEtcdPassword" in obs(made, "doctor", "shop").stdout


def test_verify_queries_the_series_that_shows_whether_a_server_is_reached(made: Path) -> None:
    script = (
        "from observability.operations.home import Home; from observability.operations.parts import exporters;"
        "config = Home.find().config('shop', complete=False);"
        "get = lambda *a, query='', **k: {'data': {'result': [{'metric': {'instance': query}, 'value': [0, '1']}]}};"
        "print([row[0] for row in exporters(config, get, lambda condition: condition())])"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OBS_PROJECT": str(made), "OBS_DATA_DIR": str(made / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.strip() == """['etcd_up etcd_up{job="etcd"}']""", run.stderr


def test_a_part_that_does_not_load_is_refused_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/broken.py").write_text("import nowhere\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    run = obs(tmp_path, "synth", "dev", "--out", str(tmp_path / "out"))
    assert run.returncode == 2, run.stderr
    assert "parts/broken.py: cannot be loaded: ModuleNotFoundError" in run.stderr
    assert "Traceback" not in run.stderr
