"""Prometheus' rule files: those that stand here as plain YAML, one domain a file, and those made from the systems.

Every `*.yaml` in this folder is picked up, whoever wrote it.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dashboards.links import panel_url
from observability.core.documents import parse_yaml
from observability.core.errors import ConfigError
from observability.core.render import to_yaml
from observability.scrape.job import PLATFORM
from observability.scrape.jobs import jobs
from observability.settings.load import ROOT, StackConfig
from rules import history, signals, slo, thresholds

FOLDER: Final = ROOT / "rules"

_OF_A_JOB: Final[Mapping[str, str]] = {
    "alloy": "alloy",
    "backup": "node",
    "disk": "node",
    "elasticsearch": "elasticsearch",
    "endpoints": "blackbox",
    "grafana": "grafana",
    "host": "node",
    "loki": "loki",
    "mongodb": "mongodb",
    "nginx": "nginx",
    "postgres": "postgres",
    "promtail": "promtail",
    "redis": "redis",
    "tables": "postgres",
    "tempo": "tempo",
}
"""Files about the metrics of one scrape job, which stay away from a stack that has no such job."""

_LINK: Final = re.compile(
    r"- alert: (?P<alert>\w+)"
    r"""|\b(?P<key>runbook_url|dashboard_url):(?P<gap>\s+(?:[>|]-?\s+)?["']?)(?P<to>runbooks/|/d/[^\n"']*)"""
)


def files(config: StackConfig, folder: Path = FOLDER) -> dict[str, str]:
    """Every rule file of a stack, by name; ConfigError where one is not a YAML mapping with `groups`.

    PromQL is promtool's to check.
    """
    static = {name: _linked(text, config) for name, text in load(folder).items() if _belongs(name, config)}
    made = _generated(config)
    for name in static.keys() & made.keys():
        raise ConfigError(f"rules/{name}: a file of this name is made from the systems", "give it another name")
    return dict(sorted({**static, **made}.items()))


def load(folder: Path) -> dict[str, str]:
    """The plain rule files of a folder, by name, as they are."""
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        document = parse_yaml(path, f"rules/{path.name}")
        if not isinstance(document, dict) or not isinstance(document.get("groups"), list):
            raise ConfigError(
                f"rules/{path.name}: not a rule file: it has no list `groups`",
                "see rules/stack.yaml for the form, or move the file out of rules/",
            )
        texts[path.name] = path.read_text(encoding="utf-8")
    return texts


def _belongs(name: str, config: StackConfig) -> bool:
    """Whether the stack has what the file is about."""
    stem = name.removesuffix(".yaml")
    if stem == "container":
        # The job `docker` may be the engine's own metrics alone.
        return config.runs("cadvisor")
    return stem not in _OF_A_JOB or any(job.name == _OF_A_JOB[stem] for job in jobs(config))


def _linked(text: str, config: StackConfig) -> str:
    """The text with links that lead to the panel of each alert, and whole addresses where the stack knows them."""
    alert = ""

    def complete(match: re.Match[str]) -> str:
        nonlocal alert
        if match["alert"]:
            alert = match["alert"]
            return match[0]
        if match["key"] == "dashboard_url":
            to = f"{config.link('grafana') or ''}{panel_url(alert, match['to'])}"
        else:
            base = config.settings.links.runbooks
            to = f"{base.rstrip('/')}/" if base else match["to"]
        return f"{match['key']}:{match['gap']}{to}"

    return _LINK.sub(complete, text)


def _generated(config: StackConfig) -> dict[str, str]:
    systems = config.systems.values()
    teams = {PLATFORM: PLATFORM, **{system.name: system.team for system in systems}}
    made = {"thresholds.yaml": thresholds.groups(teams, config.thresholds)}
    made |= {
        f"{name}.yaml": [group for system in systems for group in generator.groups(system)]
        for name, generator in (("signals", signals), ("history", history), ("slo", slo))
    }
    return {name: to_yaml({"groups": found}, source="systems/*.yaml") for name, found in made.items()}
