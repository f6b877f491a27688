"""Replacing a secret while the stack runs: nobody is locked out, and a command that is killed is repeated."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from typer.testing import CliRunner

from observability.cli import lifecycle
from observability.cli.app import app
from observability.core import project
from observability.core.errors import ConfigError
from observability.operations import home as homes
from observability.operations import host_report
from observability.operations.home import Home
from observability.operations.rotation import Rotations
from observability.parts import authority
from observability.parts.edge import (
    AUTHORITY,
    AUTHORITY_KEY,
    AUTHORITY_KEY_NEXT,
    AUTHORITY_NEXT,
    AUTHORITY_PREVIOUS,
)
from observability.scrape import edge
from observability.settings.hosts import earlier_token, token
from observability.settings.load import ROOT, validate
from observability.synth import record as recording
from observability.synth.declared import CONTAINER
from tests.unit.conftest import stack_config

HOSTS: Final = ("web", "web-2")
TOKEN: Final = token("web-2")
VALUES: Final[dict[str, Any]] = {
    "grafana": {"enabled": False},
    "hosts": {name: {"docker": f"ssh://root@{name}.example.com"} for name in HOSTS},
    "edge": {"address": "monitoring.example.com"},
}


class KilledError(BaseException):
    """The process ends."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A data folder whose stack dev runs with two hosts and has its secrets."""
    for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path / "data"))
    folder = tmp_path / "project"
    folder.mkdir()
    text = "config:\n" + "".join(f"  observability:{key}: {value}\n" for key, value in _yaml().items())
    (folder / "Pulumi.dev.yaml").write_text(text)
    monkeypatch.setattr(project, "roots", lambda: (ROOT, folder))
    found = Home.find()
    found.generate_secrets(found.config("dev"))
    found.set_secret("dev", "alertWebhookUrl", "https://one.example.com")
    found.remember_made("dev")
    return found


def _yaml() -> dict[str, Any]:
    return {key: json.dumps(value) for key, value in VALUES.items()}


def rotations(home: Home) -> Rotations:
    return Rotations.of(home, "dev")


