"""The content of this repository's runbooks, besides their form: the first step, and whether an alert can wait."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dashboards.registry import dashboards
from observability.check.pages import check_page
from observability.cli.app import app
from observability.core.documents import load_yaml
from observability.settings.load import ROOT
from rules.context import first_step
from tests.unit.conftest import FULL, stack_config

PAGES = {path.stem: path for path in sorted((ROOT / "runbooks").glob("*.md")) if path.stem != "README"}

CAN_WAIT = re.compile(r"(?<!not )can wait for the morning", re.IGNORECASE)
CANNOT_WAIT = re.compile(r"cannot wait for the morning", re.IGNORECASE)


def first(name: str) -> str:
    return first_step(PAGES[name].read_text(encoding="utf-8"))


def text_of(name: str) -> str:
    """A page on one line."""
    return " ".join(PAGES[name].read_text(encoding="utf-8").split())


def alerts() -> Iterator[Mapping[str, Any]]:
    for path in sorted((ROOT / "rules").glob("*.yaml")):
        for group in load_yaml(path.read_text(encoding="utf-8"))["groups"]:
            yield from (rule for rule in group["rules"] if "alert" in rule)


def pages_of_criticals() -> dict[str, set[bool]]:
    """By alert with a critical rule: whether its critical rules page, by their label or by default."""
    found: dict[str, set[bool]] = {}
    for rule in alerts():
        if rule["labels"]["severity"] == "critical":
            found.setdefault(rule["alert"], set()).add(rule["labels"].get("page", "yes") == "yes")
    return found


@cache
def titles() -> frozenset[str]:
    """Titles of all panels, without what follows in brackets."""

    def of(panels: list[dict[str, Any]]) -> Iterator[str]:
        for panel in panels:
            yield panel.get("title", "")
            yield from of(panel.get("panels") or [])

    stacks = (stack_config("dev"), stack_config("prod", FULL))
    entries = (entry for config in stacks for entry in dashboards(config))
    return frozenset(
        re.sub(r" \(.*\)$", "", title) for entry in entries for title in of(json.loads(entry.text)["panels"]) if title
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_required_form(name: str) -> None:
    assert [str(problem) for problem in check_page(PAGES[name], None)] == []
    assert first(name).endswith(".")


def test_no_two_alerts_have_the_same_first_step() -> None:
    assert [step for step, count in Counter(map(first, PAGES)).items() if count > 1] == []


@pytest.mark.parametrize("name", [name for name in PAGES if re.search(r"\bpanels? ", first(name))])
def test_a_panel_that_a_first_step_names_is_on_a_dashboard(name: str) -> None:
    for rest in re.split(r"\bpanels? ", first(name))[1:]:
        for part in re.split(r" (?:and|or) (?=[A-Z])", rest):
            assert any(part.startswith(title) for title in titles()), part


@pytest.mark.parametrize("name", [name for name in PAGES if "./obs " in first(name)])
def test_a_command_that_a_first_step_names_exists(name: str) -> None:
    known = {(one.name or getattr(one.callback, "__name__", "")) for one in app.registered_commands}
    known |= {group.name or "" for group in app.registered_groups}
    assert set(re.findall(r"\./obs ([a-z-]+)", first(name))) <= known


@pytest.mark.parametrize("name", pages_of_criticals())
def test_whether_a_critical_alert_can_wait_agrees_with_its_label(name: str) -> None:
    pages = pages_of_criticals()[name]
    assert bool(CANNOT_WAIT.search(text_of(name))) == (True in pages)
    assert bool(CAN_WAIT.search(text_of(name))) == (False in pages)


def test_the_diagnosis_of_a_failing_page_begins_with_its_body() -> None:
    """A health page names the dependency that is down; `curl -o /dev/null` would discard it."""
    diagnosis = PAGES["EndpointDown"].read_text(encoding="utf-8").partition("## Diagnosis\n")[2]
    command = re.search(r"```sh\n(.+)", diagnosis)
    assert command is not None
    assert re.fullmatch(r"curl -sS -i -m \d+ INSTANCE", command[1])
    assert diagnosis.index("```sh") < diagnosis.index("```promql")
    assert "/dev/null" not in Path(PAGES["EndpointDown"]).read_text(encoding="utf-8")
