"""The alerts of the rule files: the labels with which each can fire, and the possible values of labels."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from observability.core.alert import COMPONENTS, SEVERITIES
from observability.core.documents import RuleLoader, nearest
from observability.core.errors import ConfigError
from observability.settings.load import StackConfig


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alerting rule: the labels that it sets itself, and its annotations without template expansion."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


Alerts = Mapping[str, tuple[Alert, ...]]
"""The rules of each alert, by its name."""


def alerts(rules: Mapping[str, str]) -> Alerts:
    """The alerts of these rule files by name; one name may have a rule for each severity."""
    found: dict[str, list[Alert]] = {}
    for text in rules.values():
        if "alert:" not in text:
            continue
        document: Any = yaml.load(text, RuleLoader)  # noqa: S506 - a safe loader
        for rule in (rule for group in document["groups"] for rule in group["rules"] if "alert" in rule):
            labels = {str(name): str(value) for name, value in rule.get("labels", {}).items()}
            notes = {str(name): str(value) for name, value in rule.get("annotations", {}).items()}
            found.setdefault(rule["alert"], []).append(Alert(name=rule["alert"], labels=labels, annotations=notes))
    return {name: tuple(same) for name, same in sorted(found.items())}


def known_values(config: StackConfig, known: Alerts) -> dict[str, Collection[str]]:
    """Every value of the labels that routes match on."""
    settings = config.notifications
    teams = [*config.teams.values(), *settings.teams, *settings.on_call]
    return {
        "alertname": tuple(known),
        "severity": SEVERITIES,
        "component": COMPONENTS,
        "system": tuple(config.teams),
        "team": tuple(dict.fromkeys(teams)),
        "page": ("yes", "no"),
    }


def check_values(labels: Mapping[str, str], known: Mapping[str, Collection[str]]) -> None:
    """ConfigError where a label has a value that no alert of this stack can have."""
    for label, value in labels.items():
        if value and label in known and value not in known[label]:
            listed = "see the files in rules/" if label == "alertname" else f"known here: {', '.join(known[label])}"
            raise ConfigError(f"{label}={value}: there is no such {label}", f"{nearest(value, known[label])}{listed}")


def filled(config: StackConfig, known: Alerts, given: Mapping[str, str]) -> tuple[dict[str, str], ...]:
    """The full labels of every alert that matches these, from its rule and its system: one set per severity.

    Labels without an alert's name are returned unchanged. ConfigError where no rule of that name fits the others.
    """
    check_values(given, known_values(config, known))
    name = given.get("alertname")
    if not name:
        return (_of_system(config, dict(given)),)
    own = [alert.labels for alert in known[name]]
    fitting = [labels for labels in own if all(labels.get(key, value) == value for key, value in given.items())]
    if not fitting:
        said = "; ".join(", ".join(f"{key}={value}" for key, value in labels.items()) for labels in own)
        raise ConfigError(f"{name} never has these labels", f"its rules say {said}")
    made = (_of_system(config, {"alertname": name, **labels, **given}) for labels in fitting)
    return tuple({tuple(sorted(labels.items())): labels for labels in made}.values())


def _of_system(config: StackConfig, labels: dict[str, str]) -> dict[str, str]:
    """The labels with the system's team, unless they set one."""
    system = labels.get("system")
    if not system or "team" in labels:
        return labels
    return {**labels, "team": config.teams[system]}
