"""Series and alerts: what rules record of signals, thresholds with their reasons, and every alert."""

from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, Final

from pydantic.alias_generators import to_camel

import rules
from observability.check import specimen
from observability.logs import log_rules
from observability.systems.model import System
from observability.systems.signals import Signals
from observability.systems.threshold_spec import DAY, GIB, HOUR, ThresholdSpec
from observability.systems.thresholds import THRESHOLDS
from rules import history, signals, slo
from rules.overrides import Overrides
from tools.reference.markdown import NONE, code, codes, page, table

_GENERATORS: Final = (signals, history, slo)
_DOMAIN: Final = "domain"
"""Signals whose label `domain` is optional, and makes further series."""


def text() -> str:
    """The page."""
    return page(
        "Metrics, thresholds and alerts",
        "A system's file says which of its own series has which meaning ([systems.md](systems.md)). Recording rules "
        "make the same series of it for every system; alerts and dashboards read those. Times are in seconds, shares "
        "are 0 to 1, sizes in bytes.",
        "## Canonical series by signal",
        "A series is recorded for a system whose file has all the signals beside which it stands. `rules/signals.py`, "
        "`rules/history.py` and `rules/slo.py` make the rules; `./obs synth STACK --out DIR` writes them.",
        table(("signal", "meaning", "series"), _of_signals()),
        *_further(),
        "### Labels of these series",
        table(("series", "labels"), _labels()),
        "## Series of rule files",
        table(("series", "rule file"), _of_files()),
        "## Series counted from log lines",
        "Loki's ruler writes them to Prometheus.",
        table(
            ("series", "labels", "rule file"),
            sorted({(code(one.name), codes(sorted(one.labels)), _linked(one.file)) for one in log_rules.recorded()}),
        ),
        "## Thresholds",
        "Every number of an alert is a series `app:threshold:<name>` with the labels `system`, `team` and `severity`, "
        "of a percentile `quantile` too. A system's file sets it for all environments, "
        "`observability:systems.<name>.thresholds` for one: `{errorRatio: {critical: 5%}}`. Where the table has no "
        "default, a system has the alert if it sets the value. Breached: whether a value above or below it raises the "
        "alert; a minimum is of events, below which the alert is not evaluated.",
        table(
            ("threshold", "series", "meaning", "breached", "unit", "default", "reason", "needs the signal"),
            _thresholds(),
        ),
        "## Alerts",
        "`page`: whether it wakes someone; a system or an environment can change it (`page`), and the wait (`for`). "
        "The expression, the texts and the labels are in the rule file.",
        table(("alert", "severity", "page", "for", "component", "condition", "rule file"), _alerts()),
    )


def _specimen() -> System:
    """A system with every signal and every optional label."""
    system = specimen.config().systems[specimen.NAME]
    own = system.signals
    labelled = {
        name: value.model_copy(update={_DOMAIN: _DOMAIN})
        for name in Signals.model_fields
        if _DOMAIN in getattr(type(value := getattr(own, name)), "model_fields", {})
    }
    return system.model_copy(update={"signals": own.model_copy(update=labelled)})


def _recorded(system: System, *generators: ModuleType) -> set[str]:
    """Names of the series that these generators, or all, record for a system."""
    return {
        rule["record"]
        for generator in generators or _GENERATORS
        for group in generator.groups(system)
        for rule in group["rules"]
        if "record" in rule
    }


def _by_signal() -> dict[str, set[str]]:
    """The series that are missing without a signal, by the signal's name."""
    system = _specimen()
    everything = _recorded(system)
    found = {}
    for name, info in Signals.model_fields.items():
        own = system.signals.model_copy(update={name: info.get_default(call_default_factory=True)})
        found[name] = everything - _recorded(system.model_copy(update={"signals": own}))
    return found


def _further() -> Iterator[str]:
    """Series that are not missing without a single signal."""
    system = _specimen()
    objectives = _recorded(system, slo)
    bare = _recorded(system.model_copy(update={"signals": Signals()}), signals, history)
    several = _recorded(system).difference(objectives, bare, *_by_signal().values())
    yield f"Recorded for every system: {codes(sorted(bare))}."
    yield f"Recorded for each of its SLOs (`slos`): {codes(sorted(objectives))}."
    yield f"Recorded where one of several signals is there: {codes(sorted(several))}."


def _of_signals() -> Iterator[tuple[str, str, str]]:
    for name, series in _by_signal().items():
        yield code(to_camel(name)), Signals.model_fields[name].description or NONE, codes(sorted(series))


def _labels() -> Iterator[tuple[str, str]]:
    catalogue = specimen.catalogue()
    for name in sorted(_recorded(_specimen())):
        known = catalogue.called(name)
        if known:
            yield code(name), codes(sorted(set[str]().union(*(one.shape.possible for one in known))))


def _rules() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every rule of the plain files, with the file's name."""
    for name, source in rules.load().items():
        for group in source.document["groups"]:
            yield from ((name, rule) for rule in group["rules"])


def _of_files() -> Iterable[tuple[str, str]]:
    return sorted({(code(rule["record"]), _file(name)) for name, rule in _rules() if "record" in rule})


def _file(name: str) -> str:
    return _linked(f"rules/{name}")


def _linked(path: str) -> str:
    return f"[{path}](../../{path})"


def _thresholds() -> Iterator[tuple[str, ...]]:
    for name, spec in THRESHOLDS.items():
        default = ", ".join(f"{severity} {_value(value, spec)}" for severity, value in spec.default.items())
        yield (
            code(to_camel(name)),
            code(f"app:threshold:{name}"),
            spec.description,
            "minimum" if spec.floor else spec.breached,
            spec.unit,
            default or f"none; for {', '.join(spec.severities)}",
            spec.reason or NONE,
            code(spec.signal) if spec.signal else NONE,
        )


def _value(value: float, spec: ThresholdSpec) -> str:
    """A value in the form in which people write it."""
    if spec.unit == "ratio":
        return f"{value:.6%}".rstrip("%").rstrip("0").rstrip(".") + "%"
    if spec.unit == "seconds":
        for size, word in ((DAY, "d"), (HOUR, "h"), (60.0, "m")):
            if value >= size and value % size == 0:
                return f"{value / size:g}{word}"
        return f"{value:g}s"
    if spec.unit == "bytes":
        return f"{value / GIB:g}GiB" if value % GIB == 0 else f"{value:.15g}"
    return f"{value:.12g}"


def _alerts() -> Iterator[tuple[str, ...]]:
    plain = Overrides(paging={}, thresholds=())
    made = [
        (str(rule["alert"]), name, one)
        for name, rule in _rules()
        if "alert" in rule
        for one in plain.apply(dict(rule))
    ]
    for alert, name, rule in sorted(made, key=lambda row: (row[0], row[2]["labels"]["severity"], row[1])):
        labels = rule["labels"]
        yield (
            f"[{alert}](../../runbooks/{alert}.md)",
            labels["severity"],
            labels.get("page", NONE),
            str(rule.get("for", NONE)),
            labels.get("component", NONE),
            labels.get("condition", NONE),
            _file(name),
        )
