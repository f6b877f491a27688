"""Typical mistakes of new users: each is refused by its path, with a fix that works exactly as written."""

import sys
from pathlib import Path
from typing import Any

import pytest

import rules
from observability.cli.app import main
from observability.core import project
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.settings.load import from_file
from observability.systems.load import load_file

MISTAKES: list[dict[str, Any]] = load_yaml((Path(__file__).parent / "files/mistakes.yaml").read_text())

SYSTEM = """title: Shop
team: shop
scrape: {port: 8080}
series:
  requests_total: {kind: counter, labels: [route, status], help: Requests.}
signals:
  httpRequests: {series: requests_total, route: route, status: status}
thresholds:
  errorRatio: {warning: 5%}
"""
RULES = """groups:
  - name: mine
    rules:
      - alert: Busy
        expr: node_load1 > 100
        for: 5m
        labels: {severity: warning}
        annotations:
          summary: Busy
"""


def name_of(mistake: dict[str, Any]) -> str:
    return str(mistake["error"])[:60]


def read(folder: Path, kind: str, content: bytes) -> None:
    """Read a file of this kind with this content, in a folder that also has a system."""
    (folder / "systems").mkdir(exist_ok=True)
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "systems/shop.yaml").write_text(SYSTEM)
    if kind == "stack":
        (folder / "Pulumi.staging.yaml").write_bytes(content)
        from_file("staging", folder, complete=False)
    elif kind == "system":
        (folder / "systems/shop.yaml").write_bytes(content)
        load_file(folder / "systems/shop.yaml")
    else:
        (folder / "rules/mine.yaml").write_bytes(content)
        rules.load(folder)


def wrong(mistake: dict[str, Any]) -> str:
    """The whole file with the mistake."""
    if "file" in mistake:
        return str(mistake["file"])
    if "config" in mistake:
        return f"config:\n  observability:{mistake['config']}\n"
    old, new = mistake["change"]
    return changed(mistake["kind"], old, new)


def right(mistake: dict[str, Any]) -> str:
    """The whole file once the fix was applied."""
    if "file" in mistake:
        return str(mistake["right"])
    if "config" in mistake:
        return f"config:\n  observability:{mistake['right']}\n"
    return changed(mistake["kind"], *mistake["right"])


def changed(kind: str, old: str, new: str) -> str:
    text = SYSTEM if kind == "system" else RULES
    assert old in text
    return text.replace(old, new) if old else text


def test_the_table_has_sixty_mistakes_at_least() -> None:
    assert len(MISTAKES) >= 60


@pytest.mark.parametrize("mistake", MISTAKES, ids=name_of)
def test_a_mistake_is_refused_by_its_path_with_a_fix(mistake: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, mistake["kind"], wrong(mistake).encode(mistake.get("encoding", "utf-8")))
    error = caught.value
    assert mistake["error"] in error.what
    assert mistake["fix"] in error.fix
    assert len(error.lines) == 2 * len(error.all)
    assert not any("\n" in line or "Input should be" in line or "dictionary" in line for line in error.lines)
    if "also" in mistake:
        assert any(mistake["also"] in other.what for other in error.others)


@pytest.mark.parametrize("mistake", [one for one in MISTAKES if "right" in one], ids=name_of)
def test_the_fix_works_when_it_is_followed_exactly(mistake: dict[str, Any], tmp_path: Path) -> None:
    read(tmp_path, mistake["kind"], right(mistake).encode())


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_windows_line_ends_and_a_byte_order_mark_are_accepted(tmp_path: Path, ending: str, start: bytes) -> None:
    text = "config:\n  observability:prometheus: {memoryMb: 2048}\n"
    read(tmp_path, "stack", start + text.replace("\n", ending).encode())
    assert from_file("staging", tmp_path, complete=False).settings.prometheus.memory_mb == 2048


def test_an_object_that_pulumi_wrote_as_json_is_read(tmp_path: Path) -> None:
    read(tmp_path, "stack", b"config:\n  observability:prometheus: '{\"memoryMb\": 2048}'\n")
    assert from_file("staging", tmp_path, complete=False).settings.prometheus.memory_mb == 2048


def test_an_empty_file_is_enough_only_for_dev(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("")
    assert from_file("dev", tmp_path, complete=False).settings.environment == "dev"
    with pytest.raises(ConfigError, match="every setting would go back to its default"):
        read(tmp_path, "stack", b"")


def test_up_to_ten_problems_of_a_file_are_shown_at_once(tmp_path: Path) -> None:
    few = "config:\n  observability:prometheus: {port: x, memoryMb: 8, scrapeInterval: 1}\n  observability:foo: 1\n"
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "stack", few.encode())
    assert len(caught.value.all) == 4
    assert [line.split(": ")[1] for line in caught.value.lines[::2]] == [
        "observability:prometheus.port",
        "observability:prometheus.scrapeInterval",
        "observability:prometheus.memoryMb",
        "observability:foo",
    ]
    many = "config:\n" + "".join(f"  observability:unheard{number}: 1\n" for number in range(14))
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "stack", many.encode())
    assert len(caught.value.lines) == 21
    assert caught.value.lines[-1] == "and 4 more problems, shown once these are fixed"


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (["synth", "staging", "--out", "out"], "Pulumi.staging.yaml: confg: unknown key at the top"),
        (["system", "check", "systems/shop.yaml", "--against", "page"], "systems/shop.yaml: team: is missing"),
    ],
)
def test_a_command_prints_the_mistake_and_its_fix_and_exits_with_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    what: str,
) -> None:
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems/shop.yaml").write_text(SYSTEM.replace("team: shop\n", "") if "system" in command else SYSTEM)
    (tmp_path / "Pulumi.staging.yaml").write_text("confg: {}\n")
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["obs", *command])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    said = capsys.readouterr().err.replace("\n", " ")
    assert what in said
    assert "rename it to config" in said or "add team: shop" in said
