"""`obs dashboards`: lists dashboards, opens one in the browser, and lists the changes since a revision."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import webbrowser
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from observability.cli.common import AsJson, Stack, print_json
from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.settings.load import ROOT, StackConfig

if TYPE_CHECKING:
    from dashboards.registry import Entry

OVERVIEW: Final = "obs-overview"

TREE: Final = "tree"
"""Name of the folder with a revision's files while its dashboards are built."""

out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)


def dashboards(
    stack: Stack = "dev",
    uid: Annotated[str | None, typer.Option("--uid", help="One dashboard, by its uid; default: all.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it, or the overview, in the browser.")] = False,
    diff: Annotated[
        str | None,
        typer.Option("--diff", metavar="REF", help="List what changed since this git revision, whose code is run."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the dashboards, open one, or list what changed in them since a git revision."""
    from observability.operations.home import Home

    config = Home.find().config(stack)
    if diff is not None:
        _diff(config, diff, as_json=as_json)
        return
    every = _entries(config)
    entries = [entry for entry in every if uid in (None, entry.uid)]
    if uid is not None and not entries:
        known = [entry.uid for entry in every]
        raise ConfigError(f"{stack} has no dashboard {uid!r}", f"{nearest(uid, known)}see ./obs dashboards {stack}")
    if open_:
        _open(config, uid or OVERVIEW)
        return
    _list(config, entries, as_json=as_json)


def _entries(config: StackConfig) -> "tuple[Entry, ...]":
    """The dashboards of the repository, whether or not their images are available on this machine."""
    from dashboards.registry import dashboards as made

    return made(config.without({}))


def _list(config: StackConfig, entries: "list[Entry]", *, as_json: bool) -> None:
    """One line per dashboard."""
    from dashboards.queries import panels
    from dashboards.registry import folders

    titles = folders(config.without({}))
    address = _grafana(config)
    lines = [("folder", "title", "uid", "panels", "address" if address else "")]
    for entry in entries:
        document = json.loads(entry.text)
        count = len(list(panels(document)))
        link = f"{address}/d/{entry.uid}" if address else ""
        lines.append((titles[entry.folder], document["title"], entry.uid, str(count), link))
    if as_json:
        keys = ("folder", "title", "uid", "panels", "address")
        print_json([dict(zip(keys, line, strict=True)) for line in lines[1:]])
        return
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        out.print("  ".join(map(str.ljust, line, widths)).rstrip(), markup=False)
    out.print(
        f"{config.stack}: {len(entries)} dashboards" + ("" if address else f"; {_without(config)}"), markup=False
    )


def _grafana(config: StackConfig) -> str | None:
    """External address of the stack's Grafana; None where it has none."""
    if config.grafana_url is None:
        return None
    return (config.settings.links.grafana or config.grafana_url).rstrip("/")


def _without(config: StackConfig) -> str:
    """Why the stack has no Grafana."""
    why = config.left_out.get("grafana")
    return f"no Grafana here: {why.partition(' (')[0]}" if why else "the stack has no Grafana"


def _open(config: StackConfig, uid: str) -> None:
    """Open a dashboard in the browser, or print its address where there is no browser; exit code 1 without Grafana."""
    from observability.operations.grafana import trouble

    address = _grafana(config)
    if address is None:
        err.print(f"{config.stack}: {_without(config)}", style="red", markup=False)
        err.print("name one that is there with grafana.url, or bring the stack up where Grafana can be had")
        raise typer.Exit(1)
    why = trouble(address)
    if why is not None:
        err.print(f"Grafana at {address} does not answer: {why}", style="red", markup=False)
        err.print(f"bring it up: ./obs up {config.stack}")
        raise typer.Exit(1)
    page = f"{address}/d/{uid}"
    if not webbrowser.open(page):
        err.print("no browser here; the address:")
    out.print(page, markup=False)


def _diff(config: StackConfig, ref: str, *, as_json: bool) -> None:
    """Print what changed since a revision, as Markdown or JSON.

    The revision's own code builds its dashboards, in a separate process: it is trusted like a checkout of it.
    """
    from dashboards.compare import compare, markdown

    with tempfile.TemporaryDirectory(prefix="obs-dashboards-") as folder:
        _extract(ref, Path(folder))
        before = _built(ref, Path(folder), config.stack)
    found = compare(before, _entries(config))
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        sys.stdout.write(markdown(found))


def _extract(ref: str, folder: Path) -> None:
    """Write a revision's files to a folder; ConfigError where there is no such revision."""
    if shutil.which("git") is None:
        raise ConfigError(
            "git is not installed, so nothing can be compared with", "install git, on Debian: apt-get install git"
        )
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if commit.returncode:
        raise ConfigError(
            f"there is no git revision {ref!r} in {ROOT.name}",
            "name a branch, a tag or a commit that `git log` knows; a shallow clone wants `git fetch --unshallow`",
        )
    # Uses a separate index: neither the checkout nor the repository's list of worktrees is changed.
    own_index = {**os.environ, "GIT_INDEX_FILE": str(folder / "index")}
    for step in (["read-tree", commit.stdout.strip()], ["checkout-index", "--all", f"--prefix={folder / TREE}/"]):
        subprocess.run(["git", "-C", str(ROOT), *step], env=own_index, check=True, capture_output=True)


def _built(ref: str, folder: Path, stack: str) -> "list[Entry]":
    """The dashboards of a stack that a revision's files generate; ConfigError where they generate none."""
    from dashboards.registry import Entry

    tree, built = folder / TREE, folder / "built"
    # Before 0.2 the command line was the package `cli`.
    package = "cli" if (tree / "cli").is_dir() else "observability.cli"
    made = subprocess.run(
        [sys.executable, "-P", "-m", package, "synth", stack, "--out", str(built)],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        said = (made.stderr.strip().splitlines() or ["it says nothing"])[-1 if "Traceback" in made.stderr else 0]
        raise ConfigError(
            f"the dashboards of {stack} at {ref} cannot be built: {said}",
            "name a later revision: it must have this stack, and dashboards that this environment's packages can make",
        )
    pages = sorted((built / "grafana" / "dashboards").glob("*/*.json"))
    return [Entry(folder=page.parent.name, uid=page.stem, text=page.read_text(encoding="utf-8")) for page in pages]
