"""Every generated file of every environment passes its own server's check; a broken one does not."""

import pytest

from alerting import alertmanager
from config.load import ROOT
from rules import load
from scrape import prometheus
from tests.tools import run_tool
from tests.unit.conftest import FULL, stack_config

STACKS = ["dev", "staging", "prod"]


@pytest.mark.parametrize("stack", STACKS)
def test_promtool_accepts_prometheus_files_of(stack: str) -> None:
    files = prometheus.files(stack_config(stack, FULL), load(ROOT / "rules"))
    result = run_tool("prometheus", ["promtool", "check", "config", "prometheus.yaml"], files)
    assert result.code == 0, result.output
    assert "rule files found" in result.output


@pytest.mark.parametrize("stack", STACKS)
def test_amtool_accepts_alertmanager_files_of(stack: str) -> None:
    files = alertmanager.files(stack_config(stack))
    result = run_tool("alertmanager", ["amtool", "check-config", "alertmanager.yaml"], files)
    assert result.code == 0, result.output
    assert "2 receivers" in result.output


def test_promtool_refuses_an_expression_that_does_not_parse() -> None:
    broken = {"broken.yaml": "groups:\n- name: x\n  rules:\n  - {alert: A, expr: 'rate(foo[5m'}\n"}
    result = run_tool(
        "prometheus", ["promtool", "check", "config", "prometheus.yaml"], prometheus.files(stack_config(), broken)
    )
    assert result.code == 1
    assert "unclosed left parenthesis" in result.output


def test_no_rule_selects_on_an_external_label() -> None:
    for name, text in load(ROOT / "rules").items():
        assert "environment=" not in text, name
        assert "cluster=" not in text, name
