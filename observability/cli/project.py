"""`obs init` and `obs new`: create a project folder, and new files in it."""

import re
import shutil
from pathlib import Path
from string import Template
from typing import Annotated, Final

import typer

from observability.check.problem import PLACEHOLDER
from observability.cli.common import out
from observability.core import project
from observability.core.alert import COMPONENTS, SEVERITIES
from observability.core.documents import nearest
from observability.core.errors import ConfigError

TEMPLATES: Final = project.BUILT_IN / "observability" / "template"

new_app = typer.Typer(
    help="Write files to start from: an alert with runbook and tests, a panel.", no_args_is_help=True
)

_ALERT: Final = re.compile(r"[A-Z][A-Za-z0-9]{2,62}")
_MODULE: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")

_PAGE: Final = '''"""${doc}"""

from dashboards.common import Panel, graph, over_time
from dashboards.own import Page

page = Page(
    uid="${uid}",
    title="${title}",
    description="TODO what this dashboard shows, in a sentence.",${system}
)
'''

_PANEL: Final = '''

@page.panel(row="TODO the row's title", alerts=())
def ${function}() -> Panel:
    """TODO what it shows."""
    return graph(
        "${title}",
        "TODO what it shows, in a sentence.",
        "short",
        over_time('TODO_metric${labels}', "{{instance}}"),
    )
'''


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; it must be new or empty.")],
) -> None:
    """Create a project folder: settings, a system, an alert with runbook and tests, a dashboard, a CI workflow."""
    if folder.exists() and (not folder.is_dir() or any(path.name != ".git" for path in folder.iterdir())):
        raise ConfigError(f"{folder} is not empty", "name a new folder, or an empty one")
    if folder.resolve().is_relative_to(project.BUILT_IN):
        raise ConfigError(f"{folder} lies in this repository", "name a folder outside it")
    shutil.copytree(
        TEMPLATES / "project", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts):
        out.print(f"  {path.relative_to(folder)}", markup=False)
    out.print(f"{folder} created; next:", markup=False)
    out.print(f"  ./obs --project {folder} check        # finds what is wrong, in seconds", markup=False)
    out.print(
        f"  edit {folder}/systems/shop.yaml and {folder}/Pulumi.dev.yaml: your system, and where it is", markup=False
    )
    out.print(f"  ./obs --project {folder} up", markup=False)


@new_app.command("alert")
def new_alert(
    name: Annotated[str, typer.Argument(help="Name of the alert, like QueueTooLong.")],
    system: Annotated[
        str | None, typer.Option("--system", help="The system it is about; default: the only one.")
    ] = None,
    severity: Annotated[str, typer.Option("--severity", help=f"One of {', '.join(SEVERITIES)}.")] = "warning",
    component: Annotated[str, typer.Option("--component", help=f"One of {', '.join(COMPONENTS)}.")] = "application",
) -> None:
    """Write a rule with its labels, its runbook with its headings, and its tests; say what to fill in."""
    if not _ALERT.fullmatch(name):
        raise ConfigError(f"{name!r} cannot be the name of an alert", "write it like QueueTooLong: letters and digits")
    _one_of(severity, SEVERITIES, "--severity")
    _one_of(component, COMPONENTS, "--component")
    about, team = _system(system)
    file = _kebab(name)
    values = {
        "name": name,
        "file": file,
        "system": about,
        "team": team,
        "severity": severity,
        "component": component,
        "condition": file.replace("-", "_"),
    }
    root = project.own() or project.BUILT_IN
    texts = {
        root / "rules" / f"{file}.yaml": "rule.yaml",
        root / "tests" / "rules" / f"{file}.test.yaml": "rule.test.yaml",
        root / "runbooks" / f"{name}.md": "runbook.md",
    }
    for path in texts:
        if path.exists():
            raise ConfigError(f"{project.shown(path)} exists already", "choose another name, or edit that file")
    if name in project.files("runbooks", ".md"):
        raise ConfigError(f"there is an alert {name} already", f"choose another name; ./obs runbook {name} shows it")
    for path, template in texts.items():
        text = (TEMPLATES / "new" / template).read_text(encoding="utf-8")
        _write(path, Template(text).substitute(values))
    _say_what_to_fill_in(list(texts))
    out.print(f'then name it in a panel, alerts=("{name}",), and run: ./obs check', markup=False)


