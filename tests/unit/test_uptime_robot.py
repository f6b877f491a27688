"""UptimeRobot: which endpoints become monitors, and that the account is kept as declared, against a double."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from typer.testing import CliRunner

from observability.alerting import uptime_robot as wanted
from observability.check.run import check
from observability.cli import uptime_robot as command
from observability.cli.app import app
from observability.cli.project import init
from observability.core import project
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.operations import uptime_robot as operation
from observability.operations.home import Home
from observability.operations.uptime_robot import Client, UptimeRobotError, sync
from observability.settings.load import StackConfig, validate
from observability.settings.uptime_robot import SECRET
from tests.unit.conftest import stack_config
from tests.unit.uptime_robot_double import GET, KEY, READ_ONLY, Double, serving

PROBES: Final[list[dict[str, Any]]] = [
    {"name": "home", "url": "https://shop.example.com/", "headers": {"Accept-Language": "de"}},
    {"name": "api", "url": "https://api.example.com/health", "keyword": '"status":"ok"', "interval": "1h"},
    {"name": "head", "url": "http://shop.example.com/", "method": "HEAD"},
    {"name": "mail", "url": "tcp://mail.example.com:587"},
    {"name": "router", "url": "icmp://9.9.9.9"},
    {"name": "old", "url": "https://old.example.com/", "verifyCertificate": False},
]
NOT_THERE: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "post": ({"url": "https://a.example.com", "method": "POST", "body": "{}"}, "method POST; body"),
    "json": ({"url": "https://b.example.com", "json": {"a": 1}}, "json; a keyword can take its place"),
    "status": ({"url": "https://c.example.com", "status": [404]}, "status: any from 200 to 399"),
    "redirect": ({"url": "https://d.example.com", "followRedirects": False}, "followRedirects: false"),
    "secret": ({"url": "https://e.example.com", "bearerToken": True}, "a secret, which is not given"),
    "named": ({"url": "https://f.example.com", "serverName": "b"}, "of another name"),
    "empty": ({"url": "https://g.example.com", "method": "HEAD", "keyword": "a"}, "keyword with the method HEAD"),
    "private": ({"url": "https://10.0.0.5/"}, "10.0.0.5 is an internal address"),
    "shared": ({"url": "icmp://100.64.0.1"}, "100.64.0.1 is an internal address"),
    "short": ({"url": "http://shop:8080/"}, "shop is an internal address"),
    "lan": ({"url": "tcp://db.lan:5432"}, "db.lan is an internal address"),
    "mapped": ({"url": "https://db.example.com/"}, "db.example.com is an internal address"),
    "name": ({"url": "dns://9.9.9.9/shop.example.com"}, "dns:// is not known there"),
    "tls": ({"url": "tls://mail.example.com:993"}, "tls:// is not known there"),
    "grpc": ({"url": "grpcs://api.example.com:443"}, "grpcs:// is not known there"),
}


def config(probes: list[dict[str, Any]], secret: bool = True, **more: Any) -> StackConfig:  # noqa: ANN401
    """A stack with these endpoints."""
    values = {"systems": {"platform": {"probes": probes}}, "uptimeRobot": more, "network": NETWORK}
    return validate("dev", values, frozenset({SECRET} if secret else ()))


NETWORK: Final = {"hosts": {"db.example.com": "10.0.0.5"}}


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    with serving(Double()) as found:
        monkeypatch.setattr(operation, "ADDRESS", found.address)
        yield found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path / "data"))
    return Home.find()


def synced(stack: StackConfig, key: str = KEY) -> list[str]:
    """The changes of a synchronization; no pause takes time."""
    client = Client(key, wait=lambda _: None)
    return list(sync(client, wanted.prefix(stack), wanted.monitors(stack)))


def test_endpoints_become_monitors_every_300_s_with_a_time_out_of_30_s(double: Double) -> None:
    stack = config(PROBES, alertContacts=["12", "34"])
    assert synced(stack) == [
        f"created obs obs-dev: {name}" for name in ("api", "head", "home", "mail", "old", "router")
    ]
    common = {
        "status": 2,
        "interval": 300,
        "timeout": 30,
        "alert_contacts": [
            {"id": "12", "threshold": 0, "recurrence": 0},
            {"id": "34", "threshold": 0, "recurrence": 0},
        ],
    }
    page = {**common, "custom_http_headers": {}, "ssl": {"ignore_errors": 0}}
    shop = {**page, "type": 1, "http_method": 2}
    expected = {
        "home": {**shop, "url": "https://shop.example.com/", "custom_http_headers": {"Accept-Language": "de"}},
        "head": {**shop, "url": "http://shop.example.com/", "http_method": 1},
        "old": {**shop, "url": "https://old.example.com/", "ssl": {"ignore_errors": 1}},
        "api": {
            **page,
            "type": 2,
            "url": "https://api.example.com/health",
            "interval": 3600,
            "keyword_type": 2,
            "keyword_case_type": 0,
            "keyword_value": '"status":"ok"',
        },
        "mail": {**common, "type": 4, "url": "mail.example.com", "sub_type": 99, "port": 587},
    }
    for name, monitor in expected.items():
        found = double.named(f"obs obs-dev: {name}")
        assert {key: value for key, value in found.items() if key not in ("id", "friendly_name")} == monitor
    router = double.named("obs obs-dev: router")
    assert (router["type"], router["url"], "timeout" in router) == (3, "9.9.9.9", False)


def test_a_second_run_changes_nothing(double: Double) -> None:
    stack = config(PROBES, alertContacts=["12"])
    synced(stack)
    double.calls.clear()
    assert synced(stack) == []
    assert [name for name, _ in double.calls] == [GET]


@pytest.mark.parametrize(
    ("change", "said", "methods"),
    [
        ({"url": "https://new.example.com/"}, ["changed obs obs-dev: home: url"], ["editMonitor"]),
        ({"headers": {"Accept": "a"}}, ["changed obs obs-dev: home: custom_http_headers"], ["editMonitor"]),
        ({"interval": "10m"}, ["changed obs obs-dev: home: interval"], ["editMonitor"]),
        (
            {"keyword": "Sign in"},
            ["removed obs obs-dev: home", "created obs obs-dev: home"],
            ["deleteMonitor", "newMonitor"],
        ),
        (
            {"name": "start"},
            ["removed obs obs-dev: home", "created obs obs-dev: start"],
            ["deleteMonitor", "newMonitor"],
        ),
        ({"method": "POST"}, ["removed obs obs-dev: home"], ["deleteMonitor"]),
    ],
    ids=["address", "header", "interval", "type", "name", "no longer possible"],
)
def test_a_changed_endpoint_changes_its_monitor(
    double: Double, change: dict[str, Any], said: list[str], methods: list[str]
) -> None:
    synced(config(PROBES))
    double.calls.clear()
    assert synced(config([{**PROBES[0], **change}, *PROBES[1:]])) == said
    assert [name for name, _ in double.changes] == methods


def test_what_was_changed_there_by_hand_is_corrected(double: Double) -> None:
    synced(config(PROBES))
    double.named("obs obs-dev: home")["timeout"] = 10
    assert synced(config(PROBES)) == ["changed obs obs-dev: home: timeout"]
    assert double.named("obs obs-dev: home")["timeout"] == 30


def test_contacts_that_a_person_entered_stay_unless_the_settings_name_some(double: Double) -> None:
    synced(config(PROBES))
    double.named("obs obs-dev: home")["alert_contacts"] = [{"id": "9", "threshold": 0, "recurrence": 0}]
    assert synced(config(PROBES)) == []
    assert "changed obs obs-dev: home: alert_contacts" in synced(config(PROBES, alertContacts=["12"]))


def test_monitors_of_others_are_never_changed(double: Double) -> None:
    theirs = [double.add(name) for name in ("home", "obs obs-prod: home", "OBS obs-dev: home", "")]
    before = {number: dict(double.monitors[number]) for number in theirs}
    synced(config(PROBES))
    synced(config([]))
    assert double.monitors == before
    assert len([method for method, _ in double.changes if method == "newMonitor"]) == len(PROBES)


def test_an_account_of_several_pages_is_read_whole(double: Double) -> None:
    for number in range(120):
        double.add(f"other {number}")
    synced(config(PROBES))
    double.calls.clear()
    assert synced(config(PROBES)) == []
    assert [(form["offset"], form["limit"]) for _, form in double.calls] == [("0", "50"), ("50", "50"), ("100", "50")]


def test_of_two_monitors_of_one_name_one_is_left(double: Double) -> None:
    synced(config(PROBES[:1]))
    double.add("obs obs-dev: home", url="https://shop.example.com/")
    assert synced(config(PROBES[:1])) == ["removed obs obs-dev: home"]
    assert len(double.monitors) == 1


@pytest.mark.parametrize("enabled", [None, True])
def test_without_the_key_the_service_is_not_known(enabled: bool | None) -> None:
    if enabled:
        with pytest.raises(ConfigError) as caught:
            config(PROBES, secret=False, enabled=True)
        assert "observability:uptimeRobot.enabled needs the secret" in caught.value.what
        assert f"./obs secret set {SECRET} dev" in caught.value.fix
    else:
        stack = config([*PROBES, {"name": "rack", "url": "icmp://10.0.0.1"}], secret=False)
        assert (wanted.monitors(stack), wanted.unwatched(stack)) == ((), ())
        assert list(operation.rows(stack, {})) == []


def test_the_setting_false_removes_the_monitors(double: Double) -> None:
    synced(config(PROBES))
    assert len(synced(config(PROBES, enabled=False))) == len(PROBES)
    assert double.monitors == {}
    assert wanted.unwatched(config(PROBES, enabled=False)) == ()


def test_an_endpoint_that_cannot_become_a_monitor_is_named_with_the_reason() -> None:
    probes = [{"name": name, **own} for name, (own, _) in NOT_THERE.items()]
    values = {"systems": {"platform": {"probes": probes}}, "network": NETWORK}
    stack = validate("dev", values, frozenset({SECRET, "platformProbesSecretPassword"}))
    assert wanted.monitors(stack) == ()
    found = dict(wanted.unwatched(stack))
    assert found.keys() == NOT_THERE.keys()
    assert not [name for name, (_, why) in NOT_THERE.items() if why not in found[name]]


def test_health_pages_of_instances_are_named_once() -> None:
    found = dict(wanted.unwatched(stack_config("prod", {})))
    pages = [why for why in found.values() if why.startswith("a health page of each instance")]
    assert pages
    assert not [one for one in wanted.monitors(stack_config("prod", {})) if "/" in one.name.partition(": ")[2]]


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"interval": "10s"}, "from 30s to 24h"),
        ({"interval": "2d"}, "from 30s to 24h"),
        ({"timeout": "90s"}, "from 1s to 60s"),
        ({"timeout": "1500ms"}, "whole seconds"),
        ({"alertContacts": ["ops@example.com"]}, "alertContacts[0]"),
        ({"alertContacts": ["1", "1"]}, "twice"),
        ({"apiKey": "u1"}, "unknown key"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_path(own: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(PROBES, **own)
    assert "observability:uptimeRobot" in caught.value.what
    assert said in f"{caught.value.what} {caught.value.fix}"


@pytest.mark.parametrize(
    ("key", "said"),
    [("u1-wrong", "api_key not found"), (READ_ONLY, "api_key is read-only")],
    ids=["wrong", "read-only"],
)
def test_a_key_that_does_not_suffice_is_reported_without_its_value(double: Double, key: str, said: str) -> None:
    with pytest.raises(UptimeRobotError) as caught:
        synced(config(PROBES), key)
    assert caught.value.what == f"UptimeRobot refuses the key: {said}."
    assert f"./obs secret set {SECRET}" in caught.value.fix
    assert key not in f"{caught.value.what} {caught.value.fix}"
    assert double.monitors == {}


@pytest.mark.usefixtures("double")
def test_an_interval_below_that_of_the_plan_is_reported() -> None:
    with pytest.raises(UptimeRobotError, match="refuses newMonitor: interval is not available in your plan"):
        synced(config(PROBES, interval="1m"))


def test_more_monitors_than_the_plan_has_are_reported_and_the_others_kept(double: Double) -> None:
    double.most = 2
    with pytest.raises(UptimeRobotError, match="reached the monitor limit"):
        synced(config(PROBES))
    assert len(double.monitors) == 2


@pytest.mark.parametrize(("header", "pause"), [("7", 7.0), ("0", 1.0), (None, 60.0), ("soon", 60.0)])
def test_a_rate_limit_is_waited_for(double: Double, header: str | None, pause: float) -> None:
    double.limited = [header]
    pauses: list[float] = []
    assert Client(KEY, wait=pauses.append).monitors() == []
    assert pauses == [pause]


def test_a_rate_limit_that_lasts_is_an_error(double: Double) -> None:
    double.limited = ["100", "100"]
    pauses: list[float] = []
    with pytest.raises(UptimeRobotError, match="rate limit is reached, for 100 s more"):
        Client(KEY, wait=pauses.append).monitors()
    assert pauses == [100.0]


def test_a_service_that_is_down_is_an_error(double: Double) -> None:
    double.broken = True
    with pytest.raises(UptimeRobotError, match="answers getMonitors with 502"):
        Client(KEY).monitors()
    with pytest.raises(UptimeRobotError, match="does not respond: ConnectError"):
        Client(KEY, "http://127.0.0.1:9/v2").monitors()


def test_verify_has_a_row_for_the_account_and_for_each_endpoint_left_out(double: Double) -> None:
    stack = config([*PROBES, {"name": "rack", "url": "icmp://10.0.0.1"}])
    secrets = {SECRET: KEY}
    rack = ("UptimeRobot rack", "left out", "10.0.0.1 is an internal address")
    first, *others = operation.rows(stack, secrets)
    assert (first[0], first[1], others) == ("UptimeRobot", "failed", [rack])
    assert "obs obs-dev: home is missing" in first[2]
    assert first[2].endswith(": ./obs uptimerobot dev")
    synced(stack)
    assert list(operation.rows(stack, secrets)) == [
        ("UptimeRobot", "passed", "6 monitors as declared, none down"),
        rack,
    ]
    double.named("obs obs-dev: home")["status"] = 9
    assert next(operation.rows(stack, secrets))[1:] == (
        "warning",
        "6 monitors as declared; down: obs obs-dev: home",
    )
    double.limited = ["5"]
    assert next(operation.rows(stack, secrets))[1] == "failed"
    assert next(operation.rows(stack, {SECRET: "wrong"}))[2].startswith("UptimeRobot refuses the key")


def test_up_keeps_the_monitors_and_says_how_they_are_removed_without_the_key(
    double: Double, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = config(PROBES)
    home.set_secret("dev", SECRET, KEY)
    assert command.after_up(home, stack)
    assert len(double.monitors) == len(PROBES)
    assert "UptimeRobot: created obs obs-dev: home" in capsys.readouterr().err
    home.remove_secret("dev", SECRET)
    assert command.after_up(home, config(PROBES, secret=False))
    said = " ".join(capsys.readouterr().err.split())
    assert "UptimeRobot still has obs obs-dev: api," in said
    assert "./obs uptimerobot dev --remove" in said
    home.set_secret("dev", SECRET, KEY)
    assert command.after_up(home, config(PROBES, enabled=False))
    assert double.monitors == {}
    home.remove_secret("dev", SECRET)
    capsys.readouterr()
    assert command.after_up(home, config(PROBES, secret=False))
    assert capsys.readouterr().err == ""


def test_up_fails_for_a_wrong_key_with_the_fix(double: Double, home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    home.set_secret("dev", SECRET, "u1-wrong")
    assert not command.after_up(home, config(PROBES))
    assert f"./obs secret set {SECRET}" in capsys.readouterr().err
    assert double.monitors == {}


def test_the_command_synchronizes_names_the_others_and_removes(
    double: Double, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = config([*PROBES, {"name": "rack", "url": "icmp://10.0.0.1"}])
    monkeypatch.setattr(Home, "config", lambda *_: stack)
    refused = CliRunner().invoke(app, ["uptimerobot"])
    assert isinstance(refused.exception, ConfigError)
    home.set_secret("dev", SECRET, KEY)
    first = CliRunner().invoke(app, ["uptimerobot", "--json"], catch_exceptions=False)
    document = json.loads(first.stdout)
    assert len(document["changes"]) == len(PROBES)
    assert document["unwatched"] == [{"name": "rack", "reason": "10.0.0.1 is an internal address"}]
    again = CliRunner().invoke(app, ["uptimerobot"], catch_exceptions=False)
    assert again.stdout.splitlines()[-1] == "dev: no change"
    assert "not watched from outside: rack: 10.0.0.1 is an internal address" in again.stdout
    gone = CliRunner().invoke(app, ["uptimerobot", "--remove"], catch_exceptions=False)
    assert gone.stdout.splitlines()[-1] == f"dev: {len(PROBES)} changes"
    assert double.monitors == {}


@pytest.mark.usefixtures("home")
def test_doctor_names_the_endpoints_without_a_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = config([*PROBES, {"name": "rack", "url": "icmp://10.0.0.1"}])
    monkeypatch.setattr("observability.cli.look.load_all", lambda _: (stack, {}))
    monkeypatch.setattr("toolchain.inspect", lambda _: [])
    said = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    assert [one for one in said if one["name"].startswith("UptimeRobot")] == [
        {"name": "UptimeRobot rack", "ok": True, "detail": "left out: 10.0.0.1 is an internal address"}
    ]


def test_check_names_them_where_the_settings_enable_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project"
    init(folder)
    monkeypatch.setenv(project.VARIABLE, str(folder))
    monkeypatch.setattr("observability.check.promtool.find", lambda: None)
    path = folder / "Pulumi.dev.yaml"
    document = load_yaml(path.read_text())
    systems = document["config"].setdefault("observability:systems", {})
    systems["platform"] = {"probes": [*PROBES, {"name": "rack", "url": "icmp://10.0.0.1"}]}
    document["config"]["observability:uptimeRobot"] = {"enabled": True}
    path.write_text(yaml.safe_dump(document))
    report = check()
    assert report.problems == []
    assert "Pulumi.dev.yaml: UptimeRobot does not watch rack: 10.0.0.1 is an internal address" in report.notes
