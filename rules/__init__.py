"""Prometheus' rule files: the plain YAML files of this folder, one per domain, and those generated from the systems.

Every `*.yaml` and `*.yml` in this folder is loaded, including files in upstream format.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

from observability.core import project
from observability.core.alert import IMPACT
from observability.core.documents import parse_yaml
from observability.core.errors import ConfigError
from observability.core.render import to_yaml
from observability.parts.model import Part
from observability.parts.probe import Probe
from observability.parts.registry import parts
from observability.scrape import agents
from observability.scrape.jobs import jobs, of_part
from observability.settings.load import ROOT, StackConfig
from rules import context, form, history, probes, signals, slo, thresholds
from rules.overrides import Overrides

FOLDER: Final = ROOT / "rules"


class Links(Protocol):
    """Links of alerts, passed in by the caller, as dashboards are built on top of the rules."""

    def runbook(self, alert: str) -> str | None:
        """Address of an alert's page; None without a page."""

    def dashboard(self, alert: str, component: str = "") -> str | None:
        """Address of the panel that shows an alert of this component; None where there is none."""

    def page(self, alert: str) -> str:
        """Text of an alert's page; empty without a page."""

    def whole(self, path: str) -> str:
        """A path that a rule states itself, as an address; an address is returned unchanged."""


def files(config: StackConfig, links: Links, root: Path | None = None) -> dict[str, str]:
    """Every rule file of a stack, by name, of `root` or else of all; ConfigError where a file has no list `groups`.

    Each alert gets its `runbook_url` and `dashboard_url`, unless its file sets them. A file to which nothing is added
    is returned unchanged. PromQL is checked by promtool.
    """
    sources = load(root)
    overrides = Overrides(paging=config.paging, thresholds=config.thresholds, alerts=config.waits)
    overrides.check([rule for source in sources.values() for rule in _alerts(source.document)])
    running = (part for part in parts().values() if part.store and _read(part, config))
    up = sorted({part.store.up for part in running if part.store and part.store.up != "up"})
    static = {
        name: rendered(source, links, overrides, up)
        for name, source in sources.items()
        if _belongs(Path(name).stem, config)
    }
    made = _generated(config)
    for name in static.keys() & made.keys():
        raise ConfigError(f"rules/{name}: a file of this name is made from the systems", "give it another name")
    return dict(sorted({**static, **made}.items()))


@dataclass(frozen=True, kw_only=True)
class Source:
    """A rule file: its text, and its parsed content."""

    path: str
    text: str
    document: dict[str, Any]


def load(root: Path | None = None) -> dict[str, Source]:
    """The plain rule files, by the name under which Prometheus reads them, which ends in `.yaml`."""
    found: dict[str, Source] = {}
    for stem, path in project.files("rules", *project.YAML, root=root).items():
        source = project.shown(path) if root is None else f"rules/{path.name}"
        written = path.stat()
        found[f"{stem}.yaml"] = _read_file(path, source, (written.st_mtime_ns, written.st_size, written.st_ino))
    return found


@lru_cache(maxsize=256)
def _read_file(path: Path, source: str, _written: tuple[int, ...]) -> Source:
    """One file, shown as `source`; it is read again when its time, size or inode has changed."""
    document = parse_yaml(path, source, rules=True)
    if not isinstance(document, dict) or not isinstance(document.get("groups"), list):
        raise ConfigError(
            f"{source}: not a rule file: it has no list `groups`",
            "begin it with `groups:` and a list, as rules/stack.yaml does, or move the file out of rules/",
        )
    form.check(source, document)
    return Source(path=source, text=path.read_text(encoding="utf-8"), document=document)


def alerts(config: StackConfig) -> Iterator[dict[str, Any]]:
    """The alerting rules of the plain files that a stack loads, as the files state them."""
    for name, source in load().items():
        if _belongs(Path(name).stem, config):
            yield from _alerts(source.document)


