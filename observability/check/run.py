"""`obs check`: every check of content, without Docker and without a running stack."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from dashboards import linked_rules, own, registry
from dashboards.links import AlertLinks
from observability.alerting import uptime_robot
from observability.check import dashboard_queries, lint, pages, promtool, rulefile, specimen
from observability.check import dashboards as dashboard_lint
from observability.check.catalogue import Catalogue
from observability.check.contract import Finding, check_query, check_rules
from observability.check.problem import PLACEHOLDER, Problem, line_in, of_error, placeholders
from observability.check.readers import of_dashboard
from observability.check.rule_files import Place, check_file
from observability.core import project
from observability.core.alert import LABELS
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.core.types import seconds
from observability.settings import load
from observability.settings.load import StackConfig
from observability.synth.write import generated_files
from observability.systems import load as system_files

FIXES: Final[Mapping[str, str]] = {
    "counter": "use rate() or increase() for a counter, the value itself or delta() for a gauge",
    "window": "make the range at least four scrape intervals",
    "histogram": "write histogram_quantile(q, sum by (le) (rate(x_bucket[5m])))",
    "external labels": "do not use environment and cluster here: Prometheus adds them only to what it sends",
    "regexp": "use = or != for plain text; Prometheus anchors expressions itself",
    "matching": "say which labels the two sides share: on (…), and group_left (…) for many to one",
    "zero": "use absent() to alert on series that are missing",
    "name": "name recording rules level:metric:operations, with the window they use",
    "labels": f"give every alert the labels {', '.join(LABELS)}, in `labels:` or from the expression",
    "template": "use only labels that the expression keeps, and format $value with humanize… or printf",
    "wait": "make `for` zero or at least one evaluation interval",
    "comparison": "compare with a threshold, as in `… > 5`",
    "fragile": "compare all series with the threshold; do not pick by rank",
    "floor": "add a floor on traffic, as in `and on (…) rate(requests_total[5m]) >= 0.1`",
    "duplicate": "remove one of the two rules",
    "unwatched": "add an alert on `up == 0` for that job, or select a job that has one",
}
"""How to fix the findings of a lint check, by the check's name."""

EXPOSED: Final = (
    "correct the name; or declare the series in systems/<name>.yaml, or an exporter's: samples/<name>.prom"
)


_FILLED_IN: Final = {
    "systems": project.YAML,
    "rules": project.YAML,
    "tests/rules": project.YAML,
    "runbooks": (".md",),
    "dashboards": (".py",),
}
"""Folders of content that are searched for placeholders, with the extensions of their files."""


