"""Overrides of `for` and `page` by a system or an environment.

A system states a `for` with a threshold, for all alerts that compare with it, or for a single alert by its name.

Neither a `for` nor a label can come from a series, so an alert with an override becomes one rule for that system
and one for all others.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from observability.core.alert import SEVERITIES
from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.systems.model import AlertWaits, Paging, Waits
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
    alerts: Mapping[str, AlertWaits] = field(default_factory=dict)
    """The `for` of single alerts, by system: above that of a threshold."""
    waits: Mapping[tuple[str, str], Mapping[str, str]] = field(init=False)
    """The `for` of thresholds: name and severity of the threshold → system → duration."""

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
        if not _overridable(rule):
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

    def check(self, rules: Collection[Mapping[str, Any]]) -> None:
        """ConfigError where a system names an alert, or a severity of it, that none of the alerting rules has."""
        known: dict[str, set[str]] = {}
        for rule in rules:
            severities = known.setdefault(rule["alert"], set())
            if _overridable(rule):
                severities.add(rule["labels"]["severity"])
        for system, paging in self.paging.items():
            for name in paging.alerts:
                _check_alert(f"systems.{system}: page.alerts.{name}", name, known)
        for system, waits in self.alerts.items():
            for name, stated in waits.items():
                where = f"systems.{system}: for.{name}"
                _check_alert(where, name, known)
                named = [severity for severity, wait in stated if wait]
                if not known[name] & set(named):
                    raise ConfigError(
                        f"{where}: {name} has no rule of severity {' or '.join(named)}",
                        f"write {name}: 5m, or one for its severity: {', '.join(sorted(known[name]))}",
                    )

    def _wait(self, rule: Rule, system: str) -> str | None:
        """The `for` that the system states for the alert, or for the first of its thresholds; else the rule's own."""
        severity = rule["labels"]["severity"]
        own: str | None = getattr(self.alerts.get(system, {}).get(rule["alert"], Waits()), severity)
        if own is not None:
            return own
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


def _overridable(rule: Mapping[str, Any]) -> bool:
    """Whether it has the labels of all rules of this repository; one in upstream form has not."""
    labels = rule.get("labels") or {}
    return labels.get("severity") in SEVERITIES and "component" in labels


def _check_alert(where: str, name: str, known: Mapping[str, Collection[str]]) -> None:
    """ConfigError where no rule has this name, or only rules that cannot be overridden."""
    if name not in known:
        raise ConfigError(
            f"{where}: there is no such alert",
            f"{nearest(name, known)}known here: {', '.join(sorted(known))}",
        )
    if not known[name]:
        raise ConfigError(
            f"{where}: the rule of {name} is in upstream form, which is loaded unchanged",
            "give it the labels severity and component, or remove this line",
        )


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
