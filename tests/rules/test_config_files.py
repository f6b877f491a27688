"""Every generated file of every environment passes its server's own check; an invalid one does not."""

import re
from collections.abc import Mapping

import pytest

from dashboards.linked_rules import files
from observability.alerting import alertmanager
from observability.alerting.routes import recipients
from observability.scrape import prometheus
from observability.settings.load import StackConfig
from tests.tools import ToolResult, run_tool
from tests.unit.conftest import FULL, stack_config

STACKS = ["dev", "staging", "prod"]


def checked(config: StackConfig, rules: Mapping[str, str]) -> ToolResult:
    """promtool's result, with files in place of the secrets; findings of its lint are failures."""
    written = prometheus.files(config, rules) | dict.fromkeys(prometheus.secret_files(config), "secret")
    command = ["promtool", "check", "config", "--lint=all", "--lint-fatal", "prometheus.yaml"]
    return run_tool("prometheus", command, written)


@pytest.mark.parametrize("stack", STACKS)
def test_promtool_accepts_prometheus_files_of(stack: str) -> None:
    config = stack_config(stack, FULL)
    rules = files(config)
    result = checked(config, rules)
    # An alert has a rule for each wait (requirements 2: a wait belongs to the threshold): identical except for `for`.
    # A recording rule exists once.
    twice = set(re.findall(r"^\s*Metric: (\S+)$", result.output, re.MULTILINE))
    assert not any(":" in name for name in twice), result.output
    assert result.code == 0 or ("duplicate rule(s) found" in result.output and twice), result.output
    assert result.output.count("FAILED:") == result.output.count("duplicate rule(s) found"), result.output
    assert not re.search(r"\b0 rules found", result.output), result.output
    assert all(f"Checking rules/{name}" in result.output for name in rules)


@pytest.mark.parametrize("stack", STACKS)
def test_amtool_accepts_alertmanager_files_of(stack: str) -> None:
    config = stack_config(stack)
    texts = alertmanager.files(config)
    result = run_tool("alertmanager", ["amtool", "check-config", "alertmanager.yaml"], texts)
    assert result.code == 0, result.output
    # In addition to those of the heartbeat, of verify, and of alerts that only mute others.
    assert f"{len(recipients(config)) + 3} receivers" in result.output


def test_promtool_refuses_an_expression_that_does_not_parse() -> None:
    broken = "groups:\n- name: x\n  rules:\n  - {alert: A, expr: 'rate(foo[5m'}\n"
    result = checked(stack_config(), {"broken.yaml": broken})
    assert result.code == 1
    assert "unclosed left parenthesis" in result.output


def test_two_rules_that_record_the_same_series_are_refused() -> None:
    twice = "groups:\n- name: x\n  rules:\n  - {record: a, expr: vector(1)}\n  - {record: a, expr: vector(2)}\n"
    result = checked(stack_config(), {"twice.yaml": twice})
    assert result.code != 0
    assert "1 duplicate rule(s) found" in result.output


@pytest.mark.parametrize("stack", STACKS)
def test_no_rule_selects_on_an_external_label(stack: str) -> None:
    for name, text in files(stack_config(stack, FULL)).items():
        assert "environment=" not in text, name
        assert "cluster=" not in text, name


def test_promtool_accepts_every_way_to_a_target() -> None:
    config = stack_config("staging", FULL)
    files = prometheus.files(config, {}) | dict.fromkeys(prometheus.secret_files(config), "secret")
    command = ["promtool", "check", "config", "prometheus.yaml"]
    result = run_tool("prometheus", command, files)
    assert result.code == 0, result.output
    without = {path: text for path, text in files.items() if path != "secrets/depot-token"}
    assert "secrets/depot-token" in run_tool("prometheus", command, without).output
