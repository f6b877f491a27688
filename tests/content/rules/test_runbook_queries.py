"""The queries of a runbook while its alert fires: when a fault of the demo raises the alert, none is empty.

A course lasts 15 minutes. It has the series of the system, and those of the recorded samples, with constant
values, for its data stores, hosts and containers. Queries that read recordings of days or of hosts are left out, and
those for other systems. In the remaining ones
- a comparison does not filter: that nothing is down is also a result;
- `offset` is dropped, as there are no samples of the day before, and a window is at least five scrapes long;
- a word in capitals is replaced by the system, or any value.
"""

import re
from collections.abc import Iterator, Mapping, Set
from functools import cache

import pytest

from demo.faults import Fault
from observability.check.exposition import Sample, head, read
from observability.check.promql import ANY_VALUE, matchers, parse, selectors
from observability.check.readers import of_page
from observability.settings.load import ROOT
from rules.promql import matchers as labelled
from tests.content.rules.test_demo import BEFORE, COURSES, DURING, STEP, scrapes
from tests.content.unit.demo_figures import Run
from tests.content.unit.test_demo_faults import QUIETEST, conditions
from tests.rules.harness import MADE, Case, judge, rule_groups

LOADED = ("applications.yaml",)
"""Pages query the firing alerts: it is enough to load those of which some fire in every such course."""

SERIES = re.compile(r"(\w+)\{(.*)\}")
COMPARISON = re.compile(r"(?<![=!<>~])(==|!=|>=|<=|>|<)(?![=~])(?! *bool)")
SHORT = re.compile(r"\[[1-4]m\]")
OFFSET = re.compile(r" offset \d+[smhdw]")

SAMPLES = ROOT / "observability" / "check" / "samples"

SOUGHT: Mapping[str, Mapping[str, str]] = {
    "pg_stat_activity_count": {"wait_event_type": "Lock"},
    "redis_commands_total": {"cmd": "flushall"},
}
"""Labels, by series name, with which a page finds a cause, for series that no recorded sample has."""

FAULTS = [(name, fault) for name, fault in COURSES if fault is not None]


def filled(query: str, system: str) -> str:
    """A query of a page for one system, changed so that it is empty only if there is no data."""
    text = query.replace(f'system="{ANY_VALUE}"', f'system="{system}"').replace(f'="{ANY_VALUE}"', '=~".+"')
    # A query for what is new since the day before needs samples of a day without it.
    text = text if "unless" in text else OFFSET.sub("", text)
    outside, *inside = re.split(r"(\{[^}]*\})", SHORT.sub("[5m]", text))
    parts = [outside, *inside]
    return "".join(part if part.startswith("{") else COMPARISON.sub(r"\1 bool", part) for part in parts).strip()


def recorded(system: str) -> set[str]:
    """Names of the series that the rules record for a system within minutes."""
    return {
        rule["record"]
        for file in MADE[:2]
        for group in rule_groups("{}", ROOT)[f"{file}.yaml"]
        if group["name"].removeprefix(f"{file}-").partition("/")[0] == system
        for rule in group["rules"]
    }


@cache
def samples() -> Mapping[str, list[tuple[str, Sample]]]:
    """What exporters expose, by the series' name: the job, and the series without the labels of its target."""
    found: dict[str, list[tuple[str, Sample]]] = {}
    for path in sorted(SAMPLES.glob("*.prom")):
        text = path.read_text(encoding="utf-8")
        job = head(text)["job"]
        for sample in (sample for family in read(text).values() for sample in family.samples):
            found.setdefault(sample.name, []).append((job, sample))
    return found


def exported(system: str, names: Set[str]) -> Iterator[str]:
    """Series of a system's stores, hosts and containers with these names."""
    for name in sorted(names & samples().keys()):
        for job, sample in samples()[name]:
            own = {**dict(sample.labels), "system": system, "job": job, "instance": "store:1"}
            yield name + labelled(own)
        if name in SOUGHT:
            yield name + labelled({**own, **SOUGHT[name]})


def readable(query: str, system: str, exposed: Mapping[str, Set[str]], known: Set[str]) -> bool:
    """Whether a query is about this system and series that a course has; for alternatives, whether one is."""
    found = []
    for selector in selectors(parse(query)):
        conditions_on = {one.name: one.value for one in matchers(selector)}
        own = conditions_on.get("system", system) == system
        there = selector.name in known or conditions_on.keys() <= exposed.get(selector.name or "", set())
        found.append(own and there)
    return any(found) if " or " in query else all(found)


def pages(fault: Fault) -> Iterator[tuple[str, str]]:
    """The queries of the pages of the alerts that a fault raises, each with its location."""
    for name in sorted({alert.name for alert in fault.raises}):
        for query in of_page(ROOT / "runbooks" / f"{name}.md"):
            yield f"runbooks/{name}.md:{query.line}", query.text


@cache
def case(name: str, fault_name: str) -> tuple[Case, Mapping[str, list[str]]]:
    """A course with a fault, and the locations of each query that is evaluated at its end."""
    run = Run(name, QUIETEST)
    fault = next(one for system, one in FAULTS if (system, one.name) == (name, fault_name))
    series = scrapes(run, conditions(name, fault.name, QUIETEST))
    asked_for = {one.name or "" for _, text in pages(fault) for one in selectors(parse(filled(text, name)))}
    own = {one.partition("{")[0] for one in series}
    series |= dict.fromkeys(exported(name, asked_for - own), f"1x{BEFORE + DURING - 1}")
    exposed: dict[str, set[str]] = {}
    for one in series:
        match = SERIES.fullmatch(one)
        assert match, one
        exposed.setdefault(match[1], set()).update(re.findall(r"(\w+)=", match[2]))
    known = recorded(name) | {"ALERTS"}
    asked: dict[str, list[str]] = {}
    for place, text in pages(fault):
        query = filled(text, name)
        if readable(query, name, exposed, known):
            asked.setdefault(f"group({query})", []).append(place)
    made = Case(
        name=f"{name}: {fault.name}",
        series=series,
        root=ROOT,
        load=LOADED,
        systems=(name,),
        step=f"{STEP}s",
        every=f"{STEP}s",
        at=f"{(BEFORE + DURING - 1) * STEP}s",
        values={query: [({}, 1)] for query in asked},
    )
    return made, asked


@cache
def verdicts() -> dict[str, str]:
    """promtool's failures for each course; one run of promtool for all."""
    return judge([case(name, fault.name)[0] for name, fault in FAULTS])


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[f"{name}: {fault.name}" for name, fault in FAULTS])
def test_no_query_of_the_runbook_is_empty_while_its_alert_fires(name: str, fault: Fault) -> None:
    made, asked = case(name, fault.name)
    assert asked, "no query of its pages was run"
    failure = verdicts().get(made.name, "").replace('\\"', '"')
    places = [place for query, found in asked.items() for place in found if query in failure]
    assert not failure, f"{', '.join(places)}\n{failure}"
