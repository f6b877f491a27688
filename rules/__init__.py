"""Prometheus' rule files: those that stand here as plain YAML, one domain a file, and those made from the systems.

Every `*.yaml` and `*.yml` in this folder is picked up, whoever wrote it.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from observability.core import project
from observability.core.documents import parse_yaml
from observability.core.errors import ConfigError
from observability.core.render import to_yaml
from observability.parts.registry import parts
from observability.scrape.job import PLATFORM
from observability.scrape.jobs import jobs
from observability.settings.load import ROOT, StackConfig
from rules import form, history, signals, slo, thresholds

FOLDER: Final = ROOT / "rules"


class Links(Protocol):
    """Where alerts lead. Dashboards are made above the rules, so whoever puts both together gives them this."""

    def runbook(self, alert: str) -> str | None:
        """Address of an alert's page; None where it has none."""

    def dashboard(self, alert: str, component: str = "") -> str | None:
        """Address of the panel that shows an alert of this component; None where none does."""

    def whole(self, path: str) -> str:
        """A path that a rule names itself as an address; an address as it is."""


def files(config: StackConfig, links: Links, root: Path | None = None) -> dict[str, str]:
    """Every rule file of a stack, by name, of `root` or else of all; ConfigError where one has no list `groups`.

    Each alert gets its `runbook_url` and `dashboard_url`, unless its file has its own. A file in which nothing is to
    be added is left as it is written. PromQL is promtool's to check.
    """
    static = {name: linked(source, links) for name, source in load(root).items() if _belongs(Path(name).stem, config)}
    made = _generated(config)
    for name in static.keys() & made.keys():
        raise ConfigError(f"rules/{name}: a file of this name is made from the systems", "give it another name")
    return dict(sorted({**static, **made}.items()))


@dataclass(frozen=True, kw_only=True)
class Source:
    """A rule file as it is written, and what it says."""

    path: str
    text: str
    document: dict[str, Any]


def load(root: Path | None = None) -> dict[str, Source]:
    """The plain rule files, by the name under which Prometheus gets them: that with `.yaml`."""
    found: dict[str, Source] = {}
    for stem, path in project.files("rules", *project.YAML, root=root).items():
        source = project.shown(path) if root is None else f"rules/{path.name}"
        document = parse_yaml(path, source)
        if not isinstance(document, dict) or not isinstance(document.get("groups"), list):
            raise ConfigError(
                f"{source}: not a rule file: it has no list `groups`",
                "begin it with `groups:` and a list, as rules/stack.yaml does, or move the file out of rules/",
            )
        form.check(source, document)
        found[f"{stem}.yaml"] = Source(path=source, text=path.read_text(encoding="utf-8"), document=document)
    return found


def _belongs(stem: str, config: StackConfig) -> bool:
    """Whether the stack has what the file is about."""
    owner = next((part for part in parts().values() if stem in part.rules), None)
    if owner is None:
        return True
    if owner.one_image:
        return config.collector == stem
    # A store's servers may be read elsewhere, without a container of ours.
    return any(job.name == owner.job for job in jobs(config)) if owner.store else config.runs(owner.name)


def linked(source: Source, links: Links) -> str:
    """The file's text with a link to the runbook and one to the panel of each alert."""
    document = copy.deepcopy(source.document)
    for rule in _alerts(document):
        annotations = rule.get("annotations") or {}
        labels = rule.get("labels") or {}
        derived = {
            "runbook_url": links.runbook(rule["alert"]),
            "dashboard_url": links.dashboard(rule["alert"], labels.get("component", "")),
        }
        own = {key: links.whole(annotations[key]) for key in derived if annotations.get(key)}
        added = {key: to for key, to in derived.items() if to} | own
        if added:
            rule["annotations"] = {**annotations, **added}
    return source.text if document == source.document else to_yaml(document, source=source.path)


def _alerts(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The alerting rules of a file. What is no rule is left to promtool, which says so."""
    for group in document["groups"]:
        rules = group.get("rules") if isinstance(group, dict) else None
        for rule in rules if isinstance(rules, list) else ():
            if isinstance(rule, dict) and isinstance(rule.get("alert"), str):
                yield rule


def _generated(config: StackConfig) -> dict[str, str]:
    systems = config.systems.values()
    teams = {PLATFORM: PLATFORM, **{system.name: system.team for system in systems}}
    made = {"thresholds.yaml": thresholds.groups(teams, config.thresholds)}
    made |= {
        f"{name}.yaml": [group for system in systems for group in generator.groups(system)]
        for name, generator in (("signals", signals), ("history", history), ("slo", slo))
    }
    return {name: to_yaml({"groups": found}, source="systems/*.yaml") for name, found in made.items()}
