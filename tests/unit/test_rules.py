"""Which rule files a stack has, and how they are processed."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any, Final

import pytest

from dashboards.linked_rules import files
from dashboards.links import shown
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.core.project import BUILT_IN
from observability.settings.load import StackConfig
from rules import load
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

ANY_ORDER = """\
groups:
  - name: mine
    rules:
      - alert: HostDown
        expr: vector(1)
        labels: {component: host}
      - "alert": HighGoroutineCount
        expr: vector(1)
      - expr: vector(1)
        alert: LowInventory
        annotations: {summary: Nearly sold out.}
      - {for: 5m, expr: vector(1), alert: "ScrapeSlow"}
      - expr: vector(1)
        record: mine:one
"""
"""Alerts in every form that YAML allows."""

OWN_LINKS = """\
groups:
  - name: links
    rules:
      - alert: HostDown
        expr: vector(1)
        annotations: {runbook_url: "https://wiki.example.com/down", dashboard_url: "https://graphs.example.com/d/x"}
      - alert: HighErrorRate
        expr: vector(1)
        annotations: {runbook_url: 'runbooks/Mine.md', dashboard_url: "/d/mine"}
      - alert: Unheard
        expr: vector(1)
        annotations:
          dashboard_url: >-
            /d/{{ $labels.system }}
          note: see /d/a and runbooks/A.md
"""

ADDRESSES: dict[str, Any] = {"links": {"runbooks": "https://r/"}, "grafana": {"url": "https://g"}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a copy of the plain rule files and of the runbooks."""
    for name in ("rules", "runbooks"):
        copytree(BUILT_IN / name, tmp_path / name, ignore=ignore_patterns("*.py", "__pycache__"))
    return tmp_path


def rules_of(text: str) -> list[dict[str, Any]]:
    return [rule for group in load_yaml(text)["groups"] for rule in group["rules"]]


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


_WITHOUT_CONTAINERS = {
    name: {key: value for key, value in own.items() if key != "containers"} for name, own in FULL["systems"].items()
}
"""Containers that must run need the part that sees them."""


_NO_OTLP: Final[dict[str, Any]] = {
    "traces": None,
    "otlpMetrics": None,
    "systems": {
        name: {key: value for key, value in own.items() if key not in ("traces", "otlpMetrics")}
        for name, own in FULL["systems"].items()
    },
}
"""Spans and metrics by OTLP need the collector."""

_OF_OTLP: Final = {"jaeger.yaml", "traces.yaml", "otlp.yaml", "service_graph.yaml"}


@pytest.mark.parametrize(
    ("values", "gone"),
    [
        ({"cadvisor": {"enabled": False}, "systems": _WITHOUT_CONTAINERS}, {"container.yaml"}),
        ({"blackboxExporter": {"enabled": False}}, {"endpoints.yaml", "probes.yaml"}),
        ({"postgresExporter": {"enabled": False}}, {"postgres.yaml", "tables.yaml"}),
        ({"redisExporter": {"enabled": False}}, {"redis.yaml"}),
        ({"nginxExporter": {"enabled": False}}, {"nginx.yaml"}),
        ({"mongodbExporter": {"enabled": False}}, {"mongodb.yaml"}),
        ({"elasticsearchExporter": {"enabled": False}}, {"elasticsearch.yaml"}),
        ({"grafana": {"enabled": False}}, {"grafana.yaml"}),
        ({"collector": FULL["collector"] | {"enabled": False}} | _NO_OTLP, {"collector.yaml"} | _OF_OTLP),
        ({"dockerProxy": {"enabled": False}} | _NO_OTLP, {"collector.yaml"} | _OF_OTLP),
        ({"loki": {"enabled": False}} | _NO_OTLP, {"collector.yaml", "logs.yaml", "loki.yaml"} | _OF_OTLP),
        (_NO_OTLP, _OF_OTLP),
        ({"jaeger": {"enabled": False}}, {"jaeger.yaml"}),
    ],
)
def test_a_part_that_is_off_has_no_rules(values: Mapping[str, Any], gone: set[str]) -> None:
    whole = files(stack_config("dev", FULL))
    without = files(stack_config("dev", {**FULL, **values}))
    assert set(whole) - set(without) == gone


