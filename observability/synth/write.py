"""Write the files and resources of a stack to a folder; the same stack gives the same bytes."""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from dashboards import registry
from dashboards.linked_panels import linked
from observability.alerting import alertmanager
from observability.collector import configuration as collector
from observability.core.errors import ConfigError
from observability.logs import log_rules, loki
from observability.notifier import facts as notifier
from observability.parts.registry import AnyPart
from observability.parts.registry import parts as all_parts
from observability.scrape import agents, backup, edge, prometheus
from observability.settings.load import StackConfig
from observability.status_page import facts as status_page
from observability.synth.record import record
from observability.traces import jaeger
from rules import alerts

_INDEX = "resources.json"
_DASHBOARDS = "grafana/dashboards/"


def generated_files(config: StackConfig, rule_files: Mapping[str, str]) -> dict[str, str]:
    """Every file of every server, by its path below the output folder."""
    parts = {
        "prometheus": prometheus.files(config, rule_files),
        "alertmanager": alertmanager.files(config),
        "grafana": registry.files(config),
    }
    if config.runs("loki"):
        # In Loki's volume they lie in the folder of its tenant.
        own = f"{loki.RULES}/{log_rules.TENANT}/"
        parts["loki"] = {path.replace(own, f"{loki.RULES}/", 1): text for path, text in loki.files(config).items()}
    if config.runs("notifier"):
        parts["notifier"] = notifier.files(config, rule_files, linked(config, rule_files))
    if config.runs("status-page"):
        parts["status-page"] = status_page.files(config, alerts(config))
    if config.runs("collector"):
        parts["collector"] = collector.files(config)
    if config.runs(jaeger.NAME):
        parts[jaeger.NAME] = jaeger.files(config)
    if config.runs("edge"):
        parts["edge"] = edge.files(config)
    if config.runs("backup"):
        parts["backup"] = backup.files(config)
    parts |= _of_exporters(config, all_parts().values())
    for host in config.settings.hosts:
        parts |= {f"hosts/{host}/{part}": files for part, files in _of_agent(config, host).items()}
    return {f"{part}/{path}": text for part, files in parts.items() for path, text in files.items()}


def _of_exporters(config: StackConfig, of: Iterable[AnyPart]) -> dict[str, dict[str, str]]:
    """The files of these exporters where they run, by folder."""
    return {
        part.job or part.name: dict(run.files.files)
        for part in of
        if part.runs is not None and config.runs(part.name)
        for run in part.runs(config.here(part.name))
        if run.files is not None and run.files.files
    }


def _of_agent(config: StackConfig, host: str) -> dict[str, dict[str, str]]:
    """The files of the agent on a host, by folder."""
    there = config.on(host)
    found = {
        "prometheus": agents.files(there, host),
        **_of_exporters(there, (part for part in all_parts().values() if part.on_hosts)),
    }
    return found | ({"collector": collector.files(there, host)} if there.runs("collector") else {})


def write(config: StackConfig, rule_files: Mapping[str, str], out: Path) -> list[Path]:
    """Write all files and `resources.json`; the folder must be new, empty, or of an earlier run (then it is replaced).

    Returns the paths written. ConfigError where the folder contains anything else.
    """
    texts = generated_files(config, rule_files)
    listed = [
        {"type": one.type, "name": one.name, "parent": one.parent, "inputs": one.inputs}
        for one in record(config, rule_files)
    ]
    texts[_INDEX] = json.dumps(listed, indent=2) + "\n"
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / _INDEX).is_file())):
        raise ConfigError(f"{out} holds something else than an earlier synth", "name a new folder, or empty this one")
    if out.exists():
        shutil.rmtree(out)
    written = []
    for path, text in sorted(texts.items()):
        dashboard = path.startswith(_DASHBOARDS)
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_indented(text) if dashboard else text, encoding="utf-8")
        written.append(target)
    return written


def _indented(text: str) -> str:
    """A JSON text with a line for each value, so that a comparison shows what differs."""
    return json.dumps(json.loads(text), indent=2) + "\n"
