"""An item of the checklist, its answer, and the state of the stack that the answers are read from."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import httpx

from observability.operations.grafana import Grafana
from observability.operations.rows import Row
from observability.scrape.jobs import jobs
from observability.settings.load import StackConfig

Answer = Literal["yes", "no", "not applicable", "cannot be asked"]

SETTLED: Final[tuple[Answer, ...]] = ("yes", "not applicable")
"""Answers that need no action."""

_MOST: Final = 4
"""How many names are listed in an answer's evidence."""


class UnansweredError(Exception):
    """What a question needs cannot be read; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """An answer and its evidence: a short phrase with a figure or a name; of the last two answers, the reason."""

    answer: Answer
    evidence: str


def yes(evidence: str) -> Finding:
    """It is so."""
    return Finding(answer="yes", evidence=evidence)


def no(evidence: str) -> Finding:
    """It is not."""
    return Finding(answer="no", evidence=evidence)


def not_applicable(reason: str) -> Finding:
    """This stack has nothing that the question is about."""
    return Finding(answer="not applicable", evidence=reason)


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


@dataclass(frozen=True, kw_only=True)
class State:
    """A running stack: its settings, the rows of `verify`, and access to its servers. Each query is sent once.

    `get` returns the JSON of a server's path (httpx.HTTPError where it does not answer), `documents` are the root
    folders of documents, that of the project first, `folder` is the data folder.
    """

    config: StackConfig
    verified: Sequence[Row]
    get: Callable[..., Any]
    grafana: Grafana | None
    documents: Sequence[Path]
    folder: Path
    now: datetime
    _asked: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False)

    def ask(self, service: str, path: str, **params: str) -> Any:  # noqa: ANN401 - any JSON
        """The JSON of a server's answer; UnansweredError where there is none."""
        key = (service, path, *map(str, params.items()))
        if key not in self._asked:
            try:
                self._asked[key] = self.get(service, path, **params)
            except (httpx.HTTPError, ValueError) as error:
                self._asked[key] = UnansweredError(f"{service} does not answer: {_first_line(error)}")
        found = self._asked[key]
        if isinstance(found, UnansweredError):
            raise found
        return found

    def query(self, query: str) -> list[tuple[Mapping[str, str], float]]:
        """Labels and value of each series of an instant PromQL query."""
        result = self.ask("prometheus", "/api/v1/query", query=query)["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in result]

    def lines(self, query: str) -> list[tuple[Mapping[str, str], float]]:
        """The same of an instant LogQL query that counts lines."""
        result = self.ask("loki", "/loki/api/v1/query", query=query)["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in result]

    @cached_property
    def loaded(self) -> dict[str, list[Mapping[str, Any]]]:
        """The alerting rules that Prometheus has loaded, by name."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for rule in self.rules:
            if rule["type"] == "alerting":
                found.setdefault(rule["name"], []).append(rule)
        return found

    @cached_property
    def rules(self) -> list[Mapping[str, Any]]:
        """Every rule that Prometheus has loaded."""
        groups = self.ask("prometheus", "/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def of_grafana(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """The JSON of a path of Grafana; UnansweredError without its password, or without an answer."""
        if self.grafana is None:
            raise UnansweredError("Grafana's password is not stored: ./obs up was never run here")
        try:
            return self.grafana.get(path)
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            raise UnansweredError(f"Grafana does not answer: {_first_line(error)}") from error

    def checks(self, begin: str) -> list[Row]:
        """The rows of `verify` whose name begins so."""
        return [row for row in self.verified if row.check.startswith(begin)]

    def check(self, name: str) -> Row:
        """The row of `verify` of this name; UnansweredError where its check did not come so far."""
        found = next((row for row in self.verified if row.check == name), None)
        if found is None:
            ended = next((row for row in self.verified if row.verdict == "failed" and " " not in row.check), None)
            raise UnansweredError(f"verify has no row {name!r}" + (f": {ended.detail}" if ended else ""))
        return found

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of the settings, as the label `instance` names them."""
        scraped = (
            target.labels["instance"] for job in jobs(self.config) if job.name == "node" for target in job.targets
        )
        return tuple(dict.fromkeys((*scraped, *self.config.settings.hosts)))

    def servers(self, job: str) -> list[tuple[str, str]]:
        """System and instance of every data store or proxy that the exporter of this job reads."""
        return self._servers.get(job, [])

    @cached_property
    def _servers(self) -> dict[str, list[tuple[str, str]]]:
        from observability.parts.registry import parts

        return {
            part.store.job: [(one.system, one.server.instance) for one in self.config.servers(part.name)]
            for part in parts().values()
            if part.store is not None
        }


@dataclass(frozen=True, kw_only=True)
class Item:
    """A question of the checklist; `fix` says what to do when the answer is no, with `{stack}` for its name."""

    id: str
    text: str
    ask: Callable[[State], Finding]
    fix: str

    @property
    def section(self) -> str:
        """The section of the checklist."""
        return self.id.partition(".")[0]

    def answered(self, state: State) -> Finding:
        """The answer; `cannot be asked` where what it needs cannot be read."""
        try:
            return self.ask(state)
        except UnansweredError as error:
            return Finding(answer="cannot be asked", evidence=str(error))


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0]
