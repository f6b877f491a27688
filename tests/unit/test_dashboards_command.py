"""`obs dashboards`: the list, the browser, and what changed since a revision."""

import json
import os
import shutil
import subprocess
import threading
import webbrowser
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer

from dashboards.registry import dashboards
from observability.cli import dashboards as command
from observability.core.errors import ConfigError
from observability.operations.home import Home
from observability.settings.load import ROOT
from tests.unit.conftest import stack_config

Use = Callable[..., None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Use:
    """Give the command a dev stack with these settings, and without these images."""
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path / "home"))

    def see(values: dict[str, Any] | None = None, left_out: dict[str, str] | None = None) -> None:
        config = stack_config("dev", values or {}).without(left_out or {})
        monkeypatch.setattr(Home, "config", lambda *_: config)

    see()
    return see


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the browser was asked to open."""
    addresses: list[str] = []

    def browse(address: str) -> bool:
        addresses.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", browse)
    return addresses


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the library's signature
        pass


@pytest.fixture
def grafana() -> Iterator[str]:
    """The address of a Grafana that reports it is healthy."""
    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_list_has_a_line_for_each_dashboard(use: Use, capsys: pytest.CaptureFixture[str]) -> None:
    use()
    command.dashboards("dev")
    listed = capsys.readouterr().out.splitlines()
    for entry in dashboards(stack_config("dev")):
        title = json.loads(entry.text)["title"]
        assert any(f"  {title}  " in line and f"  {entry.uid}  " in line for line in listed), entry.uid


def test_a_line_has_the_folder_title_uid_and_number_of_panels(use: Use, capsys: pytest.CaptureFixture[str]) -> None:
    use()
    command.dashboards("dev", uid="hospital-database")
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "hospital-database" in line)
    count = next(
        len([panel for panel in json.loads(entry.text)["panels"] if panel["type"] != "row"])
        for entry in dashboards(stack_config("dev"))
        if entry.uid == "hospital-database"
    )
    words = ["Hospital", "Hospital:", "Database", "hospital-database", str(count)]
    assert line.split() == [*words, "http://127.0.0.1:3001/d/hospital-database"]


def test_without_grafana_the_list_has_no_addresses_but_the_reason(
    use: Use, capsys: pytest.CaptureFixture[str]
) -> None:
    use(left_out={"grafana": "it cannot be pulled (no such host)"})
    command.dashboards("dev")
    said = capsys.readouterr().out
    assert "http://" not in said
    assert said.splitlines()[-1].endswith("dashboards; no Grafana here: it cannot be pulled")


def test_an_unknown_dashboard_is_refused_with_the_nearest_one(use: Use) -> None:
    use()
    with pytest.raises(ConfigError) as caught:
        command.dashboards("dev", uid="obs-overvieww")
    assert caught.value.what == "dev has no dashboard 'obs-overvieww'"
    assert caught.value.fix.startswith("did you mean 'obs-overview'?")


def test_an_unknown_stack_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match="there is no stack 'nowhere'"):
        command.dashboards("nowhere")


def test_the_overview_is_opened_where_none_is_named(use: Use, grafana: str, opened: list[str]) -> None:
    use({"grafana": {"url": grafana}})
    command.dashboards("dev", open_=True)
    assert opened == [f"{grafana}/d/obs-overview"]


def test_the_named_dashboard_is_opened(use: Use, grafana: str, opened: list[str]) -> None:
    use({"grafana": {"url": grafana}})
    command.dashboards("dev", uid="depot-business", open_=True)
    assert opened == [f"{grafana}/d/depot-business"]


def test_grafana_is_opened_at_its_public_url(use: Use, grafana: str, opened: list[str]) -> None:
    use({"links": {"grafana": grafana}})
    command.dashboards("dev", open_=True)
    assert opened == [f"{grafana}/d/obs-overview"]


def test_without_a_browser_the_address_is_printed(
    use: Use, grafana: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use({"grafana": {"url": grafana}})
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    command.dashboards("dev", open_=True)
    assert capsys.readouterr().out == f"{grafana}/d/obs-overview\n"


def test_without_grafana_there_is_nothing_to_open(
    use: Use, opened: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    use(left_out={"grafana": "it cannot be pulled (no such host)"})
    with pytest.raises(typer.Exit) as caught:
        command.dashboards("dev", open_=True)
    assert caught.value.exit_code == 1
    assert capsys.readouterr().err.splitlines()[0] == "dev: no Grafana here: it cannot be pulled"
    assert opened == []


def test_a_grafana_that_does_not_respond_is_not_opened(
    use: Use, grafana: str, opened: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    use({"grafana": {"url": f"{grafana}/elsewhere"}})
    with pytest.raises(typer.Exit) as caught:
        command.dashboards("dev", open_=True)
    assert caught.value.exit_code == 1
    assert "does not answer: it answers 404" in capsys.readouterr().err
    assert opened == []


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository of the project's code; `older` has another description of a panel, `broken` no dashboards."""
    folder = tmp_path_factory.mktemp("repository")
    for path in ROOT.iterdir():
        if path.name in {".git", ".venv", "docs", "out", "tests"} or path.name.endswith("_cache"):
            continue
        if path.is_dir():
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(path, folder / path.name)
    shutil.copytree(ROOT / "tests" / "unit" / "files", folder / "tests" / "unit" / "files")

    def git(*arguments: str) -> None:
        names = {f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        subprocess.run(
            ["git", "-C", str(folder), *arguments], check=True, capture_output=True, env={**os.environ, **names}
        )

    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "as it is")
    git("tag", "same")
    overview = folder / "dashboards" / "overview.py"
    now = overview.read_text(encoding="utf-8")
    older = now.replace('"Targets that are down."', '"Addresses that are down."')
    assert older != now
    overview.write_text(older, encoding="utf-8")
    git("commit", "--quiet", "--all", "--message", "older")
    git("tag", "older")
    overview.write_text("raise RuntimeError('another layout')\n", encoding="utf-8")
    git("commit", "--quiet", "--all", "--message", "broken")
    git("tag", "broken")
    return folder


@pytest.fixture
def against(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Compare with a revision of that repository."""
    monkeypatch.setattr(command, "ROOT", repository)
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    return lambda ref: command.dashboards("dev", diff=ref)


def test_against_the_same_code_nothing_changed(
    against: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    against("same")
    assert capsys.readouterr().out == "no change\n"


def test_against_another_revision_the_changes_are_reported(
    against: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    against("older")
    assert capsys.readouterr().out.splitlines() == [
        "Dashboards changed: 1",
        "",
        "### Overview (`obs-overview`)",
        "",
        "- panel 'Targets Down': description: Addresses that are down. → Targets that are down.",
    ]


def test_an_unknown_revision_is_refused(against: Callable[[str], None]) -> None:
    with pytest.raises(ConfigError) as caught:
        against("nowhere")
    assert caught.value.what.startswith("there is no git revision 'nowhere'")
    assert caught.value.fix.startswith("name a branch, a tag or a commit")


def test_a_revision_that_looks_like_an_option_of_git_is_unknown(against: Callable[[str], None]) -> None:
    with pytest.raises(ConfigError, match="there is no git revision '--all'"):
        against("--all")


def test_a_revision_that_makes_no_dashboards_is_refused_with_its_reason(against: Callable[[str], None]) -> None:
    with pytest.raises(ConfigError) as caught:
        against("broken")
    assert caught.value.what == "the dashboards of dev at broken cannot be built: RuntimeError: another layout"


def test_without_git_nothing_can_be_compared(against: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ConfigError, match="git is not installed"):
        against("same")
