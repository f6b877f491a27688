"""`obs silence`: what may be silenced, by whom and for how long; which silences look forgotten."""

import getpass
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dashboards.linked_rules import files
from observability.alerting.alerts import alerts, known_values
from observability.alerting.matchers import parse_matchers
from observability.cli.silences import Silence, app, check, length, whoami
from observability.core.errors import ConfigError
from observability.operations.alertmanager import Alertmanager
from observability.operations.home import Home
from tests.unit.conftest import stack_config

CONFIG = stack_config()
KNOWN = known_values(CONFIG, alerts(files(CONFIG)))
WATCHDOG = [{"alertname": "Watchdog", "severity": "info", "system": "platform", "team": "platform"}]


def silence(state: str = "active", since: float = -1, until: float = 1, **more: str) -> dict[str, Any]:
    """A silence as in Alertmanager's API; times in hours from now."""
    now = datetime.now(UTC)
    return {
        "id": "11111111-2222-3333-4444-555555555555",
        "status": {"state": state},
        "matchers": [{"name": "system", "value": "depot", "isRegex": False, "isEqual": True}],
        "createdBy": "ann@example.com",
        "comment": "deploying 1.4",
        "startsAt": (now + timedelta(hours=since)).isoformat(),
        "endsAt": (now + timedelta(hours=until)).isoformat(),
        **more,
    }


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command line of a stack whose Alertmanager must not be queried."""
    monkeypatch.setattr(Home, "config", lambda _home, _stack: CONFIG)

    def unasked(*_: object, **__: object) -> None:
        raise AssertionError("Alertmanager was asked")

    monkeypatch.setattr(Alertmanager, "_ask", unasked)
    return CliRunner()


def listed(monkeypatch: pytest.MonkeyPatch, silences: list[dict[str, Any]], *arguments: str, mutes: int = 0) -> str:
    """What `list` prints of these silences, the first of which mutes some alerts."""
    monkeypatch.setattr(Home, "config", lambda _home, _stack: CONFIG)
    monkeypatch.setattr(Alertmanager, "silences", lambda _: silences)
    alerts = [{"status": {"silencedBy": [silences[0]["id"]]}}] * mutes
    monkeypatch.setattr(Alertmanager, "alerts", lambda _: alerts)
    done = CliRunner().invoke(app, ["list", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def add(runner: CliRunner, *arguments: str) -> ConfigError:
    done = runner.invoke(app, ["add", *arguments])
    assert isinstance(done.exception, ConfigError), done.output
    return done.exception


@pytest.mark.parametrize(
    "text",
    [
        "severity=~.+",
        "severity=~critical|warning|info",
        "instance=~.+",
        "severity=~.+,system=~.+",
    ],
)
def test_matchers_that_would_match_every_alert_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="matches every alert"):
        check(parse_matchers(text), KNOWN)


@pytest.mark.parametrize("text", ["system=", "alertname=~.*", "system!=nowhere", "instance!=db-1", "team!=depot"])
def test_matchers_that_all_match_an_empty_label_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="needs no label to be there, which Alertmanager refuses"):
        check(parse_matchers(text), KNOWN, WATCHDOG)


@pytest.mark.parametrize("text", ["severity=info", "system=platform", "alertname=Watchdog"])
def test_matchers_that_would_silence_the_watchdog_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="would silence the Watchdog") as caught:
        check(parse_matchers(text), KNOWN, WATCHDOG)
    assert caught.value.fix == 'add alertname!="Watchdog"'


@pytest.mark.parametrize(
    "text",
    [
        "alertname=HighErrorRate,system=depot",
        "severity=info,alertname!=Watchdog",
        "severity=~.+,system=depot",
        "instance=db-1:5432",
        "severity!=critical,system=studio",
    ],
)
def test_matchers_that_select_some_alerts_are_allowed(text: str) -> None:
    check(parse_matchers(text), KNOWN, WATCHDOG)


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("alertname=HighErorRate", "there is no such alertname", "did you mean 'HighErrorRate'?"),
        ("system=depo", "there is no such system", "did you mean 'depot'?"),
        ("component=~data", "there is no such component", "did you mean 'database'?"),
        ("alertname=~Hihg.*", "there is no such alertname", "see the files in rules/"),
    ],
)
def test_matchers_that_match_no_alert_are_refused_with_the_nearest(text: str, what: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(parse_matchers(text), KNOWN)
    assert what in caught.value.what
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--for", "8d", "--reason", "x"], "--for 8d: is longer than 7 days"),
        (["--for", "30s", "--reason", "x"], "--for 30s: is too short"),
        (["--for", "2x", "--reason", "x"], "--for 2x: is not a duration"),
        (["--for", "2h", "--reason", " "], "--reason is empty"),
    ],
)
def test_a_silence_too_long_too_short_or_without_a_reason_is_refused(
    runner: CliRunner, arguments: list[str], what: str
) -> None:
    assert what in add(runner, "alertname=HighErrorRate", *arguments).what


HOST_DOWN = {"alertname": "HostDown", "severity": "critical", "system": "depot", "instance": "web-1:9100"}
REDIS_DOWN = {"alertname": "RedisDown", "severity": "critical", "system": "depot", "instance": "web-1:6379"}


def firing(labels: dict[str, str], fingerprint: str, *inhibited_by: str) -> dict[str, Any]:
    """An alert as in Alertmanager's API."""
    status = {"silencedBy": [], "inhibitedBy": list(inhibited_by), "mutedBy": []}
    return {"labels": labels, "fingerprint": fingerprint, "startsAt": "2026-11-18T12:00:00Z", "status": status}


