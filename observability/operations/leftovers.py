"""Objects in Grafana without the engine's record of them: from an interrupted update, or created by someone else.

Objects that such an update began to create are removed, so that the next one can create them; others are unchanged.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from observability.core import http
from observability.core.errors import ConfigError
from observability.operations.grafana import Grafana
from observability.synth.declared import Declared

Inputs = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of object that cannot be created twice: its name, the input that identifies it, and how to find it."""

    title: str
    key: str
    find: Callable[[Grafana, Inputs], Iterator[str]]


def _at(path: str, key: str) -> Callable[[Grafana, Inputs], Iterator[str]]:
    """Found at a path that ends in its key."""

    def find(grafana: Grafana, inputs: Inputs) -> Iterator[str]:
        if grafana.get_or_none(f"{path}/{inputs[key]}") is not None:
            yield f"{path}/{inputs[key]}"

    return find


def _listed(listing: str, within: str | None, path: str, id_key: str) -> Callable[[Grafana, Inputs], Iterator[str]]:
    """Found by its name in a list, where each has an id; `within` is the list's key in the response."""

    def find(grafana: Grafana, inputs: Inputs) -> Iterator[str]:
        answer = grafana.get(listing)
        for one in answer[within] if within else answer:
            if one["name"] == inputs["name"]:
                yield f"{path}/{one[id_key]}"

    return find


def _public(grafana: Grafana, inputs: Inputs) -> Iterator[str]:
    path = f"api/dashboards/uid/{inputs['dashboardUid']}/public-dashboards"
    found = grafana.get_or_none(path)
    if found is not None:
        yield f"{path}/{found['uid']}"


KINDS: Final[Mapping[str, Kind]] = {
    "Folder": Kind(title="folder", key="uid", find=_at("api/folders", "uid")),
    "DataSource": Kind(title="data source", key="uid", find=_at("api/datasources/uid", "uid")),
    "MuteTiming": Kind(title="mute timing", key="name", find=_at("api/v1/provisioning/mute-timings", "name")),
    "DashboardPublic": Kind(title="public dashboard", key="dashboardUid", find=_public),
    "ContactPoint": Kind(
        title="contact point",
        key="name",
        find=_listed("api/v1/provisioning/contact-points", None, "api/v1/provisioning/contact-points", "uid"),
    ),
    "ServiceAccount": Kind(
        title="service account",
        key="name",
        find=_listed("api/serviceaccounts/search?perpage=1000&query=", "serviceAccounts", "api/serviceaccounts", "id"),
    ),
    "Team": Kind(title="team", key="name", find=_listed("api/teams/search?perpage=1000", "teams", "api/teams", "id")),
}
"""By the last part of the type's name; other kinds are overwritten when they are created a second time."""


def in_the_way(grafana: Grafana, declared: Sequence[Declared], recorded: Collection[str]) -> dict[str, list[str]]:
    """Resources that are declared, in Grafana, and not recorded: resource name → API path."""
    found = {
        one.name: list(KINDS[kind].find(grafana, one.inputs))
        for one in declared
        if one.type.startswith("grafana:") and (kind := _last(one.type)) in KINDS and one.name not in recorded
    }
    return {name: paths for name, paths in found.items() if paths}


def take_out(
    grafana: Grafana, declared: Sequence[Declared], recorded: Collection[str], ours: Callable[[str], bool]
) -> list[str]:
    """Remove conflicting objects and, by the resource's name, the stack's own; returns the names of what was removed.

    ConfigError where an object belongs to someone else, or is a folder with dashboards of someone else.
    """
    by_name = {one.name: one for one in declared}
    known = {one.name.partition("-dashboard-")[2] for one in declared if _last(one.type) == "Dashboard"}
    found = in_the_way(grafana, declared, recorded)
    for name in found:
        kind = KINDS[_last(by_name[name].type)]
        what = f"Grafana at {grafana.url} has a {kind.title} {by_name[name].inputs[kind.key]} already"
        if not ours(name):
            raise ConfigError(f"{what}, and this stack did not make it", "remove it there, or give it another name")
        strange = _strange_dashboards(grafana, by_name[name], known)
        if strange:
            raise ConfigError(f"{what}, with dashboards that are not the stack's: {strange}", "move them elsewhere")
    # A policy that was created and not recorded refers to them; it is replaced by Grafana's default.
    policies = [one.name for one in declared if _last(one.type) == "NotificationPolicy"]
    if found and not set(policies) & set(recorded):
        _delete(grafana, "api/v1/provisioning/policies")
    for path in (path for paths in found.values() for path in paths):
        _delete(grafana, path)
    return sorted(found)


def _strange_dashboards(grafana: Grafana, one: Declared, known: Collection[str]) -> str:
    if _last(one.type) != "Folder":
        return ""
    uid = one.inputs["uid"]
    items = grafana.get("api/search?type=dash-db&limit=5000")
    return ", ".join(item["title"] for item in items if item.get("folderUid") == uid and item["uid"] not in known)


def _delete(grafana: Grafana, path: str) -> None:
    answer = http.delete(f"{grafana.url}/{path}", headers=grafana.headers, timeout=30)
    if answer.status_code != httpx.codes.NOT_FOUND:
        answer.raise_for_status()


def _last(kind: str) -> str:
    return kind.rpartition(":")[2]