@contextmanager
def killed_after(writes: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The process ends in place of the write after these; the list has the number of writes."""
    done = [0]
    plain_write, plain_unlink = homes._write, Path.unlink

    def step() -> None:
        if done[0] == writes:
            raise KilledError
        done[0] += 1

    def write(path: Path, text: str) -> None:
        step()
        plain_write(path, text)

    def unlink(path: Path, *args: Any, **options: Any) -> None:  # noqa: ANN401
        step()
        plain_unlink(path, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(homes, "_write", write)
        patched.setattr(Path, "unlink", unlink)
        try:
            yield done
        except KilledError:
            done.append(-1)


class Stack:
    """A running stack: what the edge accepts and signs with, and what each agent sends with and trusts."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.accepted: dict[str, set[str]] = {}
        self.signing = ("", "")
        self.sends: dict[str, str] = {}
        self.trusts: dict[str, set[str]] = {}
        self.serve()
        for host in HOSTS:
            self.update(host)

    def serve(self) -> None:
        """Bring the edge up to date."""
        stored = self.home.secrets("dev")
        lines = edge.hosts(self.home.config("dev")).text(stored).splitlines()[1:]
        self.accepted = {host: {line.split('"')[1] for line in lines if line.endswith(f" {host}")} for host in HOSTS}
        self.signing = (stored[AUTHORITY], stored[AUTHORITY_KEY])

    def update(self, host: str) -> None:
        """Bring the agent of a host up to date."""
        stored = self.home.secrets("dev")
        self.sends[host] = f"Bearer {stored[token(host)]}"
        bundle = edge.trusted(self.home.config("dev"))
        text = bundle.text(stored) if bundle else stored[AUTHORITY]
        self.trusts[host] = {one.strip() for one in text.replace("-----BEGIN", "\0-----BEGIN").split("\0") if one}

    def check(self) -> None:
        """Every agent is let in, and trusts the edge."""
        for host in HOSTS:
            assert self.sends[host] in self.accepted[host]
            assert self.signing[0].strip() in self.trusts[host]

    def up(self, reached: tuple[str, ...] = HOSTS, *, killed: bool = False) -> None:
        """An update: the edge before the agents; killed between them."""
        rotations(self.home).settle()
        for _ in range(4):
            self.serve()
            self.check()
            if killed:
                return
            for host in reached:
                self.update(host)
                self.check()
            if not rotations(self.home).advance(reached, HOSTS).again:
                return


def pairs_match(home: Home) -> bool:
    """Whether certificate and key of the authority belong together."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    stored = home.secrets("dev")
    certificate = x509.load_pem_x509_certificate(stored[AUTHORITY].encode())
    return certificate.public_key() == load_pem_private_key(stored[AUTHORITY_KEY].encode(), None).public_key()


def test_both_credentials_are_accepted_until_the_agent_sends_with_the_new_one(home: Home) -> None:
    stack, before = Stack(home), home.secrets("dev")
    rotations(home).begin(TOKEN)
    now = home.secrets("dev")
    assert now[TOKEN] != before[TOKEN]
    assert now[earlier_token("web-2")] == before[TOKEN]
    stack.up(reached=("web",))
    assert stack.accepted["web-2"] == {f"Bearer {before[TOKEN]}", f"Bearer {now[TOKEN]}"}
    assert len(stack.accepted["web"]) == 1
    assert rotations(home).under_way() == [TOKEN]
    stack.up()
    assert stack.accepted["web-2"] == {f"Bearer {now[TOKEN]}"}
    assert rotations(home).under_way() == []
    assert home.secrets("dev") == {**before, TOKEN: now[TOKEN]}


def test_an_authority_is_trusted_before_it_signs_and_as_long_as_it_does(home: Home) -> None:
    stack, before = Stack(home), home.secrets("dev")
    rotations(home).begin(AUTHORITY)
    stack.up(reached=("web",))
    assert stack.signing == (before[AUTHORITY], before[AUTHORITY_KEY])
    assert len(stack.trusts["web"]) == 2
    assert rotations(home).advance(("web",), HOSTS).waiting == {AUTHORITY: ("web-2",)}
    stack.up()
    after = home.secrets("dev")
    assert after[AUTHORITY] != before[AUTHORITY]
    assert pairs_match(home)
    assert after.keys() == before.keys()
    assert stack.signing == (after[AUTHORITY], after[AUTHORITY_KEY])
    assert stack.trusts["web-2"] == {after[AUTHORITY].strip()}


@pytest.mark.parametrize("name", [TOKEN, AUTHORITY, "alertWebhookUrl"])
@pytest.mark.parametrize("back", [False, True])
def test_killed_at_any_write_the_same_command_completes_it(
    name: str, back: bool, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "https://two.example.com" if name == "alertWebhookUrl" else None
    for writes in range(40):
        stack, before = Stack(home), home.secrets("dev")
        if back:
            rotations(home).begin(name, value)
        with killed_after(writes, monkeypatch) as done:
            (rotations(home).back if back else lambda one: rotations(home).begin(one, value))(name)
            stack.up()
        stack.check()
        known = {*home.secrets("dev").values(), home.before("dev", name)}
        if rotations(home).under_way():
            assert before[name] in known
        stack.up(killed=True)
        if name in rotations(home).under_way():
            (rotations(home).back if back else lambda one: rotations(home).begin(one, value))(name)
        elif not back and home.secrets("dev")[name] == before[name]:
            rotations(home).begin(name, value)
        stack.up(killed=True)
        stack.up()
        assert rotations(home).under_way() == []
        assert pairs_match(home)
        after = home.secrets("dev")
        assert after.keys() == before.keys()
        assert {key for key in after if after[key] != before[key]} <= {*rotations(home).members(name)}
        if not back:
            assert after[name] != before[name]
        home.set_secret("dev", "alertWebhookUrl", "https://one.example.com")
        if -1 not in done:
            break
    else:
        pytest.fail("it writes without end")
    assert writes > 1


def test_the_value_before_is_kept_until_an_update_went_well(home: Home) -> None:
    rotations(home).begin("alertWebhookUrl", "https://wrong.example.com")
    rotations(home).begin("alertWebhookUrl", "https://two.example.com")
    assert home.before("dev", "alertWebhookUrl") == "https://one.example.com"
    assert home.secrets("dev")["alertWebhookUrl"] == "https://two.example.com"
    rotations(home).back("alertWebhookUrl")
    assert home.secrets("dev")["alertWebhookUrl"] == "https://one.example.com"
    assert rotations(home).advance((), HOSTS).ended == ("alertWebhookUrl",)
    assert home.before("dev", "alertWebhookUrl") is None
    with pytest.raises(ConfigError, match="not being rotated"):
        rotations(home).back("alertWebhookUrl")


def test_an_authority_that_expires_is_announced_where_agents_rely_on_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = home.secrets("dev")
    monkeypatch.setattr(authority, "RENEWED", authority.LIFE * 2)
    home.generate_secrets(home.config("dev"))
    announced = home.secrets("dev")
    assert {key: announced[key] for key in before} == before
    assert announced.keys() - before.keys() == {AUTHORITY_NEXT, AUTHORITY_KEY_NEXT}
    home.generate_secrets(home.config("dev"))
    assert home.secrets("dev") == announced
    assert rotations(home).under_way() == [AUTHORITY]


def test_agents_trust_the_authorities_of_a_rotation_and_no_others() -> None:
    config = validate("dev", VALUES, frozenset({AUTHORITY, AUTHORITY_NEXT, AUTHORITY_PREVIOUS}))
    bundle = edge.trusted(config)
    assert bundle is not None
    assert bundle.text({AUTHORITY: "a\n", AUTHORITY_NEXT: "b", AUTHORITY_PREVIOUS: "c\n"}) == "a\nb\nc\n"
    assert edge.trusted(validate("dev", VALUES, frozenset({AUTHORITY}))) is None


def test_the_agents_containers_depend_on_the_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    dependencies: dict[str, set[str]] = {}
    plain = recording.Recorder.RegisterResource

    def register(self: Any, request: Any) -> Any:  # noqa: ANN401 - the monitor's protocol
        dependencies[request.name] = {urn.rpartition("::")[2] for urn in request.dependencies}
        return plain(self, request)

    monkeypatch.setattr(recording.Recorder, "RegisterResource", register)
    found = recording.record(stack_config("dev", VALUES), {})
    containers = [one for one in found if one.type == CONTAINER]
    of_agents = [one.name for one in containers if one.host]
    assert of_agents
    assert all("edge-server-container" in dependencies[name] for name in of_agents)
    assert not [one.name for one in containers if not one.host and "edge-server-container" in dependencies[one.name]]


@pytest.mark.parametrize(
    ("name", "what", "fix"),
    [
        ("alertWebhokUrl", "there is no secret", "did you mean 'alertWebhookUrl'?"),
        ("heartbeatUrl", "dev has no stored value of heartbeatUrl", "./obs secret set heartbeatUrl dev"),
        ("goalertEncryptionKey", "not rotated: what GoAlert has stored", "another database"),
        (AUTHORITY_KEY, f"belongs to {AUTHORITY}", f"./obs secret rotate {AUTHORITY} dev"),
        (earlier_token("web-2"), f"belongs to {TOKEN}", f"./obs secret rotate {TOKEN} dev"),
    ],
)
def test_what_cannot_be_rotated_is_refused_with_the_way_that_there_is(
    name: str, what: str, fix: str, home: Home
) -> None:
    before = home.secrets("dev")
    with pytest.raises(ConfigError) as error:
        CliRunner().invoke(app, ["secret", "rotate", name], input="x", catch_exceptions=False)
    assert what in error.value.what
    assert fix in error.value.fix
    assert home.secrets("dev") == before


@pytest.mark.parametrize(
    ("source", "key"),
    [({"env": "HOOK"}, "env"), ({"command": ["vault"]}, "command"), ({"file": "/a"}, "file")],
)
def test_a_secret_that_is_kept_elsewhere_is_rotated_there(source: dict[str, Any], key: str, home: Home) -> None:
    config = validate("dev", {**VALUES, "secretSources": {"alertWebhookUrl": source}}, frozenset())
    with pytest.raises(ConfigError) as error:
        rotations(home).check("alertWebhookUrl", config)
    assert error.value.what.startswith(f"Pulumi.dev.yaml: observability:secretSources.alertWebhookUrl.{key}: ")
    assert error.value.fix == "replace it there, then run: ./obs up dev"


def test_a_stack_that_never_ran_has_nothing_to_rotate(home: Home) -> None:
    (home.folder / "made/dev").unlink()
    with pytest.raises(ConfigError, match="never started") as error:
        rotations(home).check("alertWebhookUrl", home.config("dev"))
    assert "./obs secret set alertWebhookUrl dev" in error.value.fix


def rotate(*arguments: str, given: str = "") -> Any:  # noqa: ANN401 - click's result
    return CliRunner().invoke(app, ["secret", "rotate", *arguments], input=given, catch_exceptions=False)


def test_the_command_says_what_restarts_and_applies_the_value(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    applied: list[str] = []

    def up(stack: str) -> None:
        applied.append(home.secrets(stack)["alertWebhookUrl"])
        rotations(home).advance((), HOSTS)

    monkeypatch.setattr(lifecycle, "up", up)
    done = rotate("alertWebhookUrl", given="https://two.example.com\n")
    assert done.exit_code == 0
    assert "restarts: nothing" in done.output
    assert "read it while they run: alertmanager" in done.output
    assert "https://" not in done.output
    assert applied == ["https://two.example.com"]


def test_a_credential_that_a_host_does_not_use_yet_is_exit_code_1(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "up", lambda _: rotations(home).advance(("web",), HOSTS))
    done = rotate(TOKEN)
    assert done.exit_code == 1
    assert "restarts: edge, web-2/collector" in done.output
    first = home.secrets("dev")[TOKEN]
    monkeypatch.setattr(lifecycle, "up", lambda _: rotations(home).advance(HOSTS, HOSTS))
    assert rotate(TOKEN).exit_code == 0
    assert home.secrets("dev")[TOKEN] == first


def test_an_update_that_fails_keeps_the_value_before(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: str) -> None:
        raise typer.Exit(1)

    monkeypatch.setattr(lifecycle, "up", fails)
    done = rotate("alertWebhookUrl", given="https://two.example.com")
    assert done.exit_code == 1
    assert "./obs secret rotate alertWebhookUrl dev --back" in done.output
    assert home.before("dev", "alertWebhookUrl") == "https://one.example.com"
    monkeypatch.setattr(lifecycle, "up", lambda _: rotations(home).advance(HOSTS, HOSTS))
    assert rotate("alertWebhookUrl", "dev", "--back").exit_code == 0
    assert home.secrets("dev")["alertWebhookUrl"] == "https://one.example.com"


def test_an_empty_value_changes_nothing(home: Home) -> None:
    with pytest.raises(ConfigError, match="the new value of alertWebhookUrl is empty"):
        rotate("alertWebhookUrl")
    assert rotations(home).under_way() == []


def test_a_host_has_sent_when_its_newest_sample_is_younger_than_the_update(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    newest = {"web": 990.0, "web-2": 1003.0}
    monkeypatch.setattr(time, "time", lambda: clock[0])

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(
        host_report, "_age", lambda *asked: clock[0] - newest[asked[2]] if newest[asked[2]] <= clock[0] else None
    )
    assert host_report.sent_since(stack_config("dev", VALUES), HOSTS, 1000.0) == {"web-2"}
    assert clock[0] == 1000.0 + host_report.FRESH + 1
