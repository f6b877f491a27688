"""What `obs synth` writes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dashboards.linked_rules import files as rule_files
from observability.alerting.alertmanager import files, secret_files
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.settings.load import ROOT, validate
from observability.synth.write import write
from tests.calls import calls
from tests.unit.conftest import FULL, REFERENCE, stack_config


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_configuration_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        config = stack_config("dev", FULL)
        write(config, rule_files(config), tmp_path / name)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert {"prometheus/prometheus.yaml", "prometheus/rules/stack.yaml", "alertmanager/alertmanager.yaml"} < tree(
        tmp_path / "a"
    ).keys()


def test_it_needs_neither_docker_nor_the_cli_nor_a_network(tmp_path: Path) -> None:
    environment = {"PATH": "/nonexistent", "PYTHONPATH": str(ROOT), "OBS_DATA_DIR": str(tmp_path / "data")}
    environment |= {"DOCKER_HOST": "tcp://127.0.0.1:1", "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "observability.cli", "synth", "dev", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "resources.json").is_file()


def test_every_resource_is_listed_with_type_name_parent_and_inputs(tmp_path: Path) -> None:
    config = stack_config()
    write(config, rule_files(config), tmp_path / "out")
    resources = json.loads((tmp_path / "out/resources.json").read_text())
    assert {"type", "name", "parent", "inputs"} == set(resources[0])
    by_name = {resource["name"]: resource for resource in resources}
    assert by_name["prometheus-server-container"]["parent"] == "prometheus-server"
    assert by_name["prometheus-server-container"]["inputs"]["memory"] == 512
    assert by_name["monitoring"]["parent"] == "observability-dev"


def test_an_earlier_run_is_replaced_completely(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(stack_config(), {"old.yaml": "groups: []\n"}, out)
    write(stack_config(), {"new.yaml": "groups: []\n"}, out)
    assert not (out / "prometheus/rules/old.yaml").exists()
    assert (out / "prometheus/rules/new.yaml").exists()


def test_a_folder_with_other_files_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ConfigError, match="holds something else"):
        write(stack_config(), {}, tmp_path)
    assert tree(tmp_path) == {"letter.txt": b"dear"}


def test_every_generated_file_names_its_source(tmp_path: Path) -> None:
    write(stack_config(), {}, tmp_path / "out")
    for path in ("prometheus/prometheus.yaml", "alertmanager/alertmanager.yaml"):
        assert (tmp_path / "out" / path).read_text().startswith("# Generated from Pulumi.dev.yaml")


def test_external_labels_name_the_environment_and_the_cluster(tmp_path: Path) -> None:
    write(stack_config("staging"), {}, tmp_path / "out")
    document = load_yaml((tmp_path / "out/prometheus/prometheus.yaml").read_text())
    assert document["global"]["external_labels"] == {"cluster": "obs-staging", "environment": "staging"}


def test_every_target_has_the_labels_system_and_instance(tmp_path: Path) -> None:
    write(stack_config("dev", FULL), {}, tmp_path / "out")
    document = load_yaml((tmp_path / "out/prometheus/prometheus.yaml").read_text())
    jobs = {job["job_name"]: job for job in document["scrape_configs"]}
    assert jobs.keys() == {
        *("prometheus", "alertmanager", "node", "loki", "collector", "docker", "grafana", "blackbox", "docker-proxy"),
        *("containers", "edge", "notifier", "rabbitmq", "shop-exporter", "spans", "jaeger"),
        "otlp-unassigned",
        *("postgres", "redis", "nginx", "mongodb", "elasticsearch"),
        *("backend-academy", "backend-depot", "backend-hospital", "backend-print-shop", "studio-api-studio"),
    }
    targets = [target["labels"] for job in jobs.values() for target in job.get("static_configs", ())]
    assert all({"system", "instance"} <= labels.keys() for labels in targets)
    names = [
        (name, target["labels"]["instance"]) for name, job in jobs.items() for target in job.get("static_configs", ())
    ]
    assert len(names) == len(set(names))
    found_later = [job for job in jobs.values() if {"file_sd_configs", "dns_sd_configs"} & job.keys()]
    assert len(found_later) == 2
    assert all({one["target_label"] for one in job["relabel_configs"]} == {"system", "job"} for job in found_later)


def test_alerts_are_grouped_and_repeated_as_configured() -> None:
    route = load_yaml(files(stack_config())["alertmanager.yaml"])["route"]
    assert route["group_by"] == ["alertname", "cluster", "system"]
    assert (route["group_wait"], route["group_interval"], route["repeat_interval"]) == ("10s", "10s", "12h")


def test_the_webhook_is_named_by_the_file_that_holds_it() -> None:
    document = load_yaml(files(stack_config())["alertmanager.yaml"])
    default = next(receiver for receiver in document["receivers"] if receiver["name"] == "default")
    (path,) = (path for path, name in secret_files(stack_config()).items() if name == "alertWebhookUrl")
    (webhook,) = default["webhook_configs"]
    assert webhook["url_file"] == f"/etc/alertmanager/current/{path}"
    assert webhook["send_resolved"] is True


def test_its_work_grows_no_faster_than_the_number_of_systems(tmp_path: Path) -> None:
    text = next((REFERENCE / "systems").glob("*.yaml")).read_text()

    def work(count: int) -> int:
        folder = tmp_path / str(count) / "systems"
        folder.mkdir(parents=True, exist_ok=True)
        names = [f"system-{index}" for index in range(count)]
        for name in names:
            (folder / f"{name}.yaml").write_text(text)

        def synth() -> None:
            config = validate("dev", {"systems": {name: {} for name in names}}, frozenset(), folder.parent)
            assert len(config.systems) == count
            write(config, rule_files(config), tmp_path / f"out-{count}")

        return calls(synth)

    # One-time work of a process is done before the first count.
    work(1)
    one, three, five = (work(count) for count in (1, 3, 5))
    assert five - three < 1.2 * (three - one)
