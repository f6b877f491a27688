"""GoAlert: the rota in its terms, synchronised in one run, and a part whose secrets are files."""

import json
from datetime import datetime, timedelta
from typing import Any, cast

import httpx
import pytest

from observability.alerting import goalert
from observability.alerting.goalert import Exceptional, Fixed, Notify, Rule, Turns
from observability.alerting.routes import taken
from observability.operations.goalert import Sync
from observability.operations.goalert_api import Client, GoAlertError
from observability.settings.load import StackConfig, validate
from observability.settings.notifications import Smtp, goalert_secret
from observability.settings.on_call import OnCallSettings
from observability.synth.record import record
from tests.unit.conftest import REFERENCE
from tests.unit.goalert_double import Double
from tests.unit.on_call_rota import rota, settings, utc

NOW = utc("2026-11-24 10:00")
SMTP = Smtp(host="smtp.example.com", sender="alerts@example.com", user="alerts")
EVERY_DAY = (True,) * 7


def test_rotations_have_the_person_whose_turn_it_is() -> None:
    assert goalert.rotations(settings(), NOW) == {
        "leads": Turns(
            kind="weekly", start=utc("2026-01-05 08:00"), zone="Europe/Berlin", people=("dora", "emil"), active=0
        ),
        "office": Turns(
            kind="weekly", start=utc("2026-01-05 08:00"), zone="Europe/Berlin", people=("anna", "ben"), active=0
        ),
        "nights": Turns(
            kind="daily",
            start=utc("2026-01-05 11:00"),
            zone="Europe/Berlin",
            people=("carla", "ben", "anna"),
            active=1,
        ),
    }


def test_hours_become_rules_of_weeks_that_begin_on_sunday() -> None:
    layers = [
        {"rotation": "office", "hours": ["06:00-24:00"], "weekdays": ["sunday"]},
        {"rotation": "nights", "hours": ["00:00-06:00"], "weekdays": ["sunday"]},
        {"rotation": "office", "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]},
    ]
    sunday = (True, *(False,) * 6)
    week = (False, *(True,) * 6)
    assert goalert.rules(settings("schedules.depot.layers", layers).schedules["depot"]) == {
        "office": [Rule("00:00", "00:00", week), Rule("06:00", "00:00", sunday)],
        "nights": [Rule("00:00", "06:00", sunday)],
    }
    assert goalert.rules(settings().schedules["depot"]) == {
        "office": [Rule("08:00", "20:00", EVERY_DAY)],
        "nights": [Rule("20:00", "08:00", EVERY_DAY)],
    }


def test_holidays_and_overrides_are_fixed_shifts() -> None:
    start, end = utc("2026-12-24 23:00"), utc("2026-12-26 23:00")
    override = Fixed(utc("2026-12-30 17:00"), utc("2027-01-02 07:00"), "ben")
    assert goalert.exceptional(settings(), "depot", NOW) == [
        Exceptional(start, end, (Fixed(start, end, "carla"),)),
        Exceptional(override.start, override.end, (override,)),
    ]


def test_past_shifts_are_omitted_and_current_ones_start_now() -> None:
    now = utc("2026-12-31 12:00")
    assert goalert.exceptional(settings(), "depot", now + timedelta(seconds=30)) == [
        Exceptional(now, utc("2027-01-02 07:00"), (Fixed(now, utc("2027-01-02 07:00"), "ben"),))
    ]
    assert goalert.exceptional(settings(), "depot", utc("2027-01-02 07:00")) == []


def test_the_escalation_starts_with_the_schedule_and_waits_between_steps() -> None:
    assert goalert.steps("depot", settings().schedules["depot"]) == [
        Notify("schedule", "depot", 15),
        Notify("rotation", "leads", 15),
        Notify("person", "fatou", goalert.LAST_MINUTES),
    ]
    alone = settings("schedules.depot.escalation", []).schedules["depot"]
    assert goalert.steps("depot", alone) == [Notify("schedule", "depot", goalert.LAST_MINUTES)]


def synced(
    double: Double, said: OnCallSettings, now: datetime = NOW, smtp: Smtp | None = SMTP
) -> tuple[Sync, list[str]]:
    sync = Sync(cast(Client, double), said, now)
    return sync, list(sync.run(smtp, "secret"))


def test_a_second_sync_changes_nothing() -> None:
    double = Double()
    first, said = synced(double, settings())
    assert len(said) == 25
    before = len(double.changes)
    second, again = synced(double, settings())
    assert again == []
    assert len(double.changes) == before
    assert first.keys == second.keys == {"depot": double.named("services", "depot")["integrationKeys"][0]["id"]}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("people.ben.name", "Ben Leigh", ["person ben: now called Ben Leigh"]),
        ("rotations.office.zone", "UTC", ["rotation office: activeUserIndex, start, timeZone"]),
        ("rotations.office.handover", "10:00", ["rotation office: activeUserIndex, start"]),
        ("rotations.office.people", ["ben", "anna"], ["rotation office: activeUserIndex, userIDs"]),
        ("rotations.nights.every", "week", ["rotation nights: activeUserIndex, type"]),
        ("schedules.depot.layers", [{"rotation": "office"}], ["schedule depot: hours of office"]),
        ("schedules.depot.overrides", [], ["schedule depot: holidays and overrides"]),
        ("schedules.depot.escalation.1", None, ["escalation depot: 2 steps"]),
        ("schedules.depot.escalation.0.after", "20m", ["escalation depot: 3 steps"]),
    ],
)
def test_a_change_of_the_settings_is_applied_once(path: str, value: object, said: list[str]) -> None:
    double = Double()
    synced(double, settings())
    changed = settings(path, value)
    assert [line for line in synced(double, changed)[1] if "a target that is not ours" not in line] == said
    assert synced(double, changed)[1] == []


