"""The pages of docs/: their commands, links and quoted output exist."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from observability.cli.app import app
from observability.settings.load import ROOT

DOCS = ROOT / "docs"
GUIDES = ("troubleshooting.md", "architecture.md")

SYMPTOMS = ("No metrics", "Alert does not fire", "It fires and nobody was notified", "Logs missing")

PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b|…")

ELSEWHERE = (
    *("connection refused", "no such host", "context deadline exceeded", "401", "403", "404", "400", "429"),
    *("unsupported Content-Type", "expected … got", "invalid_token", "no_service"),
    *("timestamp too old", "entry too far behind"),
    *("pending", "exited", "ok", "json-file"),
)
"""Texts of Prometheus, Docker, Loki and of the services of receivers."""


def commands(text: str) -> list[str]:
    """Every `./obs …` in code of a page."""
    return re.findall(r"`(\./obs [^`]+)`", text)


def check_command(line: str) -> None:
    """AssertionError where a command, a sub-command or an option does not exist."""
    command: Any = typer.main.get_command(app)
    for word in shlex.split(line)[1:]:
        if word.startswith("-"):
            options = {name for one in command.params for name in one.opts} | {"--help"}
            assert word in options, f"{line}: no option {word}"
        elif hasattr(command, "get_command") and not word.isupper():
            found = command.get_command(typer.Context(command), word)
            assert found is not None, f"{line}: no command {word}"
            command = found


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_every_command_of_a_page_exists(path: Path) -> None:
    for line in commands(path.read_text(encoding="utf-8")):
        check_command(line.partition("|")[0])


@pytest.mark.parametrize("line", ["./obs nothing dev", "./obs verify --slow dev", "./obs host rename dev"])
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    with pytest.raises(AssertionError):
        check_command(line)


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them, and those that it states."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)"></a>', text))


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_every_link_of_a_page_leads_to_something(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", path.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), target


def sections() -> dict[str, str]:
    """The symptoms of the page, by heading."""
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    found = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_each_symptom_has_numbered_steps_that_begin_with_a_command_or_a_query() -> None:
    assert tuple(sections()) == SYMPTOMS
    for text in sections().values():
        steps = re.findall(r"^(\d+)\. (.+)$", text, re.MULTILINE)
        assert [int(number) for number, _ in steps] == [*range(1, len(steps) + 1)]
        assert "./obs" in steps[0][1]
        assert sum("`" in step for _, step in steps) >= 5


def test_what_the_steps_quote_is_printed_by_the_program() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "observability").rglob("*.py"))
    quoted: list[str] = []
    for text in sections().values():
        for line in re.findall(r"^ +- (.+?)(?::| →|,|$)", text, re.MULTILINE):
            quoted += re.findall(r"`([^`]+)`", line)
        for cell in re.findall(r"^ +\| (`.+?) \|", text, re.MULTILINE):
            quoted += re.findall(r"`([^`]+)`", cell)
    assert len(quoted) > 30
    for one in quoted:
        if one in ELSEWHERE or one.startswith(("./obs", "docker ", "increase(", "otelcol_", "system=", "app:")):
            continue
        for piece in PLACEHOLDER.split(one):
            assert piece.strip() in source, one


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_repeats_no_port_image_or_retention(name: str) -> None:
    from observability.parts.registry import images, parts

    text = (DOCS / name).read_text(encoding="utf-8")
    owned = {str(part.port) for part in parts().values() if part.port} | {one.reference for one in images().values()}
    owned |= {"15d", "30d", "168h", "336h", "744h"}
    assert {one for one in owned if re.search(rf"(?<![\w.]){re.escape(one)}(?![\w.])", text)} == set()
