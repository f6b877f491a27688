"""promtool runs every rule test; and every alert has one that fires and one that does not."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.load import ROOT
from rules import load
from tests.tools import run_tool

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*.test.yaml"))
ALWAYS_FIRING = {"Watchdog"}


def alerts() -> dict[str, list[dict[str, Any]]]:
    """Alert rules by name."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for text in load(ROOT / "rules").values():
        for group in yaml.safe_load(text)["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    found[rule["alert"]].append(rule)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_promtool_passes(case: Path) -> None:
    files = {f"rules/{name}": text for name, text in load(ROOT / "rules").items()}
    result = run_tool(
        "prometheus", ["promtool", "test", "rules", "case.yaml"], {**files, "case.yaml": case.read_text()}
    )
    assert result.code == 0, result.output
    assert "SUCCESS" in result.output


def test_every_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    firing: set[str] = set()
    silent: set[str] = set()
    for case in CASES:
        for test in yaml.safe_load(case.read_text())["tests"]:
            for check in test["alert_rule_test"]:
                (firing if check["exp_alerts"] else silent).add(check["alertname"])
    assert alerts().keys() == firing
    assert alerts().keys() - ALWAYS_FIRING == silent


@pytest.mark.parametrize("name", sorted(alerts()))
def test_it_carries_what_every_alert_carries(name: str) -> None:
    for rule in alerts()[name]:
        assert {"severity", "component", "condition", "team"} <= rule["labels"].keys()
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert {"summary", "description", "runbook_url"} <= rule["annotations"].keys()


@pytest.mark.parametrize("name", sorted(alerts()))
def test_its_runbook_is_a_page_with_the_five_headings(name: str) -> None:
    for rule in alerts()[name]:
        assert rule["annotations"]["runbook_url"] == f"runbooks/{name}.md"
    page = (ROOT / "runbooks" / f"{name}.md").read_text()
    for heading in ("Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation"):
        assert f"\n## {heading}\n" in page


def test_every_runbook_belongs_to_an_alert() -> None:
    pages = {path.stem for path in (ROOT / "runbooks").glob("*.md")} - {"README"}
    assert pages == set(alerts())
