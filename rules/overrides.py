"""Overrides of `for` and `page` by a system or an environment.

Neither a `for` nor a label can come from a series, so an alert with an override becomes one rule for that system
and one for all others.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from observability.core.alert import SEVERITIES
from observability.core.errors import ConfigError
from observability.systems.model import Paging
from observability.systems.resolve import Threshold

PAGE: Final = "page"
"""Label that says whether an alert pages: `yes` or `no`. Critical rules without it page."""

_THRESHOLD: Final = re.compile(r'app:threshold:(\w+)\{[^}]*severity="(\w+)"')

Rule = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """Overrides of all systems, including the stack itself (`platform`)."""

    paging: Mapping[str, Paging]
    thresholds: tuple[Threshold, ...]
    waits: Mapping[tuple[str, str], Mapping[str, str]] = field(init=False)
    """The `for` of systems: name and severity of the threshold → system → duration."""

    def __post_init__(self) -> None:
        found: dict[tuple[str, str], dict[str, str]] = {}
        for one in self.thresholds:
            if one.wait:
                for name in one.names:
                    found.setdefault((name, one.severity), {})[one.system] = one.wait
        object.__setattr__(self, "waits", found)

    def apply(self, rule: Rule) -> Iterator[Rule]:
        """The rule for all systems without overrides, then one for each combination of overrides."""
        labels = rule.get("labels") or {}
        if labels.get("severity") not in SEVERITIES or "component" not in labels:
            # A rule in upstream form, without the labels that all rules of this repository have.
            yield rule
            return
        page = labels.get(PAGE, "yes" if labels["severity"] == "critical" else "no")
        plain = {**rule, "labels": {**labels, PAGE: page}}
        fixed = labels.get("system")
        wanted: dict[str, tuple[str | None, str]] = {}
        for system in [fixed] if fixed else self.paging:
            own = (self._wait(rule, system), self._page(rule["alert"], labels["severity"], system, page))
            if own != (rule.get("for"), page):
                wanted[system] = own
        if fixed:
            yield _with(plain, *wanted.get(fixed, (rule.get("for"), page)))
            return
        yield {**plain, "expr": _narrowed(str(rule["expr"]), wanted, leave_out=True)} if wanted else plain
        for own in dict.fromkeys(wanted.values()):
            same = [system for system, other in wanted.items() if other == own]
            yield _with({**plain, "expr": _narrowed(str(rule["expr"]), same)}, *own)

    def check(self, alerts: Mapping[str, object]) -> None:
        """ConfigError where a system names an alert that does not exist."""
        for system, paging in self.paging.items():
            for name in paging.alerts:
                if name not in alerts:
                    raise ConfigError(
                        f"systems.{system}: page.alerts.{name}: there is no such alert",
                        "see the files in rules/ for their names",
                    )

    def _wait(self, rule: Rule, system: str) -> str | None:
        """The wait of the first threshold of the rule for which the system sets one; else the rule's own."""
        for named in _THRESHOLD.findall(str(rule["expr"])):
            if system in (stated := self.waits.get(named, {})):
                return stated[system]
        return rule.get("for")

    def _page(self, alert: str, severity: str, system: str, page: str) -> str:
        paging = self.paging.get(system, Paging())
        if alert in paging.alerts:
            return "yes" if paging.alerts[alert] else "no"
        if severity == "critical" and paging.all_criticals is not None:
            return "yes" if paging.all_criticals else "no"
        return page


def _with(rule: Rule, wait: str | None, page: str) -> Rule:
    changed = {**rule, "labels": {**rule["labels"], PAGE: page}}
    if wait is None:
        return changed
    # `for` in its usual position, after the expression.
    changed["for"] = wait
    return {key: changed[key] for key in dict.fromkeys(["alert", "expr", "for", *changed])}


def _narrowed(expr: str, systems: Mapping[str, object] | list[str], *, leave_out: bool = False) -> str:
    """The expression for these systems only, or for all except these."""
    operator = "unless" if leave_out else "and"
    matches = "=~" if len(systems) > 1 else "="
    names = "|".join(sorted(systems))
    return f'(\n{expr.strip()}\n)\n{operator} on (system) app:system:info{{system{matches}"{names}"}}\n'
