"""Every known series and its source: a system's file, an exporter's recorded sample, a rule, or Prometheus."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import promql_parser as pp

from observability.check import exposition
from observability.check.promql import ANY_VALUE, Matcher, matchers, name_matchers, selectors
from observability.check.rulefile import Rule
from observability.check.shape import Shape, Shaper, either, narrowed
from observability.core import project
from observability.core.types import seconds
from observability.logs import log_rules
from observability.parts.traces import JOB as SPANS
from observability.scrape import agents
from observability.scrape.jobs import jobs
from observability.settings.load import StackConfig
from observability.systems.model import System
from observability.systems.spans import SERIES

SAMPLES: Final = Path(__file__).resolve().parent / "samples"
"""Folder of the recorded samples of the built-in exporters."""

Kind = Literal["counter", "gauge", "histogram", "unknown"]

TARGET_LABELS: Final = frozenset({"system", "job", "instance"})
"""Labels of every scraped series."""

OF_A_SCRAPE: Final = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)
"""Series that Prometheus itself records for every target."""

_SIMILAR: Final = 0.7
"""The share of equal letters (`difflib`) from which a name is suggested."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series name from one source. `interval` in seconds: how often it has a sample."""

    name: str
    kind: Kind
    source: str
    shape: Shape
    interval: float


@dataclass(frozen=True, kw_only=True)
class JobFacts:
    """What is known of the targets of one job."""

    labels: Shape
    interval: float
    honor_labels: bool = False


_Asked: TypeAlias = tuple[tuple[Matcher, ...], tuple[Matcher, ...]]
"""The conditions of a selector: on the name, and on the labels."""