@new_app.command("panel")
def new_panel(
    name: Annotated[str, typer.Argument(help='Title of the panel, like "Orders Waiting".')],
    page: Annotated[
        str | None, typer.Option("--page", help="Module in dashboards/ to add it to; default: one of the system.")
    ] = None,
    system: Annotated[
        str | None, typer.Option("--system", help="The system it is about; default: the only one.")
    ] = None,
) -> None:
    """Add the function of a panel to a dashboard of your own, which is created if need be; say what to fill in."""
    title = " ".join(name.split())
    function = re.sub(r"\W+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", title)).strip("_").lower()
    if not _MODULE.fullmatch(function) or '"' in title or "\\" in title:
        raise ConfigError(f"{name!r} cannot be the title of a panel", 'write it like "Orders Waiting"')
    about, _ = _system(system)
    module = page or f"{about.replace('-', '_')}_own"
    if not _MODULE.fullmatch(module):
        raise ConfigError(f"--page {module}: is no name of a module", "use a-z, 0-9 and _, beginning with a letter")
    path = project.writable("dashboards") / f"{module}.py"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if text and not re.search(r"^page\b.*= Page\(", text, re.MULTILINE):
        raise ConfigError(f"{project.shown(path)} defines no `page = Page(…)`", "name another module with --page")
    if re.search(rf"^def {function}\(", text, re.MULTILINE) or f'"{title}"' in text:
        raise ConfigError(f"{project.shown(path)} has a panel {title!r} already", "choose another title")
    if not text:
        text = Template(_PAGE).substitute(
            doc=f"Panels of our own about {about}.",
            uid=module.replace("_", "-"),
            title=f"{about.replace('-', ' ').title()}: Own Panels",
            system=f'\n    system="{about}",',
        )
    missing = [word for word in ("Panel", "graph", "over_time") if not re.search(rf"^from .*\b{word}\b", text, re.M)]
    if missing:
        at = text.index("from dashboards.own import")
        text = f"{text[:at]}from dashboards.common import {', '.join(missing)}\n{text[at:]}"
    labels = f'{{system="{about}"}}'
    _write(path, text.rstrip("\n") + "\n" + Template(_PANEL).substitute(function=function, title=title, labels=labels))
    _say_what_to_fill_in([path])
    out.print("then run: ./obs check", markup=False)


def _system(name: str | None) -> tuple[str, str]:
    """A system's name and team; ConfigError where it is unknown, or none is named and there is not exactly one."""
    from observability.systems.load import load, names

    own = project.own()
    known = names(own) or names() if own else names()
    if name is None:
        if len(known) != 1:
            raise ConfigError("there is more than one system", f"name one with --system: {', '.join(known)}")
        (name,) = known
    systems = load()
    if name not in systems:
        raise ConfigError(
            f"--system {name}: there is no such system", f"{nearest(name, systems)}known here: {', '.join(systems)}"
        )
    return name, systems[name].team


def _one_of(value: str, known: tuple[str, ...], option: str) -> None:
    if value not in known:
        raise ConfigError(f"{option} {value}: no such value", f"{nearest(value, known)}use {', '.join(known)}")


def _kebab(name: str) -> str:
    """`QueueTooLong` as `queue-too-long`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _say_what_to_fill_in(paths: list[Path]) -> None:
    """Every line with a placeholder that has to be filled in."""
    for path in paths:
        out.print(f"{project.shown(path)} written; fill in:", markup=False)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if PLACEHOLDER in line:
                out.print(f"  {number:>3}: {line.strip()}", markup=False)