@dataclass(kw_only=True)
class Report:
    """What was checked, and the problems."""

    problems: list[Problem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """How many files or rules of each kind were checked."""
    notes: list[str] = field(default_factory=list)
    """Checks that did not run, and why; and what is not watched from outside."""

    def add(self, *found: Problem) -> None:
        """Add problems, without duplicates."""
        self.problems += [one for one in dict.fromkeys(found) if one not in self.problems]


def check(stacks: Sequence[str] | None = None, *, content: bool = True) -> Report:
    """Check all content: of the project folder if there is one, else of this repository.

    `stacks` names the stacks whose files are read; None: all in the checked folder, or the built-in `dev` where it
    has none. Built-in content is not reported where there is a project folder.
    `content` False: each file is checked by itself, and not against the exposed series.
    """
    report = Report()
    root = project.own() or project.BUILT_IN
    _systems(report)
    _pages_of_dashboards(report)
    unreadable = bool(report.problems)
    places = _rule_files(report, root)
    _placeholders(report, root)
    if unreadable:
        report.notes.append("settings, rules and panels are not checked against each other until that is corrected")
        report.problems.sort(key=lambda one: one.order)
        return report
    configs = _configs(report, root, stacks)
    report.notes += [
        f"Pulumi.{one.stack}.yaml: UptimeRobot does not watch {name}: {why}"
        for one in configs
        if one.settings.uptime_robot.enabled  # Which secrets are stored is not known here.
        for name, why in uptime_robot.unwatched(one)
    ]
    if configs and content:
        _content(report, root, configs[0], places)
    report.problems.sort(key=lambda one: one.order)
    return report


def _systems(report: Report) -> None:
    """Every system's file by itself: an invalid file does not hide errors of the others."""
    found = project.files("systems", *project.YAML)
    report.counts["systems"] = len(found)
    for path in found.values():
        try:
            system_files.load_file(path)
        except ConfigError as error:
            report.add(*(of_error(one, path) for one in error.all))


def _rule_files(report: Report, root: Path) -> dict[str, list[Place]]:
    """The form of every rule file; the place of each rule, by the name that Prometheus gives the file."""
    places: dict[str, list[Place]] = {}
    for stem, path in project.files("rules", *project.YAML, root=root).items():
        problems, places[f"{stem}.yaml"] = check_file(path)
        report.add(*problems)
    for path in project.files("rules/loki", *project.YAML, root=root).values():
        report.add(*check_file(path)[0])
    report.counts["rule files"] = len(places)
    return places


def _placeholders(report: Report, root: Path) -> None:
    """Placeholders of `obs new` in the project's content that still have to be filled in."""
    for folder, suffixes in _FILLED_IN.items():
        for path in sorted(path for path in (root / folder).glob("*") if path.suffix in suffixes):
            report.add(*placeholders(path))


def _pages_of_dashboards(report: Report) -> None:
    try:
        own.modules()
    except ConfigError as error:
        report.add(of_error(error))


def _configs(report: Report, root: Path, stacks: Sequence[str] | None) -> list[StackConfig]:
    """The stacks that can be read, with all their secrets assumed present; `dev` first."""
    if stacks is None:
        found = sorted(
            path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml")
        ) or ["dev"]
        stacks = sorted(found, key=lambda name: name != "dev")
    report.counts["stacks"] = len(stacks)
    configs: list[StackConfig] = []
    for stack in stacks:
        try:
            config = load.from_file(stack, stored_secrets=frozenset(load.stack_secrets(stack)))
            generated_files(config, linked_rules.files(config))
        except ConfigError as error:
            # Errors in the form of a rule file have been reported already.
            known = {(one.file, one.line) for one in report.problems if one.line is not None}
            new = (of_error(one) for one in error.all)
            report.add(*(one for one in new if (one.file, one.line) not in known))
        else:
            configs.append(config)
    return configs


def _content(report: Report, root: Path, config: StackConfig, places: Mapping[str, list[Place]]) -> None:
    """Rules, dashboards and runbooks against each other and against the exposed series."""
    broken = {project.shown(path) for path in project.files("rules", *project.YAML, root=root).values()} & {
        problem.file for problem in report.problems
    }
    interval = seconds(config.settings.prometheus.evaluation_interval)
    texts = _texts(broken)
    plain = {f"{stem}.yaml" for stem in project.files("rules", *project.YAML)}
    generated = {name: text for name, text in linked_rules.files(config).items() if name not in plain}
    found = rulefile.read({**texts, **generated}, interval)
    # A rule that does not parse is reported, and records nothing.
    parsed = [rule for rule in found if lint.parses(rule)]
    beyond = specimen.catalogue()
    catalogue = Catalogue(config, parsed, beyond)
    mine = {id(rule) for rule in found if rule.file in places}
    report.counts["rules"] = len(mine)
    for finding in (*check_rules(found, catalogue), *lint.lint(found, catalogue)):
        if finding.rule is not None and id(finding.rule) in mine:
            report.add(_of_rule(finding, places))
    alerts = [rule for rule in found if id(rule) in mine and rule.alert]
    # A page also serves systems that this stack does not watch, and may use the series of such systems.
    _runbooks(report, root, alerts, places, Catalogue(config, parsed, beyond, examples=True))
    _linked(report, config, alerts, places)
    _dashboards(report, config, catalogue)
    _promtool(report, root, {**generated, **texts}, places, [rule.name for rule in found if rule.alert])


def _texts(broken: Collection[str]) -> dict[str, str]:
    """Every plain rule file unchanged, by name, whether or not the stack has the parts that it is about."""
    return {
        f"{stem}.yaml": path.read_text(encoding="utf-8")
        for stem, path in project.files("rules", *project.YAML).items()
        if project.shown(path) not in broken
    }


def _of_rule(finding: Finding, places: Mapping[str, list[Place]]) -> Problem:
    """The problem of one finding of the lint or the contract, with the line of its rule."""
    rule = finding.rule
    assert rule is not None  # noqa: S101 - checked before
    what, _, check_name = finding.what.rpartition(" [")
    place = _place(rule, places)
    return Problem(
        file=_shown(rule.file),
        line=place.expr_line if place else None,
        what=f"{rule.name}: {what or finding.what}",
        fix=FIXES.get(check_name.rstrip("]"), EXPOSED) if what else EXPOSED,
    )


def _place(rule: rulefile.Rule, places: Mapping[str, list[Place]]) -> Place | None:
    return next((one for one in places[rule.file] if (one.group, one.name) == (rule.group, rule.name)), None)


def _runbooks(
    report: Report,
    root: Path,
    alerts: Sequence[rulefile.Rule],
    places: Mapping[str, list[Place]],
    catalogue: Catalogue,
) -> None:
    """A page for every alert, and the form of every page."""
    known = project.files("runbooks", ".md")
    for rule in alerts:
        if rule.name not in known:
            place = _place(rule, places)
            report.add(pages.missing(rule.name, _shown(rule.file), place.line if place else None))
    mine = [path for name, path in project.files("runbooks", ".md", root=root).items() if name != "README"]
    report.counts["runbooks"] = len(mine)
    for path in mine:
        report.add(*pages.check_page(path, catalogue))


def _linked(
    report: Report, config: StackConfig, alerts: Sequence[rulefile.Rule], places: Mapping[str, list[Place]]
) -> None:
    """Every alert links to a panel that shows it."""
    links = AlertLinks(config=config, pages={}, own=own.links())
    for rule in alerts:
        if not (rule.annotations.get("dashboard_url") or links.dashboard(rule.name, rule.labels.get("component", ""))):
            report.add(
                _at(
                    rule,
                    places,
                    "no panel shows it, so its messages have no dashboard_url",
                    f'name it in a panel of your own: @page.panel(row=…, alerts=("{rule.name}",)); '
                    "or write the annotation dashboard_url",
                )
            )


def _at(rule: rulefile.Rule, places: Mapping[str, list[Place]], what: str, fix: str) -> Problem:
    """A problem of a whole rule."""
    place = _place(rule, places)
    return Problem(file=_shown(rule.file), line=place.line if place else None, what=f"{rule.name}: {what}", fix=fix)


def _shown(file: str) -> str:
    """The path of a rule file, by the name that Prometheus gives it."""
    path = project.files("rules", *project.YAML).get(file.removesuffix(".yaml"))
    return project.shown(path) if path else f"rules/{file}"


def _dashboards(report: Report, config: StackConfig, catalogue: Catalogue) -> None:
    """The form of every dashboard, and the series of its queries; with a project folder, only its dashboards."""
    entries = registry.dashboards(config)
    documents = [json.loads(entry.text) for entry in entries]
    runbooks = frozenset(project.files("runbooks", ".md"))
    around = dashboard_lint.surroundings(documents, frozenset(config.systems), runbooks)
    only_own = project.own() is not None
    mine = {entry.uid: entry for entry in entries if entry.source is not None or not only_own}
    report.counts["dashboards"] = len(mine)
    for document in documents:
        entry = mine.get(document["uid"])
        if entry is None:
            continue
        for check_one in (*dashboard_lint.STRUCTURE, *dashboard_queries.QUERIES):
            report.add(*(_of_page(entry, found, check_one.__doc__ or "") for found in check_one(document, around)))
        for query in of_dashboard(document):
            owner = query.where.partition(": ")[2]
            for finding in check_query(query.text, query.where, catalogue):
                report.add(_of_page(entry, f"{owner}: {finding.what}", EXPOSED))


def _of_page(entry: registry.Entry, what: str, fix: str) -> Problem:
    title = what.partition(": ")[0]
    if entry.source is None:
        return Problem(file=None, line=None, what=f"dashboard {entry.uid}: {what}", fix=fix)
    return Problem(file=project.shown(entry.source), line=line_in(entry.source, f'"{title}"'), what=what, fix=fix)


def _promtool(
    report: Report,
    root: Path,
    texts: Mapping[str, str],
    places: Mapping[str, list[Place]],
    alerts: Collection[str],
) -> None:
    """The errors that promtool reports in the rules and in the project's tests of them; and alerts without a test."""
    tests = sorted((root / "tests" / "rules").glob("*.test.y*ml"))
    if project.own() is not None:
        report.add(*_untested(tests, places, alerts))
    program = promtool.find()
    if program is None:
        report.notes.append(
            "promtool was not found (on PATH, or built by ./obs up): PromQL was checked, rule tests not run"
        )
        return
    report.add(*promtool.check_rules(program, texts))
    if project.own() is not None:
        report.counts["rule tests"] = len(tests)
        filled = [path for path in tests if PLACEHOLDER not in path.read_text(encoding="utf-8")]
        report.add(*promtool.test_rules(program, filled, texts))


def _untested(tests: Sequence[Path], places: Mapping[str, list[Place]], alerts: Collection[str]) -> Iterator[Problem]:
    """Alerts of the project without a test in which they fire and one in which they do not."""
    firing: set[str] = set()
    silent: set[str] = set()
    for path in tests:
        try:
            document = load_yaml(path.read_text(encoding="utf-8")) or {}
            for test in document.get("tests") or ():
                for one in test.get("alert_rule_test") or ():
                    (firing if one.get("exp_alerts") else silent).add(str(one.get("alertname")))
        except (yaml.YAMLError, AttributeError) as error:
            what = f"is not a file of promtool's tests: {' '.join(str(error).split())}"
            yield Problem(
                file=project.shown(path), line=None, what=what, fix="see the tests of the example, tests/rules/"
            )
    for file, found in places.items():
        for place in found:
            if place.alert and place.name in alerts:
                lacking = [
                    word for word, known in (("fires", firing), ("does not fire", silent)) if place.name not in known
                ]
                if lacking:
                    yield Problem(
                        file=_shown(file),
                        line=place.line,
                        what=f"{place.name}: no test in which it {' and none in which it '.join(lacking)}",
                        fix="add one to tests/rules/*.test.yaml, in the form of `promtool test rules`",
                    )