class Catalogue:
    """The series of one stack: of all its systems and jobs, and of its rules.

    `beyond` is the catalogue of a stack with every signal: what it records counts as known, with its labels,
    even if no system of this stack has it; with `examples`, so does what its systems expose.
    """

    def __init__(
        self, config: StackConfig, rules: Iterable[Rule], beyond: "Catalogue | None" = None, *, examples: bool = False
    ) -> None:
        self._config = config
        self._beyond = beyond
        self._examples = examples
        self._rules: dict[str, list[Rule]] = defaultdict(list)
        self._alerts: list[Rule] = []
        for rule in rules:
            if rule.alert:
                self._alerts.append(rule)
            else:
                self._rules[rule.name].append(rule)
        self._recorded: dict[str, list[Series]] = {}
        self._unfinished = 0
        """How many series of rules are being computed; what is found meanwhile may lack them."""
        self._found: dict[_Asked, list[Series]] = {}
        self._selected: dict[_Asked, Shape] = {}

    def beside(self, rules: Iterable[Rule]) -> "Catalogue":
        """The same stack with more rules."""
        own = [*self._alerts, *(rule for found in self._rules.values() for rule in found)]
        made = Catalogue(self._config, [*own, *rules], self._beyond, examples=self._examples)
        # The scraped series are the same, and expensive to compute.
        vars(made).update(jobs=self.jobs, _exposed=self._exposed)
        return made

    @property
    def systems(self) -> set[str]:
        """Values of the label `system`: the watched systems, and those without a file."""
        return {*self._config.teams}

    @property
    def names(self) -> set[str]:
        """The name of every series."""
        return {*self._exposed, *self._rules, *self._elsewhere, "ALERTS", "ALERTS_FOR_STATE"}

    @cached_property
    def _elsewhere(self) -> set[str]:
        """The name of every series that is known only from the other stack."""
        if self._beyond is None:
            return set()
        return {*self._beyond._rules, *(self._beyond._exposed if self._examples else ())}

    def called(self, name: str) -> list[Series]:
        """The series of this name, from all sources."""
        if name in ("ALERTS", "ALERTS_FOR_STATE"):
            return self._alert_series
        here = [*self._exposed.get(name, ()), *self._record(name)]
        if self._beyond is None or name not in self._elsewhere:
            return here
        there = self._beyond.called(name)
        more = frozenset[str]().union(*(one.shape.possible for one in there))
        return [replace(one, shape=replace(one.shape, possible=one.shape.possible | more)) for one in here] or there

    def find(self, selector: pp.VectorSelector) -> list[Series]:
        """The series that a selector may match."""
        return self._find(name_matchers(selector), matchers(selector))

    def _find(self, demanded: tuple[Matcher, ...], conditions: tuple[Matcher, ...]) -> list[Series]:
        asked = demanded, conditions
        if asked in self._found:
            return self._found[asked]
        names = (
            [one.value for one in demanded]
            if len(demanded) == 1 and demanded[0].op == "="
            else [name for name in self.names if demanded and all(one.admits(name) for one in demanded)]
        )
        found = [one for name in sorted(names) for one in self.called(name) if admits(one, conditions)]
        if not self._unfinished:
            self._found[asked] = found
        return found

    def selected(self, selector: pp.VectorSelector) -> Shape:
        """The labels of a selector's result."""
        demanded, conditions = asked = name_matchers(selector), matchers(selector)
        if asked in self._selected:
            return self._selected[asked]
        shape = narrowed(either(series.shape for series in self._find(demanded, conditions)), conditions)
        if not self._unfinished:
            self._selected[asked] = shape
        return shape

    def shaper(self) -> Shaper:
        """Computes the labels of expressions on these series."""
        return Shaper(self.selected)

    @cached_property
    def jobs(self) -> dict[str, JobFacts]:
        """Every job by the value of its label: of the stack, and of the samples."""
        default = seconds(self._config.settings.prometheus.scrape_interval)
        plain = Shape(certain=TARGET_LABELS, possible=TARGET_LABELS)
        found: dict[str, list[JobFacts]] = defaultdict(list)
        there = (job for host in self._config.settings.hosts for job in agents.jobs(self._config, host))
        for job in (*jobs(self._config), *there):
            facts = _facts(job.to_config(), default)
            found[job.name].append(facts)
        for system in self._config.systems.values():
            every = _interval(system, default)
            found[system.job].append(JobFacts(labels=plain, interval=every))
        beyond = self._beyond.jobs if self._beyond else {}
        for path in self._files:
            name = exposition.head(path.read_text())["job"]
            found.setdefault(name, [beyond.get(name, JobFacts(labels=plain, interval=default))])
        return {
            name: JobFacts(
                labels=either(one.labels for one in facts).given("job", value=name),
                interval=max(one.interval for one in facts),
                honor_labels=any(one.honor_labels for one in facts),
            )
            for name, facts in found.items()
        }

    @cached_property
    def _files(self) -> list[Path]:
        return list(project.files("samples", ".prom").values())

    @cached_property
    def _exposed(self) -> dict[str, list[Series]]:
        """The scraped series, and those that Prometheus records of each scrape."""
        found: dict[str, list[Series]] = defaultdict(list)
        for series in (*self._of_systems(), *self._of_samples(), *self._of_scrapes(), *self._of_logs()):
            found[series.name].append(series)
        return found

    def _of_scrapes(self) -> Iterator[Series]:
        # Rules are written once, also for jobs and hosts that another stack has.
        elsewhere = self._beyond.jobs.values() if self._beyond else ()
        for facts in (*self.jobs.values(), *elsewhere):
            for name in OF_A_SCRAPE:
                yield Series(name=name, kind="gauge", source="Prometheus", shape=facts.labels, interval=facts.interval)

    def _of_logs(self) -> Iterator[Series]:
        """What Loki records of log lines and writes to Prometheus."""
        for one in log_rules.recorded() if self._config.runs("loki") else ():
            shape = Shape(certain=one.labels, possible=one.labels)
            yield Series(name=one.name, kind="gauge", source=one.file, shape=shape, interval=one.interval)

    def _of_systems(self) -> Iterator[Series]:
        default = seconds(self._config.settings.prometheus.scrape_interval)
        for system in self._config.systems.values():
            every = _interval(system, default)
            own = ((base, spec, system.job, every) for base, spec in system.series.items())
            measured = ((base, spec, SPANS, default) for base, spec in SERIES.items() if system.spans)
            for base, spec, job, interval in (*own, *measured):
                labels = TARGET_LABELS | frozenset(spec.labels)
                shape = Shape(certain=labels, possible=labels, values={"system": system.name, "job": job})
                for name, kind, more in _parts(base, spec.kind):
                    whole = shape.given(*more) if more else shape
                    source = f"systems/{system.name}.yaml"
                    yield Series(name=name, kind=kind, source=source, shape=whole, interval=interval)

    def _of_samples(self) -> Iterator[Series]:
        for path in self._files:
            text = path.read_text()
            facts = self.jobs[exposition.head(text)["job"]]
            for family in exposition.read(text).values():
                for name in sorted({sample.name for sample in family.samples}):
                    own = [dict(sample.labels) for sample in family.samples if sample.name == name]
                    yield Series(
                        name=name,
                        kind=_kind(family, name),
                        source=f"samples/{path.name}",
                        shape=_with_target(own, facts),
                        interval=facts.interval,
                    )

    def _record(self, name: str) -> list[Series]:
        """The result of the recording rules of this name."""
        if name not in self._rules:
            return []
        if name not in self._recorded:
            # Rules may read themselves; then they add no labels.
            self._recorded[name] = []
            self._unfinished += 1
            self._recorded[name] = [
                Series(
                    name=name,
                    kind="gauge",
                    source=f"rules/{rule.file}",
                    shape=labelled(self.shaper().shape(rule.node), rule),
                    interval=rule.interval,
                )
                for rule in self._rules[name]
            ]
            self._unfinished -= 1
        return self._recorded[name]

    @cached_property
    def _alert_series(self) -> list[Series]:
        """First of the alerts that do not depend on other alerts; the shapes of the others are made from these.

        Queries on alerts are written for all systems, so they may name labels that no alert of this stack has.
        """
        of_alerts = [rule for rule in self._alerts if any(one.name == "ALERTS" for one in selectors(rule.node))]
        vars(self)["_alert_series"] = plain = self._active(rule for rule in self._alerts if rule not in of_alerts)
        self._unfinished += 1
        found = [*plain, *self._active(of_alerts)]
        self._unfinished -= 1
        return found

    def _active(self, alerts: Iterable[Rule]) -> list[Series]:
        return [
            Series(
                name="ALERTS",
                kind="gauge",
                source=f"rules/{rule.file}",
                shape=replace(
                    labelled(self.shaper().shape(rule.node), rule)
                    .given("alertname", value=rule.name)
                    .given("alertstate"),
                    open=True,
                ),
                interval=rule.interval,
            )
            for rule in alerts
        ]

    def nearest(self, name: str) -> str:
        """A phrase with the most similar series name, or an empty text."""
        return nearest(name, self.names)


