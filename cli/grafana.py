"""Grafana as its API shows it: whether it answers, and whether what the stack declares is in it."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from components.grafana.resources import CONTACT_POINT
from config.load import StackConfig
from dashboards.datasources import ALERTMANAGER, LOKI, PROMETHEUS, data_sources
from dashboards.queries import panels
from dashboards.registry import dashboards, folders

TIMEOUT: Final = 5.0

PROBES: Final[Mapping[str, str]] = {
    PROMETHEUS: "api/v1/query?query=vector(1)",
    ALERTMANAGER: "api/v2/status",
    LOKI: "loki/api/v1/labels",
}
"""What is asked of each data source through Grafana, by its uid."""


def trouble(url: str) -> str | None:
    """Why Grafana cannot be worked with, None where it is well."""
    try:
        answer = httpx.get(f"{url}/api/health", timeout=TIMEOUT)
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    return None if answer.is_success else f"it answers {answer.status_code}"


@dataclass(frozen=True, kw_only=True)
class Grafana:
    """A Grafana, and the right to ask it: `auth` is a service account token or user:password."""

    url: str
    auth: str = field(repr=False)

    @classmethod
    def of(cls, config: StackConfig, secrets: Mapping[str, str]) -> "Grafana | None":
        """The stack's Grafana with its stored secret; None where it has none or was never brought up."""
        if config.runs("grafana"):
            password = secrets.get("grafanaAdminPassword")
            auth = f"admin:{password}" if password else None
        else:
            auth = secrets.get("grafanaAuth")
        return cls(url=config.grafana_url, auth=auth) if config.grafana_url and auth else None

    @property
    def headers(self) -> dict[str, str]:
        """What a request must carry."""
        if ":" in self.auth:
            return {"Authorization": f"Basic {base64.b64encode(self.auth.encode()).decode()}"}
        return {"Authorization": f"Bearer {self.auth}"}

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever the API answers
        """The JSON of an answer; httpx.HTTPStatusError where it is none of success."""
        answer = httpx.get(f"{self.url}/{path}", headers=self.headers, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()


def found(grafana: Grafana, config: StackConfig) -> Iterator[tuple[str, bool, str]]:
    """What is declared and whether it is there: its name, whether it is well, and what was seen."""
    for uid, title in folders(config).items():
        yield _there(grafana, f"folder {title}", f"api/folders/{uid}", lambda answer: str(answer["title"]))
    for source in data_sources(config):
        yield _there(
            grafana, f"data source {source.title}", f"api/datasources/uid/{source.uid}", lambda a: str(a["url"])
        )
        yield _there(
            grafana,
            f"data source {source.title} answers",
            f"api/datasources/proxy/uid/{source.uid}/{PROBES[source.uid]}",
            lambda _: "asked through Grafana",
        )
    for entry in dashboards(config):
        yield _there(grafana, f"dashboard {entry.uid}", f"api/dashboards/uid/{entry.uid}", _panels)
    yield _there(grafana, "contact point", "api/v1/provisioning/contact-points", _contact)
    yield _there(grafana, "notification policy", "api/v1/provisioning/policies", _policy)


def _there(grafana: Grafana, what: str, path: str, seen: Any) -> tuple[str, bool, str]:  # noqa: ANN401
    try:
        return what, True, seen(grafana.get(path))
    except httpx.HTTPStatusError as error:
        return what, False, f"{error.response.status_code} {error.response.reason_phrase}"
    except LookupError as error:
        return what, False, str(error.args[0])


def _panels(answer: Any) -> str:  # noqa: ANN401
    return f"{len(list(panels(answer['dashboard'])))} panels"


def _contact(answer: Any) -> str:  # noqa: ANN401
    kinds = [point["type"] for point in answer if point["name"] == CONTACT_POINT]
    if not kinds:
        raise LookupError(f"none has the name {CONTACT_POINT}")
    return ", ".join(kinds)


def _policy(answer: Any) -> str:  # noqa: ANN401
    if answer["receiver"] != CONTACT_POINT:
        raise LookupError(f"its contact point is {answer['receiver']}")
    return f"to {answer['receiver']}"