def test_a_manual_change_in_goalert_is_reverted() -> None:
    double = Double()
    synced(double, settings())
    double.named("rotations", "office")["activeUserIndex"] = 1
    schedule = double.named("schedules", "depot")
    foreign = {"target": {"id": "elsewhere", "type": "user"}, "rules": [_rule("00:00", "00:00")]}
    schedule["targets"].append(foreign)
    double.named("escalationPolicies", "depot")["repeat"] = 3
    assert synced(double, settings())[1] == [
        "rotation office: activeUserIndex",
        "schedule depot: hours of a target that is not ours",
        "escalation depot: repeat",
    ]
    assert foreign not in schedule["targets"]
    assert synced(double, settings())[1] == []


def _rule(start: str, end: str) -> dict[str, Any]:
    return {"start": start, "end": end, "weekdayFilter": EVERY_DAY}


def test_the_passing_of_time_is_not_a_change() -> None:
    double = Double()
    synced(double, settings("rotations.nights.people", ["carla"]))
    during = utc("2026-12-26 12:00")
    double.named("rotations", "office")["activeUserIndex"] = goalert.rotations(settings(), during)["office"].active
    assert synced(double, settings("rotations.nights.people", ["carla"]), during)[1] == []


def test_people_are_matched_by_address_and_notified_once_it_is_confirmed() -> None:
    double = Double()
    double.change("createUser", "", {"name": "Anna Berg", "email": "Anna@Example.com"})
    sync, _ = synced(double, settings())
    assert len(double.objects["users"]) == 6
    assert sync.unverified == ["anna", "ben", "carla", "dora", "emil", "fatou"]
    assert sync.send_code("anna")
    assert not sync.send_code("anna")
    for user in double.objects["users"].values():
        user["contactMethods"][0]["disabled"] = False
    assert synced(double, settings())[0].unverified == []


