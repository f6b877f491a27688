"""What an interrupted update leaves in Grafana, and what must not be touched."""

from typing import Any

import httpx
import pytest

from observability.core import http
from observability.core.errors import ConfigError
from observability.operations.grafana import Grafana
from observability.operations.leftovers import KINDS, take_out
from observability.synth.declared import Declared
from tests.unit.conftest import declared_by, stack_config

EXTERNAL = stack_config("dev", {"grafana": {"url": "http://grafana.example.com", "publicStatus": True}})
DECLARED = [one for one in declared_by(EXTERNAL) if one.type.startswith("grafana:")]
GRAFANA = Grafana(url="http://grafana.example.com", auth="token")


class Fake:
    """A Grafana that has the objects of its table."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "api/serviceaccounts/search?perpage=1000&query=": {"serviceAccounts": []},
            "api/teams/search?perpage=1000": {"teams": []},
            "api/v1/provisioning/contact-points": [],
            "api/search?type=dash-db&limit=5000": [],
        }
        self.deleted: list[str] = []

    def get(self, url: str, **_: object) -> httpx.Response:
        path = url.removeprefix(f"{GRAFANA.url}/")
        request = httpx.Request("GET", url)
        if path in self.answers:
            return httpx.Response(200, json=self.answers[path], request=request)
        return httpx.Response(404, request=request)

    def delete(self, url: str, **_: object) -> httpx.Response:
        self.deleted.append(url.removeprefix(f"{GRAFANA.url}/"))
        return httpx.Response(200, request=httpx.Request("DELETE", url))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    found = Fake()
    monkeypatch.setattr(http, "get", found.get)
    monkeypatch.setattr(http, "delete", found.delete)
    return found


def everything(_: str) -> bool:
    return True


def nothing(_: str) -> bool:
    return False


def name_of(kind: str, **inputs: str) -> str:
    (found,) = [
        one.name for one in DECLARED if one.type.endswith(f":{kind}") and inputs.items() <= dict(one.inputs).items()
    ]
    return found


def test_where_nothing_conflicts_nothing_is_deleted(fake: Fake) -> None:
    assert take_out(GRAFANA, DECLARED, (), everything) == []
    assert fake.deleted == []


def test_what_an_update_began_and_did_not_record_is_deleted_after_the_policy(fake: Fake) -> None:
    fake.answers |= {
        "api/folders/depot": {"uid": "depot"},
        "api/datasources/uid/loki": {"uid": "loki"},
        "api/v1/provisioning/contact-points": [
            {"name": "alert-webhook", "uid": "c1"},
            {"name": "theirs", "uid": "c2"},
        ],
        "api/serviceaccounts/search?perpage=1000&query=": {"serviceAccounts": [{"name": "ci-viewer", "id": 7}]},
        "api/dashboards/uid/obs-status/public-dashboards": {"uid": "p1"},
    }
    assert len(take_out(GRAFANA, DECLARED, (), everything)) == 5
    assert fake.deleted[0] == "api/v1/provisioning/policies"
    assert set(fake.deleted[1:]) == {
        "api/folders/depot",
        "api/datasources/uid/loki",
        "api/v1/provisioning/contact-points/c1",
        "api/serviceaccounts/7",
        "api/dashboards/uid/obs-status/public-dashboards/p1",
    }


def test_a_recorded_resource_is_kept(fake: Fake) -> None:
    fake.answers["api/folders/depot"] = {"uid": "depot"}
    assert take_out(GRAFANA, DECLARED, [name_of("Folder", uid="depot")], nothing) == []
    assert fake.deleted == []


def test_a_recorded_policy_is_kept(fake: Fake) -> None:
    fake.answers["api/folders/depot"] = {"uid": "depot"}
    take_out(GRAFANA, DECLARED, [name_of("NotificationPolicy")], everything)
    assert fake.deleted == ["api/folders/depot"]


def test_foreign_resources_are_named_and_nothing_is_deleted(fake: Fake) -> None:
    fake.answers |= {"api/folders/depot": {"uid": "depot"}, "api/datasources/uid/loki": {"uid": "loki"}}
    with pytest.raises(ConfigError) as caught:
        take_out(GRAFANA, DECLARED, (), name_of("Folder", uid="depot").__eq__)
    assert "has a data source loki already, and this stack did not make it" in caught.value.what
    assert fake.deleted == []


def test_a_folder_with_foreign_dashboards_is_not_deleted(fake: Fake) -> None:
    fake.answers |= {
        "api/folders/depot": {"uid": "depot"},
        "api/search?type=dash-db&limit=5000": [
            {"uid": "mine", "title": "My Own", "folderUid": "depot"},
            {"uid": "depot-overview", "title": "Overview", "folderUid": "depot"},
            {"uid": "other", "title": "Elsewhere"},
        ],
    }
    with pytest.raises(ConfigError) as caught:
        take_out(GRAFANA, DECLARED, (), everything)
    assert caught.value.what.endswith("with dashboards that are not the stack's: My Own")
    assert fake.deleted == []


def test_every_declared_kind_is_either_looked_for_or_overwritten() -> None:
    config = stack_config(
        "dev",
        {
            "grafana": {
                "publicStatus": True,
                "teams": {"erp": {"folders": ["depot"]}},
                "dataSources": {"elasticsearch": {"url": "http://search.example.com:9200"}},
            },
            "notifications": {"muteTimes": {"nights": {"times": ["22:00-07:00"]}}},
        },
    )
    kinds = {one.type.rpartition(":")[2] for one in declared_by(config) if one.type.startswith("grafana:")}
    overwritten = {"Dashboard", "FolderPermission", "MessageTemplate", "NotificationPolicy", "RuleGroup"}
    assert kinds == set(KINDS) | overwritten


def test_a_resource_of_another_type_is_never_looked_for(fake: Fake) -> None:
    fake.answers["api/folders/x"] = {"uid": "x"}
    strange = Declared(type="other:index:Folder", name="x", parent=None, inputs={"uid": "x"})
    assert take_out(GRAFANA, [strange], (), everything) == []
