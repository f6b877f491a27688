"""Rule tests as tables in Python: raw series of a system in, alerts out, checked by promtool.

A test module keeps a list `CASES` and runs it with `test_alerts = promtool(CASES)`: one run of promtool for all of
them. The rules are those of `rules.files` for a stack with everything on; of the generated ones a case loads only its
systems', of the others only the files it names. At each time in a case, the alerts it expects must fire, with
exactly the labels given, and no other alert of the files it loads may. Recordings that none of these alerts reads are
left out, and alerts that read none of the case's series: a week of all of them takes promtool minutes.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import fromstring

import pytest
import yaml

from dashboards.linked_rules import files
from observability.core.documents import load_yaml
from rules.promql import matchers
from tests.rules.required import page
from tests.tools import run_tool
from tests.unit.conftest import PARTS, REFERENCE, stack_config

Labels = Mapping[str, str]

MADE: Final = ("thresholds", "signals", "history", "slo")
"""The generated rule files, in the order in which their groups build on each other."""

EVERYTHING: Final = {key: value for key, value in PARTS.items() if key != "links"}
"""Settings with all parts on and the systems' own thresholds."""

_SYSTEM: Final = re.compile(r'system="([^"]+)"')
_RECORDED: Final = re.compile(r"\b(?:app|slo):[a-zA-Z0-9_:]+")
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_WITHOUT_SERIES: Final = re.compile(r"\b(?:absent\w*|vector|time|ALERTS|__name__|or|unless)\b")
"""What may give an expression a value although no series is there."""

_CONSTANT: Final = re.compile(r"vector\([-+.\de]+\)")

_REPORT: Final = "/dev/shm/report.xml"  # noqa: S108 - in the container


@dataclass(frozen=True, kw_only=True)
class Firing:
    """An alert that fires, with all its labels but its name, and `page` if it is as in the requirements."""

    alert: str
    labels: Labels


@dataclass(frozen=True, kw_only=True)
class Says:
    """The exact texts of the alert that a case is about."""

    summary: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Case:
    """One course of events."""

    name: str
    """A sentence, unique in a module."""
    series: Mapping[str, str]
    """Raw series and their values in promtool's notation, one each `step`."""
    alert: str = ""
    """The alert it is about; none where it is about recorded values alone."""
    expect: Mapping[str, Sequence[Firing]] = field(default_factory=dict)
    """The alerts that fire at each time, like 5m30s."""
    load: tuple[str, ...] = ()
    """The rule files with alerts that are loaded, like applications.yaml."""
    made: tuple[str, ...] = ("thresholds", "signals")
    """Which generated rules are loaded; those of days (history, slo) take long."""
    systems: tuple[str, ...] = ()
    """Whose generated rules are loaded; by default those of the systems that the series name."""
    says: Says | None = None
    step: str = "30s"
    every: str = "30s"
    """How often all rules are evaluated: promtool ignores the groups' own intervals."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the stack that override the tests' full ones."""
    values: Mapping[str, Sequence[tuple[Labels, float]]] = field(default_factory=dict)
    """All samples that an expression yields at the time `at`, to six digits, without their name."""
    at: str = "10m"
    root: Path = REFERENCE
    """The project whose systems' rules are loaded."""

    @property
    def fires(self) -> bool:
        """Whether the alert it is about ever fires in it."""
        return any(firing.alert == self.alert for firings in self.expect.values() for firing in firings)


def promtool(cases: Sequence[Case]) -> Callable[[Case], None]:
    """A test function for all the cases, which are checked together when the first result is requested."""
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), f"two cases have one name: {sorted(n for n in names if names.count(n) > 1)}"

    @cache
    def verdicts() -> dict[str, str]:
        return judge(cases)

    @pytest.mark.parametrize("case", cases, ids=names)
    def test(case: Case) -> None:
        failure = verdicts().get(case.name)
        assert failure is None, failure

    return test


def judge(cases: Sequence[Case]) -> dict[str, str]:
    """promtool's failures for each case, by its name; empty if all is as expected."""
    written: dict[str, str] = {}
    documents: dict[str, dict[str, Any]] = {}
    for case in cases:
        groups = _evaluated(case)
        rules = yaml.dump({"groups": groups}, Dumper=yaml.CSafeDumper, sort_keys=False)
        rule_file = next((name for name, text in written.items() if text == rules), f"rules-{len(written)}.yaml")
        written[rule_file] = rules
        test_file = f"{rule_file}-{case.every}.test.yaml"
        document = documents.setdefault(
            test_file,
            {
                "rule_files": [rule_file],
                "evaluation_interval": case.every,
                "group_eval_order": [group["name"] for group in groups],
                "tests": [],
            },
        )
        document["tests"].append(_test(case))
    written |= {name: yaml.dump(document, Dumper=yaml.CSafeDumper) for name, document in documents.items()}
    failures = reported(written, list(documents))
    said = {case.name: failures.get(case.name, "promtool says nothing of it") for case in cases}
    return {name: failure for name, failure in said.items() if failure is not None}


