"""Which alerts of a system cannot fire while some of its series are missing."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from observability.core import project
from observability.core.documents import parse_yaml
from observability.systems.model import System
from observability.systems.resolve import thresholds
from rules import history, signals, slo

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_STRING: Final = re.compile(r'"(?:\\.|[^"\\])*"')
_THRESHOLD: Final = re.compile(r'app:threshold:(\w+)\{[^}]*severity="(\w+)"')
_PARTS: Final = ("", "_bucket", "_count", "_sum")


def alerts(system: System, missing: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Names of the alerts that read missing series, directly or through recording rules; sorted.

    `missing` maps a series' name to the labels that it lacks; no labels: the series itself is absent. Alerts
    without a threshold of this system are excluded: they do not apply to it.
    """
    own = {(name, one.severity) for one in thresholds(system) for name in one.names}
    broken = {f"{name}{part}": labels for name, labels in missing.items() for part in _PARTS}
    recordings = [rule for made in (signals, history, slo) for group in made.groups(system) for rule in group["rules"]]
    static = list(_rules())
    recordings += [rule for rule in static if "record" in rule]
    while fresh := {
        rule["record"] for rule in recordings if rule["record"] not in broken and _reads(str(rule["expr"]), broken)
    }:
        broken |= dict.fromkeys(fresh, frozenset())
    found = (
        str(rule["alert"])
        for rule in static
        if "alert" in rule
        and _reads(str(rule["expr"]), broken)
        and all(wanted in own for wanted in _THRESHOLD.findall(str(rule["expr"])))
    )
    return tuple(sorted(set(found)))


def _reads(expr: str, broken: Mapping[str, frozenset[str]]) -> bool:
    """Whether an expression reads an absent series, or a label that a series lacks."""
    names = set(_NAME.findall(_STRING.sub('""', expr)))
    return any(name in broken and (not broken[name] or names & broken[name]) for name in names)


def _rules() -> Iterator[dict[str, Any]]:
    for path in project.files("rules", *project.YAML).values():
        document = parse_yaml(path, f"rules/{path.name}", rules=True)
        for group in document.get("groups") or () if isinstance(document, dict) else ():
            yield from group.get("rules") or ()