def admits(series: Series, conditions: Iterable[Matcher]) -> bool:
    """Whether the series may match the conditions, by the known values of its labels."""
    return all(one.admits(series.shape.values[one.name]) for one in conditions if one.name in series.shape.values)


def labelled(shape: Shape, rule: Rule) -> Shape:
    """The shape with the labels that the rule itself sets."""
    for name, value in rule.labels.items():
        if value == "":
            shape = shape.without((name,))
        else:
            shape = shape.given(name, value=None if "{{" in value or ANY_VALUE in value else value)
    return shape


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` with the most similar known word, or an empty text."""
    parts = set(word.split("_"))
    shared = {one: len(parts.intersection(one.split("_"))) for one in known}
    # Comparing letters is slow: first only the names that have the most words in common.
    most = max(shared.values(), default=0)
    alike = sorted(one for one, count in shared.items() if count and count >= most - 1)
    found = difflib.get_close_matches(word, alike, n=1, cutoff=_SIMILAR) or difflib.get_close_matches(
        word, sorted(shared), n=1, cutoff=_SIMILAR
    )
    return f"; did you mean {found[0]}?" if found else ""


def _parts(base: str, kind: str) -> list[tuple[str, Kind, tuple[str, ...]]]:
    """Names, kinds and further labels of the series of one entry of a system's file."""
    if kind != "histogram":
        return [(base, "counter" if kind == "counter" else "gauge", ())]
    # It is stored as buckets or as one native series, depending on the scrape.
    return [
        (base, "histogram", ()),
        (f"{base}_bucket", "counter", ("le",)),
        (f"{base}_sum", "counter", ()),
        (f"{base}_count", "counter", ()),
    ]


def _kind(family: exposition.Family, name: str) -> Kind:
    match family.kind:
        case "counter" | "histogram":
            return "counter"
        case "gauge":
            return "gauge"
        case "summary":
            return "gauge" if name == family.name else "counter"
        case _:
            return "unknown"


def _with_target(samples: Iterable[Mapping[str, str]], facts: JobFacts) -> Shape:
    """The labels of an exporter's series after the scrape."""
    shapes: list[Shape] = []
    for labels in samples:
        clash = labels.keys() & facts.labels.possible if not facts.honor_labels else set()
        names = {f"exported_{name}" if name in clash else name: value for name, value in labels.items()}
        shapes.append(
            Shape(
                certain=facts.labels.certain | {name for name, value in names.items() if value},
                possible=facts.labels.possible | names.keys(),
                values={name: value for name, value in facts.labels.values.items() if name not in names},
            )
        )
    return either(shapes)


def _interval(system: System, default: float) -> float:
    """Seconds between two scrapes of a system."""
    return seconds(system.scrape.interval) if system.scrape and system.scrape.interval else default


def _facts(job: Mapping[str, Any], default: float) -> JobFacts:
    """What a scrape configuration states about its targets."""
    every = seconds(job["scrape_interval"]) if "scrape_interval" in job else default
    shapes: list[Shape] = []
    intervals: list[float] = []
    for group in job.get("static_configs", ()):
        labels = group["labels"]
        intervals.append(seconds(labels["__scrape_interval__"]) if "__scrape_interval__" in labels else every)
        names = frozenset(name for name in labels if not name.startswith("__")) | {"job", "instance"}
        shapes.append(Shape(certain=names, possible=names))
    found = any(key.endswith("_sd_configs") for key in job)
    if found or not shapes:
        shapes.append(Shape(certain=TARGET_LABELS, possible=TARGET_LABELS))
    return JobFacts(
        labels=either(shapes),
        interval=max(intervals, default=every),
        honor_labels=bool(job.get("honor_labels")),
    )
