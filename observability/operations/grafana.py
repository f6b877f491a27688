"""Grafana through its API: whether it responds, and whether the declared objects exist in it."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import httpx

from dashboards import status
from dashboards.datasources import ALERTMANAGER, LOKI, PROMETHEUS, DataSource, data_sources
from dashboards.queries import panels
from dashboards.registry import dashboards, folders
from observability.alerting.grafana import TEMPLATES, ContactPoint, contact_points, mute_timings, policy
from observability.alerting.grafana_rules import rule_groups
from observability.core import http
from observability.settings.grafana import ROLES
from observability.settings.load import StackConfig

TIMEOUT: Final = 5.0

PROBES: Final[Mapping[str, str]] = {
    PROMETHEUS: "api/v1/query?query=vector(1)",
    ALERTMANAGER: "api/v2/status",
    LOKI: "loki/api/v1/labels",
}
"""Queries to the stack's own servers through Grafana, by the uid of the data source."""


def trouble(url: str) -> str | None:
    """The reason why Grafana cannot be used; None where it is healthy."""
    try:
        answer = http.get(f"{url}/api/health", timeout=TIMEOUT)
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    return None if answer.is_success else f"it answers {answer.status_code}"


@dataclass(frozen=True, kw_only=True)
class Grafana:
    """A Grafana and its credentials: `auth` is a service account token or user:password."""

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
        """Headers of every request."""
        if ":" in self.auth:
            return {"Authorization": f"Basic {base64.b64encode(self.auth.encode()).decode()}"}
        return {"Authorization": f"Bearer {self.auth}"}

    def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """The JSON of a response; httpx.HTTPStatusError where its status is not success."""
        answer = http.get(f"{self.url}/{path}", headers=self.headers, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()

    def get_or_none(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """The same, or None where the object does not exist."""
        try:
            return self.get(path)
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.NOT_FOUND:
                return None
            raise


def found(grafana: Grafana, config: StackConfig) -> Iterator[tuple[str, bool, str]]:
    """The declared objects: name, whether it exists and is correct, and the observation."""
    for uid, title in folders(config).items():
        yield _there(grafana, f"folder {title}", f"api/folders/{uid}", lambda answer: str(answer["title"]))
    for source in data_sources(config):
        yield _there(
            grafana,
            f"data source {source.title}",
            f"api/datasources/uid/{source.uid}",
            lambda a: a["url"] or a["type"],
        )
        yield _answers(grafana, source)
    for entry in dashboards(config):
        yield _there(grafana, f"dashboard {entry.uid}", f"api/dashboards/uid/{entry.uid}", _panels)
    if config.settings.grafana.public_status:
        yield _there(
            grafana,
            "public status page",
            f"api/dashboards/uid/{status.UID}/public-dashboards",
            lambda answer: f"{config.link('grafana')}/public-dashboards/{answer['accessToken']}",
        )
    for group in rule_groups(config):
        path = f"api/v1/provisioning/folder/{group.folder}/rule-groups/{group.name}"
        yield _there(grafana, f"rules {group.name}", path, lambda answer: f"{len(answer['rules'])} rules")
    for name, asked in config.settings.grafana.service_accounts.items():
        path = f"api/serviceaccounts/search?query={name}"
        yield _there(grafana, f"service account {name}", path, partial(_account, name, ROLES[asked.role]))
    yield from _notifications(grafana, config)


def _notifications(grafana: Grafana, config: StackConfig) -> Iterator[tuple[str, bool, str]]:
    """The receivers of Grafana's own alerts."""
    for point in contact_points(config):
        yield _there(
            grafana, f"contact point {point.name}", "api/v1/provisioning/contact-points", partial(_contact, point)
        )
    for name in mute_timings(config):
        path = f"api/v1/provisioning/mute-timings/{name}"
        yield _there(grafana, f"mute timing {name}", path, lambda answer: f"{len(answer['time_intervals'])} intervals")
    path = f"api/v1/provisioning/templates/{TEMPLATES}"
    yield _there(grafana, "message templates", path, lambda answer: f"{answer['template'].count('{{ define')} defined")
    yield _there(
        grafana, "notification policy", "api/v1/provisioning/policies", partial(_policy, policy(config).contact_point)
    )


def _answers(grafana: Grafana, source: DataSource) -> tuple[str, bool, str]:
    """Whether a data source works: the stack's own by a query through Grafana, others by Grafana's own check."""
    what = f"data source {source.title} answers"
    if source.uid in PROBES:
        path = f"api/datasources/proxy/uid/{source.uid}/{PROBES[source.uid]}"
        return _there(grafana, what, path, lambda _: "asked through Grafana")
    return _there(grafana, what, f"api/datasources/uid/{source.uid}/health", lambda answer: str(answer["message"]))


def _there(grafana: Grafana, what: str, path: str, seen: Any) -> tuple[str, bool, str]:  # noqa: ANN401
    try:
        return what, True, seen(grafana.get(path))
    except httpx.HTTPStatusError as error:
        return what, False, f"{error.response.status_code} {error.response.reason_phrase}"
    except LookupError as error:
        return what, False, str(error.args[0])


def _panels(answer: Any) -> str:  # noqa: ANN401
    return f"{len(list(panels(answer['dashboard'])))} panels"


def _account(name: str, role: str, answer: Any) -> str:  # noqa: ANN401
    roles = [account["role"] for account in answer["serviceAccounts"] if account["name"] == name]
    if not roles:
        raise LookupError("there is none of this name")
    if roles != [role]:
        raise LookupError(f"its role is {', '.join(roles)}, not {role}")
    return role


def _contact(point: ContactPoint, answer: Any) -> str:  # noqa: ANN401
    kinds = [one["type"] for one in answer if one["name"] == point.name]
    if not kinds:
        raise LookupError(f"none has the name {point.name}")
    return ", ".join(kinds)


def _policy(contact_point: str, answer: Any) -> str:  # noqa: ANN401
    if answer["receiver"] != contact_point:
        raise LookupError(f"its contact point is {answer['receiver']}")
    return f"to {answer['receiver']}, {len(answer.get('routes') or ())} branches"