def test_rules_for_hosts_are_kept_while_any_host_is_watched() -> None:
    hosts = {"academy": {"hosts": FULL["systems"]["academy"]["hosts"]}}
    own = {"nodeExporter": {"enabled": False}}
    assert "host.yaml" in files(stack_config("staging", {**own, "systems": hosts}))
    assert "host.yaml" not in files(stack_config("staging", own))


def test_the_engines_own_metrics_add_no_rules_for_containers() -> None:
    values = {"docker": {"metricsAddress": "172.30.90.1:9323"}, "cadvisor": {"enabled": False}}
    assert "container.yaml" not in files(stack_config("dev", values))


def test_a_file_in_upstream_format_is_used_unchanged(root: Path) -> None:
    (root / "rules" / "example.yaml").write_text(UPSTREAM)
    assert files(stack_config("dev", FULL), root)["example.yaml"] == UPSTREAM


@pytest.mark.parametrize(
    "text", ["groups: [", "- a\n", "rules: []\n", "groups: {}\n", "\x00", "groups: []\ngroups: []\n"]
)
def test_an_invalid_file_is_refused_by_name(root: Path, text: str) -> None:
    (root / "rules" / "broken.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"rules/broken\.yaml") as caught:
        files(stack_config(), root)
    assert "\n" not in caught.value.what


def test_a_file_with_the_name_of_a_generated_one_is_refused(root: Path) -> None:
    (root / "rules" / "signals.yaml").write_text(UPSTREAM)
    with pytest.raises(ConfigError, match=r"rules/signals\.yaml: a file of this name is made"):
        files(stack_config(), root)


def test_links_lead_to_grafana_and_to_the_runbooks_where_their_urls_are_set() -> None:
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


def test_links_stay_paths_where_no_url_is_set() -> None:
    for text in files(stack_config("dev", {"grafana": {"enabled": False}})).values():
        for rule in rules_of(text):
            if "alert" in rule:
                assert rule["annotations"]["runbook_url"].startswith("runbooks/")
                assert rule["annotations"]["dashboard_url"].startswith("/d/")


def test_every_alert_gets_its_own_links_however_it_is_written(root: Path) -> None:
    (root / "rules" / "example.yaml").write_text(ANY_ORDER)
    rules = rules_of(files(stack_config("dev", ADDRESSES), root)["example.yaml"])
    for rule in rules[:4]:
        panel = shown(rule["alert"])
        assert panel
        assert rule["annotations"]["runbook_url"] == f"https://r/{rule['alert']}.md"
        assert rule["annotations"]["dashboard_url"] == f"https://g{panel.url}"
    assert rules[2]["annotations"]["summary"] == "Nearly sold out."
    assert rules[4] == {"expr": "vector(1)", "record": "mine:one"}


def test_a_rule_keeps_its_own_links(root: Path) -> None:
    (root / "rules" / "example.yaml").write_text(OWN_LINKS)
    first, second, third = rules_of(files(stack_config("dev", ADDRESSES), root)["example.yaml"])
    assert first["annotations"] == {
        "runbook_url": "https://wiki.example.com/down",
        "dashboard_url": "https://graphs.example.com/d/x",
    }
    assert second["annotations"] == {"runbook_url": "https://r/Mine.md", "dashboard_url": "https://g/d/mine"}
    assert third["annotations"] == {
        "dashboard_url": "https://g/d/{{ $labels.system }}",
        "note": "see /d/a and runbooks/A.md",
    }


def test_a_page_in_the_folder_next_to_the_rules_is_an_alerts_runbook(root: Path) -> None:
    (root / "rules" / "example.yaml").write_text(
        UPSTREAM.replace(', runbook_url: "https://runbooks.example.com/examplefull"', "")
    )
    assert "runbook_url" not in files(stack_config(), root)["example.yaml"]
    (root / "runbooks" / "ExampleFull.md").write_text("# ExampleFull\n")
    (rule,) = rules_of(files(stack_config("dev", ADDRESSES), root)["example.yaml"])
    assert rule["annotations"] == {"summary": "It is full.", "runbook_url": "https://r/ExampleFull.md"}


def test_no_rule_file_contains_a_link() -> None:
    for source in load().values():
        assert not re.search(r"runbook|/d/|_url", source.text), source.path


@pytest.mark.parametrize("name", ["mine.yml", "mine.yaml"])
def test_a_rule_file_may_have_either_extension(root: Path, name: str) -> None:
    (root / "rules" / name).write_text(UPSTREAM)
    assert files(stack_config(), root)["mine.yaml"] == UPSTREAM


def test_two_files_that_differ_only_in_their_ending_are_refused(root: Path) -> None:
    (root / "rules" / "mine.yaml").write_text(UPSTREAM)
    (root / "rules" / "mine.yml").write_text(UPSTREAM)
    with pytest.raises(ConfigError, match=r"rules/mine\.yml: mine\.yaml lies beside it"):
        files(stack_config(), root)


def test_thresholds_are_series_in_base_units() -> None:
    config = stack_config()
    assert (
        recorded(config, "app:threshold:error_ratio")[labels(system="depot", team="depot", severity="critical")]
        == "vector(0.1)"
    )
    assert (
        recorded(config, "app:threshold:response_time")[
            labels(system="print-shop", team="print-shop", severity="warning", quantile="0.95")
        ]
        == "vector(0.5)"
    )
    assert (
        recorded(config, "app:threshold:certificate_validity")[
            labels(system="platform", team="platform", severity="critical")
        ]
        == "vector(259200)"
    )
    assert labels(system="hospital", team="hospital", severity="warning") not in recorded(
        config, "app:threshold:error_ratio"
    )


def test_an_environment_overrides_a_threshold() -> None:
    values = {"systems": {"depot": {"thresholds": {"errorRatio": {"warning": "7%"}}}}}
    found = recorded(stack_config("dev", values), "app:threshold:error_ratio")
    assert found[labels(system="depot", team="depot", severity="warning")] == "vector(0.07)"
    assert found[labels(system="depot", team="depot", severity="critical")] == "vector(0.1)"
    assert found[labels(system="academy", team="academy", severity="warning")] == "vector(0.05)"


def test_every_value_of_system_has_a_team() -> None:
    found = recorded(stack_config(), "app:system:info")
    names = {"platform", "unassigned", "academy", "depot", "hospital", "print-shop", "studio"}
    assert {dict(one)["system"]: dict(one)["team"] for one in found} == {name: name for name in names}
    assert set(found.values()) == {"vector(1)"}


def test_a_system_that_is_not_watched_has_no_rules() -> None:
    found = files(stack_config("dev", {"systems": {"studio": {"enabled": False}}}))
    for name in ("thresholds", "signals", "history", "slo"):
        assert "studio" not in found[f"{name}.yaml"], name


def test_one_more_system_gets_its_own_rules_and_changes_no_others() -> None:
    config = stack_config()
    sixth = config.systems["depot"].model_copy(update={"name": "sixth", "team": "six"})
    more = files(replace(config, systems={**config.systems, "sixth": sixth}))
    before = files(config)
    for name in ("signals", "history", "slo", "thresholds"):
        own = [group for group in load_yaml(more[f"{name}.yaml"])["groups"] if "sixth" in group["name"]]
        rest = [group for group in load_yaml(more[f"{name}.yaml"])["groups"] if "sixth" not in group["name"]]
        assert own
        assert rest == load_yaml(before[f"{name}.yaml"])["groups"]
        assert 'system="depot"' not in str(own)