def test_mail_is_sent_by_the_configured_server_and_otherwise_not_sent() -> None:
    double = Double()
    synced(double, settings())
    assert double.config == {
        "SMTP.Enable": "true",
        "SMTP.From": "alerts@example.com",
        "SMTP.Address": "smtp.example.com:587",
        "SMTP.DisableTLS": "false",
        "SMTP.Username": "alerts",
        "SMTP.Password": "secret",
    }
    assert synced(double, settings(), smtp=None)[1] == ["mail server: SMTP.Enable"]
    assert double.config["SMTP.Enable"] == "false"


class Server:
    """GoAlert's two addresses, for the client."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pages = [["a", "b"], ["c"]]
        usual = httpx.Client
        monkeypatch.setattr(
            "observability.operations.goalert_api.httpx.Client",
            lambda **given: usual(transport=httpx.MockTransport(self._answer), **given),
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v2/identity/providers/basic":
            ours = request.headers["referer"] == "https://calls.example.com/"
            right = b"password=right" in request.content
            location = "https://calls.example.com/" + ("" if right and ours else "?login_error=unknown")
            return httpx.Response(302, headers={"location": location})
        asked = json.loads(request.content)
        if "users" not in asked["query"]:
            return httpx.Response(200, json={"errors": [{"message": "no such field"}], "data": None})
        page = int(asked["variables"]["after"] or 0)
        found = {
            "nodes": [{"id": name} for name in self.pages[page]],
            "pageInfo": {"hasNextPage": page + 1 < len(self.pages), "endCursor": str(page + 1)},
        }
        return httpx.Response(200, json={"data": {"users": found}})


def test_the_client_signs_in_reads_every_page_and_reports_goalerts_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    Server(monkeypatch)
    client = Client("http://127.0.0.1:8081", "https://calls.example.com", "admin", "right")
    assert client.signed_in
    assert not Client("http://127.0.0.1:8081", "https://calls.example.com", "admin", "wrong").signed_in
    assert [one["id"] for one in client.all("users", "email")] == ["a", "b", "c"]
    with pytest.raises(GoAlertError, match="no such field"):
        client.ask("{ nothing }")


def stack(*secrets: str, enabled: bool = True) -> StackConfig:
    values = {"profile": "minimal", "onCall": rota(), "goalert": {"enabled": enabled}}
    return validate("dev", values, frozenset(secrets), REFERENCE)


def test_critical_alerts_of_a_team_go_to_goalert_once_its_address_is_stored() -> None:
    secret = goalert_secret("depot")
    critical = {"team": "depot", "severity": "critical"}
    assert "oncall-depot" in [route.receiver for route in taken(stack(secret), critical)]
    assert "oncall-depot" not in [
        route.receiver for route in taken(stack(secret), {**critical, "severity": "warning"})
    ]
    assert "oncall-depot" not in [route.receiver for route in taken(stack(secret), {**critical, "team": "academy"})]
    assert "oncall-depot" not in [route.receiver for route in taken(stack(), critical)]
    assert "oncall-depot" not in [route.receiver for route in taken(stack(secret, enabled=False), critical)]


def test_goalert_is_left_out_where_it_is_not_enabled_or_has_no_image() -> None:
    assert not stack(enabled=False).runs("goalert")
    assert not stack().without({"goalert": "no such host"}).runs("goalert")
    assert not validate("dev", {}, frozenset(), REFERENCE).runs("goalert")


def test_no_secret_of_goalert_is_in_the_environment_a_label_or_a_command() -> None:
    config = stack("goalertDatabasePassword", "goalertEncryptionKey", "goalertAdminPassword")
    containers = {one.inputs["name"]: one.inputs for one in record(config, {}) if one.type.endswith(":Container")}
    for name in ("obs-dev-goalert", "obs-dev-goalert-postgres"):
        said = json.dumps({key: containers[name].get(key) for key in ("envs", "labels", "command", "entrypoints")})
        assert "Password" not in said
        assert "EncryptionKey" not in said
        uploads = {one["file"].rpartition("/")[2] for one in containers[f"{name}-config"]["uploads"]}
        assert "database-password" in uploads