def reported(written: Mapping[str, str], documents: Sequence[str]) -> dict[str, str | None]:
    """For each test of these files, by its name: promtool's failure, or None; of all files one run.

    AssertionError with what it prints if it reports on none.
    """
    # The report names the case of every failure; what promtool prints does not.
    tested = f"promtool test rules --junit={_REPORT} {' '.join(documents)}"
    command = f"{tested}; code=$?; cat {_REPORT}; exit $code"
    output = run_tool("prometheus", ["sh", "-c", command], written).output
    text, found, report = output.partition("<testsuites>")
    assert found, text
    tests = fromstring(found + report).iter("testcase")  # noqa: S314 - promtool's own
    failures = {str(test.get("name")): test.find("failure") for test in tests}
    return {name: None if failure is None else failure.text or "" for name, failure in failures.items()}


@cache
def rule_groups(settings: str, root: Path = REFERENCE) -> dict[str, list[dict[str, Any]]]:
    """Rule groups by file, of a stack with everything on and these additional settings (JSON)."""
    texts = files(stack_config("dev", {**EVERYTHING, **json.loads(settings)}, root))
    return {name: load_yaml(text)["groups"] for name, text in texts.items()}


def _evaluated(case: Case) -> list[dict[str, Any]]:
    """The groups that a case needs, in the order in which they are evaluated.

    Of the alerts that it loads, those are left out that read none of its series, as they cannot fire.
    """
    made, alerts = _loaded(case)
    known = {text.partition("{")[0] for text in case.series}
    for group in [*made, *alerts]:
        known |= {rule["record"] for rule in group["rules"] if "record" in rule and has_value(rule, known)}
    kept = [{**group, "rules": [rule for rule in group["rules"] if has_value(rule, known)]} for group in alerts]
    kept = [group for group in kept if group["rules"]]
    return [*needed(made, json.dumps([kept, list(case.values)])), *kept]


def is_constant(rule: Mapping[str, Any]) -> bool:
    """Whether a rule has the same value whatever series there are."""
    return bool(_CONSTANT.fullmatch(str(rule["expr"])))


def has_value(rule: Mapping[str, Any], known: Set[str]) -> bool:
    """Whether a rule may have a value, besides a constant, where only series of these names are."""
    if is_constant(rule):
        return False
    return bool(known & set(_NAME.findall(rule["expr"])) or _WITHOUT_SERIES.search(rule["expr"]))


def _loaded(case: Case) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The generated groups and the groups of alerts that a case loads."""
    found = rule_groups(json.dumps(case.settings, sort_keys=True), case.root)
    systems = set(case.systems) or {name for text in case.series for name in _SYSTEM.findall(text)}
    made = [
        group
        for name in MADE
        if name in case.made
        for group in found[f"{name}.yaml"]
        if group["name"].removeprefix(f"{name}-").partition("/")[0] in systems
    ]
    alerts = [
        {**group, "rules": [_told(rule, case) for rule in group["rules"]]}
        for name in case.load
        for group in found[name]
    ]
    return made, alerts


def needed(groups: Sequence[dict[str, Any]], asked: str) -> list[dict[str, Any]]:
    """The recordings that a text reads, directly or through others; each reads only those before it."""
    # In JSON a line break is `\n`, whose letter would be read as part of the name that follows.
    wanted = set(_RECORDED.findall(asked.replace("\\n", " ")))
    kept: list[dict[str, Any]] = []
    for group in reversed(groups):
        rules = []
        for rule in reversed(group["rules"]):
            if rule["record"] in wanted:
                wanted.update(_RECORDED.findall(rule["expr"]))
                rules.append(rule)
        if rules:
            kept.append({**group, "rules": rules[::-1]})
    return kept[::-1]


def _told(rule: dict[str, Any], case: Case) -> dict[str, Any]:
    """The rule without annotations, which promtool would compare, except for the text that the case is about."""
    kept = {key: value for key, value in rule.items() if key != "annotations"}
    if case.says and rule.get("alert") == case.alert:
        kept["annotations"] = {key: rule["annotations"][key] for key in ("summary", "description")}
    return kept


def _test(case: Case) -> dict[str, Any]:
    return {
        "name": case.name,
        "interval": case.step,
        "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
        "alert_rule_test": [
            {"eval_time": time, "alertname": alert, "exp_alerts": list(_expected(case, alert, firings))}
            for time, firings in case.expect.items()
            for alert in _alerts(case)
        ],
        "promql_expr_test": [
            {
                "expr": f"round({expr}, 1e-6)",
                "eval_time": case.at,
                "exp_samples": [{"labels": matchers(labels), "value": value} for labels, value in samples],
            }
            for expr, samples in case.values.items()
        ],
    }


def _alerts(case: Case) -> list[str]:
    """Names of all alerts that a case loads; an alert that it expects and does not load is an error."""
    _, alerts = _loaded(case)
    names = sorted({rule["alert"] for group in alerts for rule in group["rules"] if "alert" in rule})
    expected = ({case.alert} - {""}) | {firing.alert for firings in case.expect.values() for firing in firings}
    assert expected <= set(names), f"{case.name}: no alert {expected - set(names)} in {case.load}"
    return names


def _expected(case: Case, alert: str, firings: Sequence[Firing]) -> Iterator[dict[str, Any]]:
    for firing in firings:
        if firing.alert == alert:
            told = {"summary": case.says.summary, "description": case.says.description} if case.says else {}
            labels = {"page": page(alert, firing.labels), **firing.labels}
            yield {"exp_labels": labels, **({"exp_annotations": told} if alert == case.alert else {})}
