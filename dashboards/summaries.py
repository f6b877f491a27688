"""The summaries of firing alerts, as a table shows them.

Prometheus stores firing alerts without annotations and without their value. A summary is therefore restored from its
template: the labels and, where the rule compares a recorded series, the present value of that series are joined to one
text, which value mappings of Grafana turn into the summary.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from grafana_foundation_sdk.models import dashboard

import rules
from observability.core.alert import NO_PROBLEM
from observability.settings.load import StackConfig

KEYS: Final = ("component", "alertname", "severity")
"""Labels that select the rule of an alert."""

SEPARATOR: Final = ";"
UNKNOWN: Final = "…"
"""Text in place of a value that is not recorded."""

_ANYTHING: Final = f"[^{SEPARATOR}]*"
_RECORDED: Final = re.compile(r"\s*(?:max_over_time\()?([a-z_]+:[a-z0-9_:]+(?:\{[^}]*\})?)(?:\[\w+\]\))?\s*([<>])")
_LABEL: Final = re.compile(r"\{\{-?\s*\$labels\.(\w+)\s*-?\}\}")
_VALUE: Final = re.compile(r"\{\{(?!-?\s*if\b)[^{}]*\$value[^{}]*\}\}")
_QUERIED: Final = re.compile(r"\{\{[^{}]*\|\s*value\b[^{}]*\}\}")
_BRANCH: Final = re.compile(r"\{\{-?\s*else\s*-?\}\}")
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_USED: Final = re.compile(r"\$labels\.(\w+)")


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What the rules of one component, alert name and severity state."""

    component: str
    alert: str
    severity: str
    summary: str
    """The template."""
    expr: str

    @property
    def value(self) -> tuple[str, str] | None:
        """Query of the present value, and its unit; None where the rule compares no recorded series."""
        found = _RECORDED.match(self.expr)
        if found is None or not _VALUE.search(self.summary):
            return None
        series, operator = found.groups()
        if "humanizePercentage" in self.summary:
            return f"round(100 * {series}, 0.1)", " %"
        if "humanizeDuration" in self.summary:
            # Too little time is left, or something takes too long.
            return (f"round({series} / 86400, 0.1)", " days") if operator == "<" else (f"round({series}, 0.01)", " s")
        return f"round({series}, 0.01)", ""


@dataclass(frozen=True)
class Summaries:
    """The summaries of a stack's alerts."""

    meanings: tuple[Meaning, ...] = ()

    @classmethod
    def of(cls, config: StackConfig) -> "Summaries":
        """Those of the rule files that the stack loads, by component, alert name and severity."""
        found: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
        for rule in (one for one in rules.alerts(config) if one["alert"] not in NO_PROBLEM):
            labels, texts = rule.get("labels") or {}, rule.get("annotations") or {}
            key = str(labels.get("component", "")), str(rule["alert"]), str(labels.get("severity", ""))
            if "summary" in texts:
                found.setdefault(key, []).append((str(texts["summary"]), str(rule["expr"])))
        return cls(
            tuple(
                Meaning(
                    component=component,
                    alert=alert,
                    severity=severity,
                    summary=_common([summary for summary, _ in stated], component),
                    expr=stated[0][1],
                )
                for (component, alert, severity), stated in sorted(found.items())
            )
        )

    def without(self, component: str) -> "Summaries":
        """Those of the other components."""
        return Summaries(tuple(one for one in self.meanings if one.component != component))

    def only(self, *components: str) -> "Summaries":
        """Those of these components."""
        return Summaries(tuple(one for one in self.meanings if one.component in components))

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """The labels that the summaries name: those that tell one alert of a name from another."""
        named = {label for meaning in self.meanings for label in _USED.findall(meaning.summary)}
        return tuple(sorted(named | {"system", "instance"}))

    @property
    def measured(self) -> tuple[str, ...]:
        """Those of these labels that alerts with a recorded value have."""
        named = {label for one in self.meanings if one.value for label in _USED.findall(one.summary)}
        return tuple(sorted(named | {"system"}))

    def values(self) -> str | None:
        """Query of the present values, as the label `value`; None where none is recorded."""
        terms = []
        for meaning in self.meanings:
            if meaning.value is not None:
                found = f'count_values without () ("value", {meaning.value[0]})'
                for label, text in zip(KEYS, (meaning.component, meaning.alert, meaning.severity), strict=True):
                    found = f'label_replace({found}, "{label}", "{text}", "", "")'
                terms.append(found)
        return " or ".join(terms) or None

    @cached_property
    def mappings(self) -> list[dashboard.RegexMap]:
        """Value mappings from the joined labels to the summary; the last one shows the name of an unknown alert."""
        made: dict[str, dashboard.RegexMap] = {}
        for meaning in self.meanings:
            alike = [one for one in self.meanings if (one.component, one.alert) == (meaning.component, meaning.alert)]
            same = len({(one.summary, one.value is None) for one in alike}) == 1
            for valued in (True, False) if meaning.value else (False,):
                one = _mapping(meaning, _ANYTHING if same else meaning.severity, self.identity, valued=valued)
                made.setdefault(one.options.pattern, one)
        name = _regex(f"^{_ANYTHING}{SEPARATOR}({_ANYTHING}){SEPARATOR}.*$", "$1")
        found = [*made.values(), name]
        for index, one in enumerate(found):
            one.options.result.index = index
        return found


def _common(summaries: Sequence[str], component: str) -> str:
    """The one summary; where kinds of servers share an alert, what their summaries have in common.

    `PostgreSQL at X is down` and `MongoDB at X is down` are `Database at X is down`: the alerts have no label that
    tells the kinds apart. Where more than the first word differs, the first summary.
    """
    rests = {summary.partition(" ")[2] for summary in summaries}
    if len(set(summaries)) == 1 or len(rests) > 1:
        return summaries[0]
    return f"{component.capitalize()} {rests.pop()}"


def _mapping(meaning: Meaning, severity: str, identity: Sequence[str], *, valued: bool) -> dashboard.RegexMap:
    """The mapping for alerts with a known value, or for those without."""
    mark = "\N{RECORD SEPARATOR}"
    text = _QUERIED.sub(UNKNOWN, _BRANCH.sub(" or ", meaning.summary))
    text = _VALUE.sub(mark if valued else UNKNOWN, text)
    named = [label for label in identity if re.search(rf"\$labels\.{label}\b", text)]
    groups = {label: f"${place}" for place, label in enumerate(named, 1)}
    text = _TEMPLATE.sub("", _LABEL.sub(lambda found: groups[found.group(1)], text))
    unit = meaning.value[1] if meaning.value else ""
    text = text.replace(mark, f"${len(named) + 1}{unit}")
    fields = [f"({_ANYTHING})" if label in named else _ANYTHING for label in identity]
    pattern = SEPARATOR.join((meaning.component, meaning.alert, severity, *fields, "(.+)" if valued else ".*"))
    return _regex(f"^{_counted(pattern)}$", re.sub(r"\s+", " ", text).strip())


def _counted(pattern: str) -> str:
    """The pattern with a count in place of repeated fields."""
    one = f"{_ANYTHING}{SEPARATOR}"
    runs = re.compile(f"(?:{re.escape(one)}){{2,}}")
    return runs.sub(lambda run: f"(?:{one}){{{len(run.group()) // len(one)}}}", pattern)


def _regex(pattern: str, text: str) -> dashboard.RegexMap:
    return dashboard.RegexMap(
        options=dashboard.DashboardRegexMapOptions(
            pattern=f"/{pattern}/", result=dashboard.ValueMappingResult(text=text)
        )
    )