def _belongs(stem: str, config: StackConfig) -> bool:
    """Whether the stack has the parts that the file is about."""
    owner = next((part for part in parts().values() if stem in part.rules), None)
    if owner is None:
        return True
    return _read(owner, config) if owner.store else config.runs(owner.name)


def _read(part: Part[Any, Any], config: StackConfig) -> bool:
    """Whether Prometheus reads the servers of a part's store, which is possible without a container of the stack."""
    return any(job.name == part.job for job in jobs(config))


def rendered(source: Source, links: Links, overrides: Overrides, up: Sequence[str] = ()) -> str:
    """The file's text, each alert with its links, context and label `page`, and with the systems' overrides.

    `up` names the series that are 1 while a data store is up.
    """
    document = copy.deepcopy(source.document)
    for group in document["groups"]:
        if isinstance(group, dict) and isinstance(group.get("rules"), list):
            group["rules"] = [made for rule in group["rules"] for made in _complete(rule, links, overrides, up)]
    return source.text if document == source.document else to_yaml(document, source=source.path)


def _complete(
    rule: Any,  # noqa: ANN401 - any YAML
    links: Links,
    overrides: Overrides,
    up: Sequence[str],
) -> Iterator[Any]:
    """One rule of a file. A rule that is no alert is unchanged; an item that is no rule is refused by promtool."""
    if not _is_alert(rule):
        yield rule
        return
    stated = rule.get("annotations") or {}
    annotations = {key: text for key, text in stated.items() if key != IMPACT}
    labels = rule.get("labels") or {}
    derived = {
        "runbook_url": links.runbook(rule["alert"]),
        "dashboard_url": links.dashboard(rule["alert"], labels.get("component", "")),
    }
    own = {key: links.whole(annotations[key]) for key in derived if annotations.get(key)}
    added = {key: to for key, to in derived.items() if to} | own
    seen = context.annotations(rule, up, links.page(rule["alert"]))
    completed = {**seen, **annotations, **added}
    yield from overrides.apply({**rule, "annotations": completed} if completed != stated else rule)


def _is_alert(rule: object) -> bool:
    return isinstance(rule, dict) and isinstance(rule.get("alert"), str) and isinstance(rule.get("expr"), str | int)


def _alerts(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The alerting rules of a file."""
    for group in document["groups"]:
        rules = group.get("rules") if isinstance(group, dict) else None
        yield from (rule for rule in (rules if isinstance(rules, list) else ()) if _is_alert(rule))


def _generated(config: StackConfig) -> dict[str, str]:
    systems = config.systems.values()
    constants = thresholds.groups(config.teams, config.thresholds, config.settings.hosts)
    constants += thresholds.expected_containers(_expected(config), config.teams)
    made = {"thresholds.yaml": constants}
    made |= {
        f"{name}.yaml": [group for system in systems for group in generator.groups(system)]
        for name, generator in (("signals", signals), ("history", history), ("slo", slo))
    }
    files = {name: to_yaml({"groups": found}, source="systems/*.yaml") for name, found in made.items()}
    slow = [group for job, found in _probes(config) for group in probes.groups(found, job)]
    return {**files, "probes.yaml": to_yaml({"groups": slow}, source=f"Pulumi.{config.stack}.yaml")} if slow else files


def _probes(config: StackConfig) -> Iterator[tuple[str, list[Probe]]]:
    """The probes of each part that makes some, with their scrape job."""
    for part in parts().values():
        if part.store is not None and issubclass(part.store.server, Probe) and config.runs(part.name):
            yield part.store.job, [placed.server for placed in config.servers(part.name)]


def _expected(config: StackConfig) -> Iterator[tuple[str, str, str]]:
    """The system, the host's instance and the name of every container that the settings expect."""
    reading = [part for part in parts().values() if part.of_containers]
    here = [target for part in reading for job in of_part(config, part) for target in job.targets]
    for name in config.systems:
        for container in config.system_settings(name).containers:
            there = agents.jobs(config, container.host) if container.host else ()
            named = {part.job for part in reading}
            for target in [target for job in there if job.name in named for target in job.targets] or here:
                yield name, target.labels["instance"], container.name
