"""Which rule files a stack has, and what is done to them on the way."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import pytest
import yaml

from observability.core.errors import ConfigError
from observability.settings.load import StackConfig
from rules import FOLDER, files
from tests.unit.conftest import FULL, stack_config

UPSTREAM = """\
# As others write theirs: names, labels and links of their own.
groups:
  - name: example
    rules:
      - alert: ExampleFull
        expr: example_free / example_size < 0.1
        for: 15m
        labels: {severity: warning}
        annotations: {summary: It is full., runbook_url: "https://runbooks.example.com/examplefull"}
"""

LINKS = """\
groups:
  - name: links
    rules:
      - alert: A
        expr: vector(1)
        annotations: {runbook_url: 'runbooks/A.md', dashboard_url: "/d/a"}
      - alert: B
        expr: vector(1)
        annotations:
          dashboard_url: >-
            /d/{{ $labels.system }}
          note: see /d/a and runbooks/A.md
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the plain rule files."""
    copytree(FOLDER, tmp_path / "rules", ignore=ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "rules"


def rules_of(text: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def recorded(config: StackConfig, name: str) -> dict[tuple[tuple[str, str], ...], str]:
    """The expressions of a recorded threshold, by labels."""
    rules = [rule for rule in rules_of(files(config)["thresholds.yaml"]) if rule["record"] == name]
    return {tuple(sorted(rule["labels"].items())): rule["expr"] for rule in rules}


def labels(**values: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(values.items()))


def test_a_stack_has_the_plain_files_and_the_four_made_from_its_systems() -> None:
    found = files(stack_config("dev", FULL))
    assert {"stack.yaml", "applications.yaml", "thresholds.yaml", "signals.yaml", "history.yaml", "slo.yaml"} <= set(
        found
    )
    assert list(found) == sorted(found)
    assert found == files(stack_config("dev", FULL))


@pytest.mark.parametrize(
    ("values", "gone"),
    [
        ({"cadvisor": {"enabled": False}}, {"container.yaml"}),
        ({"blackboxExporter": {"enabled": False}}, {"endpoints.yaml"}),
        ({"postgresExporter": {"enabled": False}}, {"postgres.yaml", "tables.yaml"}),
        ({"redisExporter": {"enabled": False}}, {"redis.yaml"}),
        ({"nginxExporter": {"enabled": False}}, {"nginx.yaml"}),
        ({"mongodbExporter": {"enabled": False}}, {"mongodb.yaml"}),
        ({"elasticsearchExporter": {"enabled": False}}, {"elasticsearch.yaml"}),
        ({"grafana": {"enabled": False}}, {"grafana.yaml"}),
        ({"loki": {"enabled": False}}, {"loki.yaml", "alloy.yaml"}),
    ],
)
def test_a_part_that_is_off_brings_no_rules(values: Mapping[str, Any], gone: set[str]) -> None:
    whole = files(stack_config("dev", FULL))
    without = files(stack_config("dev", {**FULL, **values}))
    assert set(whole) - set(without) == gone


def test_rules_about_hosts_stay_while_there_is_a_host_to_watch() -> None:
    elsewhere = {"nodeExporter": {"enabled": False, "targets": FULL["nodeExporter"]["targets"]}}
    assert "host.yaml" in files(stack_config("dev", elsewhere))
    assert "host.yaml" not in files(stack_config("dev", {"nodeExporter": {"enabled": False}}))


def test_the_engines_own_metrics_bring_no_rules_about_containers() -> None:
    values = {"docker": {"metricsAddress": "172.30.90.1:9323"}, "cadvisor": {"enabled": False}}
    assert "container.yaml" not in files(stack_config("dev", values))


def test_the_collector_that_runs_brings_its_own_file() -> None:
    alloy, promtail = stack_config("dev"), stack_config("dev", {"collector": {"kind": "promtail"}})
    assert "alloy.yaml" in files(alloy)
    assert "promtail.yaml" not in files(alloy)
    assert "promtail.yaml" in files(promtail)
    assert "alloy.yaml" not in files(promtail)


def test_a_file_in_upstream_form_is_picked_up_as_it_is(folder: Path) -> None:
    (folder / "example.yaml").write_text(UPSTREAM)
    assert files(stack_config("dev", FULL), folder)["example.yaml"] == UPSTREAM


@pytest.mark.parametrize(
    "text", ["groups: [", "- a\n", "rules: []\n", "groups: {}\n", "\x00", "groups: []\ngroups: []\n"]
)
def test_a_file_that_is_none_is_refused_by_name(folder: Path, text: str) -> None:
    (folder / "broken.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"rules/broken\.yaml") as caught:
        files(stack_config(), folder)
    assert "\n" not in caught.value.what


def test_a_file_with_the_name_of_one_that_is_made_is_refused(folder: Path) -> None:
    (folder / "signals.yaml").write_text(UPSTREAM)
    with pytest.raises(ConfigError, match=r"rules/signals\.yaml: a file of this name is made"):
        files(stack_config(), folder)


def test_links_lead_to_grafana_and_to_the_runbooks_where_these_are_known() -> None:
    values = {
        "links": {"runbooks": "https://git.example.com/runbooks/"},
        "grafana": {"url": "https://grafana.example.com"},
    }
    for text in files(stack_config("dev", values)).values():
        for rule in rules_of(text):
            if "alert" in rule:
                annotations = rule["annotations"]
                assert annotations["runbook_url"] == f"https://git.example.com/runbooks/{rule['alert']}.md"
                assert annotations["dashboard_url"].startswith("https://grafana.example.com/d/")


def test_links_stay_paths_where_nothing_is_known() -> None:
    for text in files(stack_config("dev", {"grafana": {"enabled": False}})).values():
        for rule in rules_of(text):
            if "alert" in rule:
                assert rule["annotations"]["runbook_url"].startswith("runbooks/")
                assert rule["annotations"]["dashboard_url"].startswith("/d/")


def test_a_link_is_completed_however_it_is_written(folder: Path) -> None:
    (folder / "example.yaml").write_text(LINKS)
    config = stack_config("dev", {"links": {"runbooks": "https://r"}, "grafana": {"url": "https://g"}})
    first, second = rules_of(files(config, folder)["example.yaml"])
    assert first["annotations"] == {"runbook_url": "https://r/A.md", "dashboard_url": "https://g/d/a"}
    assert second["annotations"] == {
        "dashboard_url": "https://g/d/{{ $labels.system }}",
        "note": "see /d/a and runbooks/A.md",
    }


def test_thresholds_are_series_in_base_units() -> None:
    config = stack_config()
    assert (
        recorded(config, "app:threshold:error_ratio")[labels(system="erpgo", team="erpgo", severity="critical")]
        == "vector(0.1)"
    )
    assert (
        recorded(config, "app:threshold:response_time")[
            labels(system="social-selling", team="social-selling", severity="warning", quantile="0.95")
        ]
        == "vector(0.5)"
    )
    assert (
        recorded(config, "app:threshold:certificate_validity")[
            labels(system="platform", team="platform", severity="critical")
        ]
        == "vector(259200)"
    )
    assert labels(system="neuroerp", team="neuroerp", severity="warning") not in recorded(
        config, "app:threshold:error_ratio"
    )


def test_an_environment_overrides_a_threshold() -> None:
    values = {"systems": {"erpgo": {"thresholds": {"errorRatio": {"warning": "7%"}}}}}
    found = recorded(stack_config("dev", values), "app:threshold:error_ratio")
    assert found[labels(system="erpgo", team="erpgo", severity="warning")] == "vector(0.07)"
    assert found[labels(system="erpgo", team="erpgo", severity="critical")] == "vector(0.1)"
    assert found[labels(system="alawael", team="alawael", severity="warning")] == "vector(0.05)"


def test_every_system_and_the_platform_have_a_team() -> None:
    found = recorded(stack_config(), "app:system:info")
    names = {"platform", "alawael", "erpgo", "neuroerp", "social-selling", "syncup"}
    assert {dict(one)["system"]: dict(one)["team"] for one in found} == {name: name for name in names}
    assert set(found.values()) == {"vector(1)"}


def test_a_system_that_is_not_watched_has_no_rules() -> None:
    found = files(stack_config("dev", {"systems": {"syncup": {"enabled": False}}}))
    for name in ("thresholds", "signals", "history", "slo"):
        assert "syncup" not in found[f"{name}.yaml"], name


def test_one_more_system_gets_rules_of_its_own_and_changes_no_others() -> None:
    config = stack_config()
    sixth = config.systems["erpgo"].model_copy(update={"name": "sixth", "team": "six"})
    more = files(replace(config, systems={**config.systems, "sixth": sixth}))
    before = files(config)
    for name in ("signals", "history", "slo", "thresholds"):
        own = [group for group in yaml.safe_load(more[f"{name}.yaml"])["groups"] if "sixth" in group["name"]]
        rest = [group for group in yaml.safe_load(more[f"{name}.yaml"])["groups"] if "sixth" not in group["name"]]
        assert own
        assert rest == yaml.safe_load(before[f"{name}.yaml"])["groups"]
        assert 'system="erpgo"' not in str(own)
