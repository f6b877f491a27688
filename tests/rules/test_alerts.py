"""Every alert: it is a required one, has the required texts, and has cases in which it fires and does not fire."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from dashboards.linked_rules import files
from dashboards.links import AlertLinks
from dashboards.registry import dashboards
from observability.alerting.grafana_rules import rule_groups
from observability.core.alert import ANNOTATIONS, COMPONENTS, CONTEXT, LABELS, RECENT, SEVERITIES
from observability.core.documents import load_yaml
from observability.core.naming import PLATFORM
from observability.core.types import seconds
from observability.settings.load import ROOT
from rules import load, rendered
from rules.overrides import Overrides
from tests.rules.harness import EVERYTHING, Case, has_value, is_constant, reported
from tests.rules.required import LONGEST, REQUIRED
from tests.unit.conftest import FULL, REFERENCE, stack_config

HERE: Final = Path(__file__).parent
PAGES: Final = {path.stem: path for path in (ROOT / "runbooks").glob("*.md") if path.stem != "README"}
PLAIN: Final = sorted(HERE.glob("*.test.yaml"))
ALWAYS_FIRING: Final = {"Watchdog"}
THRESHOLDS: Final = "thresholds.yaml"

LONGEST_BY_SEVERITY: Final = {"warning": 300, "critical": 120, "info": 900}
"""Seconds that an alert may wait unless required otherwise; a business alert as long as an info."""


@cache
def alerts() -> Mapping[str, list[dict[str, Any]]]:
    """Alert rules by name, of everything that a stack may have; some names have several rules."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    links = AlertLinks(config=stack_config("dev", {"grafana": {"enabled": False}}), pages=PAGES)
    for source in load().values():
        for group in load_yaml(rendered(source, links, Overrides(paging={}, thresholds=())))["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    found[rule["alert"]].append(rule)
    return found


@cache
def uids() -> frozenset[str]:
    """Dashboards by uid; for those of a system, the part after its name, such as `-application`."""
    config = stack_config("dev", FULL)
    found = {entry.uid for entry in dashboards(config)}
    return frozenset(found | {uid.removeprefix(name) for uid in found for name in config.systems})


NAMES: Final = sorted(alerts())

OF_GRAFANA: Final = {rule.name for group in rule_groups(stack_config("dev", FULL)) for rule in group.rules}
"""Alerts that Grafana raises itself, on data sources that have no ruler."""


@cache
def python_cases() -> tuple[Case, ...]:
    """The cases of all test modules."""
    modules = (import_module(f"tests.rules.{path.stem}") for path in sorted(HERE.glob("test_*.py")))
    found = [case for module in modules for case in getattr(module, "CASES", ())]
    return tuple(case for case in found if isinstance(case, Case))


@cache
def plain_checks() -> tuple[tuple[str, list[list[dict[str, Any]]]], ...]:
    """For each test of a plain file and each alert in it: what it expects, at each time."""
    found: list[tuple[str, list[list[dict[str, Any]]]]] = []
    for path in PLAIN:
        for test in load_yaml(path.read_text())["tests"]:
            by_alert: dict[str, list[list[dict[str, Any]]]] = defaultdict(list)
            for check in test.get("alert_rule_test", ()):
                by_alert[check["alertname"]].append(check.get("exp_alerts") or [])
            found += by_alert.items()
    return tuple(found)


@cache
def expected() -> tuple[tuple[str, Mapping[str, str]], ...]:
    """Every alert that fires in a case, with its labels."""
    found: list[tuple[str, Mapping[str, str]]] = [
        (firing.alert, firing.labels)
        for case in python_cases()
        for firings in case.expect.values()
        for firing in firings
    ]
    found += [(name, alert["exp_labels"]) for name, times in plain_checks() for time in times for alert in time]
    return tuple(found)


def asked_for(thresholds: str, asked: str) -> str:
    """The recordings of `thresholds.yaml` that a text names, of the systems that it names and the platform."""
    groups = _groups(thresholds)
    names, words = set(re.findall(r"\bapp:[a-z0-9_:]+", asked)), set(re.findall(r"[a-z][a-z0-9-]*", asked))
    kept = [
        {**group, "rules": [rule for rule in group["rules"] if _named(rule, names, {*words, PLATFORM})]}
        for group in groups
    ]
    return yaml.dump({"groups": [group for group in kept if group["rules"]]}, Dumper=yaml.CSafeDumper)


def _named(rule: Mapping[str, Any], names: set[str], systems: set[str]) -> bool:
    return rule["record"] in names and rule["labels"]["system"] in systems


def verdicts(cases: Mapping[str, str], root: Path = REFERENCE) -> Mapping[str, str]:
    """promtool's result for each of these plain test files, given by name: one run for all of them.

    The plain rule files are used without links, so that a test has the text of its rules. Every rule, evaluated for
    hours, would take most of the time: a test gets those that may have a value from its series, and the thresholds
    that these and the test name.
    """
    own = files(stack_config("dev", EVERYTHING, root))
    texts = {**own, **{name: source.text for name, source in load().items()}}
    written: dict[str, str] = {}
    documents: dict[str, dict[str, Any]] = {}
    for file, case in cases.items():
        whole = _plain(case)
        named = [Path(name).name for name in whole["rule_files"]]
        # Its groups are evaluated in the order of the files.
        assert "group_eval_order" not in whole
        for number, test in enumerate(whole["tests"]):
            rules = _loaded(texts, named, test)
            rule_file = next((name for name, text in written.items() if text == rules), f"{file}-{number}.rules.yaml")
            written[rule_file] = rules
            document = documents.setdefault(f"{file}-{rule_file}", {**whole, "rule_files": [rule_file], "tests": []})
            document["tests"].append({**test, "name": f"{file} {number}: {test.get('name', '')}"})
            document["group_eval_order"] = [group["name"] for group in load_yaml(rules)["groups"]]
    written |= {name: yaml.dump(document, Dumper=yaml.CSafeDumper) for name, document in documents.items()}
    failures = reported(written, list(documents))
    names = [test["name"] for document in documents.values() for test in document["tests"]]
    said = {name: failures.get(name, "promtool says nothing of it") for name in names}
    wrong = {name: failure for name, failure in said.items() if failure is not None}
    return {
        file: "\n".join(f"{name}: {wrong[name]}" for name in wrong if name.startswith(f"{file} ")) or "SUCCESS"
        for file in cases
    }


def _plain(case: str) -> dict[str, Any]:
    """A plain test file. Values of series stay texts: YAML would read 0x240, a zero 241 times, as a number."""
    found: dict[str, Any] = load_yaml(case)
    # The loader makes only texts, lists and objects.
    texts = yaml.load(case, yaml.CBaseLoader)["tests"]  # noqa: S506
    for test, as_written in zip(found["tests"], texts, strict=True):
        test |= {key: as_written[key] for key in ("input_series",) if key in test}
    return found


def _loaded(texts: Mapping[str, str], files: Sequence[str], test: Mapping[str, Any]) -> str:
    """The rule file for one test: the rules of these files that may have a value from the test's series."""
    known = {str(one["series"]).partition("{")[0].strip() for one in test.get("input_series", ())}
    groups = [group for name in files if name != THRESHOLDS for group in _groups(texts[name])]
    before: set[str] = set()
    while before != known:
        before = set(known)
        known |= {
            rule["record"] for group in groups for rule in group["rules"] if "record" in rule if _kept(rule, known)
        }
    kept = [{**group, "rules": [rule for rule in group["rules"] if _kept(rule, known)]} for group in groups]
    # Without any rule, promtool does not report on the test.
    kept = [group for group in kept if group["rules"]] or groups
    # In JSON a line break is `\n`, whose letter would be read as part of the name that follows.
    asked = json.dumps([test, kept]).replace("\\n", " ")
    limits = _groups(asked_for(texts[THRESHOLDS], asked)) if THRESHOLDS in files else []
    return yaml.dump({"groups": [*limits, *kept]}, Dumper=yaml.CSafeDumper, sort_keys=False)


def _kept(rule: Mapping[str, Any], known: Set[str]) -> bool:
    return is_constant(rule) or has_value(rule, known)


@cache
def _groups(rules: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = load_yaml(rules)["groups"]
    return found


@cache
def plain_verdicts() -> Mapping[str, str]:
    """promtool's result for each plain test file of this folder."""
    return verdicts({path.name: path.read_text() for path in PLAIN})


@pytest.mark.parametrize("case", PLAIN, ids=lambda path: path.name)
def test_promtool_passes(case: Path) -> None:
    verdict = plain_verdicts().get(case.name, "promtool did not read it")
    assert verdict.split() == ["SUCCESS"], verdict


@pytest.mark.parametrize("name", NAMES)
def test_it_has_a_case_in_which_it_fires(name: str) -> None:
    for rule in alerts()[name]:
        # The expected label `page` is compared where an alert fires.
        own = {label: value for label, value in rule["labels"].items() if label != "page"}
        assert any(name == other and own.items() <= labels.items() for other, labels in expected())


def test_every_alert_has_its_own_case_in_which_it_never_fires() -> None:
    silent = {case.alert for case in python_cases() if case.expect and not case.fires}
    silent |= {name for name, times in plain_checks() if not any(times)}
    assert set(NAMES) - ALWAYS_FIRING - silent == set()


def test_every_alert_has_a_case_that_reads_its_text() -> None:
    told = {case.alert for case in python_cases() if case.says and case.fires}
    # promtool compares the annotations of all it expects.
    told |= {name for name, times in plain_checks() if any(times)}
    assert set(NAMES) - told == set()


def test_every_alert_that_fires_in_a_case_has_the_common_labels() -> None:
    missing = {(name, label) for name, labels in expected() for label in LABELS if not labels.get(label)}
    assert missing == set()


def test_every_required_alert_exists() -> None:
    assert REQUIRED.keys() - set(NAMES) == set()


@pytest.mark.parametrize("name", NAMES)
def test_its_severity_and_wait_are_the_required_ones(name: str) -> None:
    for rule in alerts()[name]:
        severity = rule["labels"]["severity"]
        assert severity in REQUIRED.get(name, SEVERITIES)
        business = rule["labels"]["component"] == "business"
        longest = LONGEST.get(name) or LONGEST_BY_SEVERITY["info" if business else severity]
        assert _seconds(rule.get("for", "0s")) <= longest


@pytest.mark.parametrize("name", NAMES)
def test_it_states_whether_it_pages(name: str) -> None:
    for rule in alerts()[name]:
        assert rule["labels"]["page"] in ("yes", "no")
        if rule["labels"]["severity"] != "critical":
            assert rule["labels"]["page"] == "no"


@pytest.mark.parametrize("name", NAMES)
def test_it_has_the_labels_and_annotations_of_every_alert(name: str) -> None:
    for rule in alerts()[name]:
        labels, annotations = rule["labels"], rule["annotations"]
        assert labels["component"] in COMPONENTS
        # It has the condition of the alert that it repeats.
        if name != RECENT:
            assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", labels["condition"])
        assert annotations.keys() - set(CONTEXT) == set(ANNOTATIONS)
        assert all(annotations.values())


@pytest.mark.parametrize("name", NAMES)
def test_its_dashboard_exists(name: str) -> None:
    for rule in alerts()[name]:
        path = rule["annotations"]["dashboard_url"].removeprefix("/d/").partition("?")[0]
        assert path.removeprefix("{{ $labels.system }}") in uids()


def test_a_warning_and_its_critical_have_the_same_condition() -> None:
    for name in NAMES:
        other = name.replace("High", "Critical", 1).replace("Low", "Critical", 1)
        if other == name or other not in NAMES:
            continue
        conditions = {rule["labels"]["condition"] for rule in alerts()[name]}
        assert conditions == {rule["labels"]["condition"] for rule in alerts()[other]}, name


@pytest.mark.parametrize("name", NAMES)
def test_its_runbook_is_a_page_with_the_five_headings(name: str) -> None:
    for rule in alerts()[name]:
        assert rule["annotations"]["runbook_url"] == f"runbooks/{name}.md"
    page = (ROOT / "runbooks" / f"{name}.md").read_text()
    for heading in ("Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation"):
        assert f"\n## {heading}\n" in page


def test_every_runbook_belongs_to_an_alert() -> None:
    assert {*NAMES, *OF_GRAFANA} == PAGES.keys()


def _seconds(duration: str) -> float:
    return seconds(duration) if duration != "0s" else 0.0
