"""What `obs mcp` lets a program ask about a running stack. Nothing here changes anything."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import yaml

from observability.alerting.alerts import alerts, filled
from observability.alerting.explain import explain
from observability.cli.alerts import active, page
from observability.cli.route import document
from observability.cli.silences import Silence
from observability.cli.why import explained
from observability.core.documents import RuleLoader, nearest
from observability.core.errors import ConfigError
from observability.notifier.evidence import NoAnswerError
from observability.operations import bounded
from observability.operations.alertmanager import Alertmanager
from observability.operations.bounded import Servers
from observability.operations.evidence import observer
from observability.settings.load import StackConfig

_THRESHOLD: Final = re.compile(r"app:threshold:(\w+?)(?:_share)?\b")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Tools:
    """The questions that can be asked about one stack; each answer is an object of JSON.

    ConfigError for wrong arguments and for a server that does not answer, with what to do.
    """

    config: StackConfig
    servers: Servers
    now: Callable[[], datetime] = _now

    def list_systems(self) -> dict[str, Any]:
        """List the watched systems: owner, instances, whether they are up, what is not watched, alerts that fire."""
        try:
            up = {labels.get("system"): value for labels, value in self._query("app:system:up")}
            firing = [one.labels.get("system") for one in observer(self.config).alerts() if one.firing]
        except (ConfigError, NoAnswerError) as error:
            up, firing, missing = {}, [], [str(error).partition("\n")[0]]
        else:
            missing = []
        rows = []
        for name, system in self.config.systems.items():
            own = self.config.system_settings(name)
            rows.append(
                {
                    "system": name,
                    "title": system.title,
                    "team": system.team,
                    "instances": list(own.instances.static),
                    "exporters": list(system.exporters),
                    "depends_on": list(system.depends_on),
                    "up": {1.0: True, 0.0: False}.get(up.get(name, -1.0)),
                    "not_watched": [one.what for one in self.config.unplaced if one.system == name],
                    "alerts_firing": firing.count(name),
                }
            )
        return {"stack": self.config.stack, "systems": rows, **({"not_answered": missing} if missing else {})}

    def firing_alerts(self, system: str = "", severity: str = "", pending: bool = False) -> dict[str, Any]:
        """List the alerts that fire, the most severe first: since when, what mutes them, which receivers got them."""
        self._known(system)
        try:
            rows = active(self.config, everything=pending)
        except httpx.HTTPError as error:
            raise ConfigError(f"Alertmanager does not answer: {error}", "./obs status shows how it is") from error
        chosen = [
            row
            for row in rows
            if (not system or row["system"] == system) and (not severity or row["severity"] == severity)
        ]
        return {"stack": self.config.stack, "count": len(chosen), "alerts": chosen}

    def explain_alert(self, alert: str, system: str = "") -> dict[str, Any]:
        """Explain an alert: its rule and thresholds, runbook, receivers, and the evidence for its cause if active."""
        from dashboards.linked_rules import files

        self._known(system)
        texts = files(self.config)
        known = alerts(texts)
        name = next((one for one in known if one.lower() == alert.lower()), None)
        if name is None:
            raise ConfigError(f"there is no alert {alert!r}", f"{nearest(alert, known)}firing_alerts lists some")
        rules = list(_rules(texts, name))
        named = {found for rule in rules for found in _THRESHOLD.findall(rule["expr"])}
        thresholds = [
            {
                "name": one.name,
                "system": one.system,
                "severity": one.severity,
                "value": one.value,
                **({"quantile": one.quantile} if one.quantile else {}),
            }
            for one in self.config.thresholds
            if one.name in named and (not system or one.system == system)
        ]
        return {
            "alert": name,
            "rules": rules,
            "thresholds": thresholds,
            "routes": self._routes(name, system, texts),
            "evidence": self._evidence(name, system),
            "runbook": page(name),
        }

    def query_metrics(self, query: str, start: str = "", end: str = "now") -> dict[str, Any]:
        """Evaluate PromQL at `end`, or from `start` to `end`: at most 7 days, 30 series of 60 points each."""
        return bounded.metrics(self.servers, query, start or None, end, self.now())

    def query_logs(self, query: str, start: str = "1h", end: str = "now", limit: int = 30) -> dict[str, Any]:
        """Find log lines by LogQL, the newest first: a range of at most 24 hours, at most 100 lines."""
        return bounded.lines(self.servers, query, start, end, limit, self.now())

    def compare_windows(
        self, query: str, first_start: str, first_end: str, second_start: str, second_end: str = "now"
    ) -> dict[str, Any]:
        """Compare the series of a PromQL query in two windows, such as before and after; the largest change first."""
        windows = ((first_start, first_end), (second_start, second_end))
        return bounded.comparison(self.servers, query, windows, self.now())

    def _known(self, system: str) -> None:
        if system and system not in self.config.teams:
            known = self.config.teams
            raise ConfigError(f"there is no system {system!r}", f"{nearest(system, known)}known: {', '.join(known)}")

    def _query(self, query: str) -> list[tuple[dict[str, str], float]]:
        answer = self.servers.get("prometheus", "/api/v1/query", {"query": query})
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]

    def _routes(self, name: str, system: str, texts: dict[str, str]) -> dict[str, Any]:
        """The receivers of each severity of an alert, and what would mute it."""
        given = {"alertname": name, **({"system": system} if system else {})}
        try:
            complete = filled(self.config, alerts(texts), given)
        except ConfigError as error:
            return {"not_answered": error.what}
        try:
            silences = [Silence.read(one) for one in Alertmanager.of(self.config).silences()]
        except httpx.HTTPError:
            silences = None
        found = [document(explain(self.config, labels, self.now()), silences or ()) for labels in complete]
        return {"of_severities": found, "silences_considered": silences is not None}

    def _evidence(self, name: str, system: str) -> dict[str, Any]:
        """For each system for which the alert is active: possible causes, data stores, starts, error lines."""
        watching = observer(self.config)
        try:
            every = watching.alerts()
        except NoAnswerError as error:
            return {"not_answered": [f"Prometheus does not answer: {error}"]}
        by_system: dict[str, Any] = {}
        for one in every:
            own = one.labels.get("system", "")
            if one.name == name and system in ("", own):
                by_system.setdefault(own, one)
        found = [explained(watching, one, every) for one in by_system.values()]
        missing = {"not_answered": watching.missing} if watching.missing else {}
        return {"active": bool(found), "of_systems": found, **missing}


def _rules(texts: dict[str, str], name: str) -> Iterator[dict[str, Any]]:
    """The rules of an alert, as the rule files state them."""
    for file, text in texts.items():
        if f"alert: {name}" not in text:
            continue
        for group in yaml.load(text, RuleLoader)["groups"]:  # noqa: S506 - a safe loader
            for rule in group["rules"]:
                if rule.get("alert") == name:
                    yield {
                        "file": file,
                        "expr": str(rule["expr"]).strip(),
                        **{key: str(rule[key]) for key in ("for", "keep_firing_for") if key in rule},
                        "labels": dict(rule.get("labels") or {}),
                        "annotations": dict(rule.get("annotations") or {}),
                    }


TOOLS: Final = (
    Tools.list_systems,
    Tools.firing_alerts,
    Tools.explain_alert,
    Tools.query_metrics,
    Tools.query_logs,
    Tools.compare_windows,
)
"""All of them, in the order in which they are listed."""