def added(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[str, list[dict[str, Any]]]:
    """What `add` prints while HostDown mutes RedisDown, and the silences that it adds."""
    made: list[dict[str, Any]] = []
    monkeypatch.setattr(Home, "config", lambda _home, _stack: CONFIG)
    alerts = [firing(HOST_DOWN, "a"), firing(REDIS_DOWN, "b", "a")]
    monkeypatch.setattr(Alertmanager, "alerts", lambda _: alerts)

    def silence(_: Alertmanager, one: dict[str, Any]) -> str:
        made.append(one)
        return f"{len(made)}1111111-2"

    monkeypatch.setattr(Alertmanager, "silence", silence)
    done = CliRunner().invoke(app, ["add", *arguments, "--for", "1h", "--reason", "x", "--author", "ann"])
    assert done.exit_code == 0, done.output
    return done.output, made


def test_what_a_silence_would_mute_is_shown_before_it_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    output, made = added(monkeypatch, "HostDown,system=depot")
    assert output.index("mutes 1 alert now:") < output.index("11111111 active until")
    assert "  HostDown critical depot web-1:9100 since 2026-11-18 12:00 UTC" in output
    assert "mutes when they fire: HostDown\n" in output
    assert [one["matchers"][0]["value"] for one in made] == ["HostDown"]


def test_a_dry_run_shows_what_would_be_muted_and_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    output, made = added(monkeypatch, "HostDown", "--dry-run")
    assert "mutes 1 alert now:" in output
    assert not made


def test_what_the_silenced_alert_mutes_is_shown_and_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    output, made = added(monkeypatch, "HostDown")
    assert "RedisDown critical depot web-1:6379" in output
    assert "muted by HostDown until now, is sent while that is silenced" in output
    assert len(made) == 1


def test_with_effects_what_the_silenced_alert_mutes_is_silenced_too(monkeypatch: pytest.MonkeyPatch) -> None:
    output, made = added(monkeypatch, "HostDown", "--with-effects")
    assert "is silenced too" in output
    assert [{one["name"]: one["value"] for one in silence["matchers"]} for silence in made[1:]] == [REDIS_DOWN]


def test_an_escape_in_a_silence_reaches_alertmanager(monkeypatch: pytest.MonkeyPatch) -> None:
    _, made = added(monkeypatch, r'HostDown,instance=~"web-\d+:9100"')
    assert made[0]["matchers"][1] == {"name": "instance", "value": r"web-\d+:9100", "isRegex": True, "isEqual": True}


def test_reason_and_duration_are_required(runner: CliRunner) -> None:
    for arguments in (["--for", "2h"], ["--reason", "x"]):
        assert runner.invoke(app, ["add", "alertname=HighErrorRate", *arguments]).exit_code == 2


def test_the_author_is_gits_user_or_the_user_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    assert whoami() == getpass.getuser()
    git = shutil.which("git")
    assert git is not None
    subprocess.run([git, "config", "--global", "user.email", "ann@example.com"], check=True)
    assert whoami() == "ann@example.com"


def test_the_list_has_matchers_author_reason_end_and_number_of_muted_alerts(monkeypatch: pytest.MonkeyPatch) -> None:
    one = silence()
    output = listed(monkeypatch, [one], mutes=2)
    assert '11111111  system="depot"' in output
    assert "ann@example.com: deploying 1.4" in output
    since, until = (one[key][:16].replace("T", " ") for key in ("startsAt", "endsAt"))
    assert f"{since} UTC to {until} UTC" in output
    assert "active for 59m more; mutes 2 alerts now" in output
    assert "1 active, 0 pending, 0 expired" in output
    assert "forgotten" not in output


@pytest.mark.parametrize(
    ("since", "until", "mutes", "why"),
    [
        (-23, 1, 0, None),
        (-25, 1, 0, "active for 1d 1h and mutes nothing"),
        (-25, 1, 1, None),
        (-1, 24 * 29, 1, None),
        (-1, 24 * 31 + 1, 1, "it ends in 31 days"),
    ],
)
def test_a_silence_that_looks_forgotten_is_marked(
    monkeypatch: pytest.MonkeyPatch, since: float, until: float, mutes: int, why: str | None
) -> None:
    output = listed(monkeypatch, [silence(since=since, until=until)], mutes=mutes)
    assert ("forgotten?" in output) is (why is not None)
    if why is not None:
        assert f"forgotten? {why}: ./obs silence expire 11111111" in output


def test_expired_and_pending_silences_are_never_marked_as_forgotten() -> None:
    for state in ("pending", "expired"):
        assert Silence.read(silence(state, since=-100, until=24 * 90)).forgotten(0, datetime.now(UTC)) is None


def test_silences_expired_within_five_days_are_listed_and_older_ones_on_demand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recent, old = silence("expired", -200, -24 * 4), silence("expired", -200, -24 * 6, id="99999999-0")
    assert "expired 4d ago" in listed(monkeypatch, [recent, old])
    assert "99999999" not in listed(monkeypatch, [recent, old])
    assert "99999999" in listed(monkeypatch, [recent, old], "--all")


def test_a_silence_is_expired_by_a_unique_prefix_of_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    silences = [silence(id="aaaa1111-1"), silence(id="aaaa2222-2"), silence("expired", id="bbbb-3")]
    listed(monkeypatch, silences)
    monkeypatch.setattr(Alertmanager, "expire", lambda _, one: ended.append(one))

    def expire(text: str) -> str:
        done = CliRunner().invoke(app, ["expire", text])
        return done.exception.what if isinstance(done.exception, ConfigError) else done.output

    assert expire("aaaa1") == "aaaa1111 is expired; ann@example.com had added it: deploying 1.4\n"
    assert ended == ["aaaa1111-1"]
    assert expire("aaaa") == "aaaa is the beginning of 2 silences"
    assert expire("bbbb") == "the silence bbbb has expired already"
    assert expire("cccc") == "there is no silence 'cccc'"
    assert ended == ["aaaa1111-1"]


def test_an_alertmanager_that_does_not_respond_is_exit_code_1_and_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = stack_config("dev", {"alertmanager": {"port": 1}})
    monkeypatch.setattr(Home, "config", lambda _home, _stack: nowhere)
    done = CliRunner().invoke(app, ["list"])
    assert done.exit_code == 1
    assert "Alertmanager of dev at http://127.0.0.1:1: " in done.output
    assert "./obs status dev" in done.output


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=30), "less than 1m"),
        (timedelta(minutes=59), "59m"),
        (timedelta(hours=2, minutes=5), "2h 5m"),
        (timedelta(days=3, hours=4, minutes=5), "3d 4h"),
        (timedelta(days=79, hours=23, minutes=59), "79d 23h"),
        (timedelta(days=7), "7d"),
    ],
)
def test_a_duration_is_shown_in_its_two_largest_units(span: timedelta, text: str) -> None:
    assert length(span) == text
