"""Dashboards of a project: a module in `dashboards/` of the project folder defines one `Page` and adds panels to it.

    from dashboards.common import Panel, graph, over_time
    from dashboards.own import Page

    page = Page(uid="shop-queue", title="Shop: Queue", description="Orders that wait.", system="shop")

    @page.panel(row="Queue", alerts=("QueueTooLong",))
    def waiting() -> Panel:
        return graph("Orders Waiting", "Orders not yet sent.", "short", over_time('orders_waiting{system="shop"}'))

A module whose name begins with `_` is not read; use it for code that several modules share.
"""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards.across import FOLDER
from dashboards.common import Panel
from dashboards.layout import Row, assemble, tagged, to
from dashboards.links import panel_id
from observability.core import project
from observability.core.errors import ConfigError

MakePanel = Callable[[], Panel]

_PACKAGE: Final = "obs_project_dashboards"


@dataclass(kw_only=True)
class Page:
    """A dashboard of a project; its panels are the functions decorated with `panel`, in source order."""

    uid: str
    """Its address in Grafana, `/d/<uid>`: a-z, 0-9 and '-', at most 40 characters; it must never change."""
    title: str
    description: str
    """A sentence that says what the dashboard shows."""
    system: str | None = None
    """The system it is about: it is in that system's folder, and is included only where the system is monitored."""
    period: str = "1h"
    """The default time range, like `1h` or `7d`."""
    _rows: dict[str, list[tuple[MakePanel, tuple[str, ...]]]] = field(default_factory=dict, repr=False)

    def panel(self, *, row: str, alerts: tuple[str, ...] = ()) -> Callable[[MakePanel], MakePanel]:
        """Add the panel that a function returns to a row; `alerts` names the alerts that link to it."""

        def add(function: MakePanel) -> MakePanel:
            self._rows.setdefault(row, []).append((function, alerts))
            return function

        return add

    @property
    def folder(self) -> str:
        """uid of its folder in Grafana: the system's, else that of the whole stack."""
        return self.system or FOLDER

    def build(self) -> dashboard.Dashboard:
        """The dashboard as Grafana's model; ConfigError where it has no panel or two panels have the same title."""
        if not self._rows:
            raise ConfigError(f"dashboard {self.uid}: has no panel", "add a function under @page.panel(row=…)")
        matcher = f'system="{self.system}"' if self.system else ""
        return assemble(
            self.uid,
            self.title,
            self.description,
            [Row(title, [make() for make, _ in panels]) for title, panels in self._rows.items()],
            tags=[f"system:{self.system}"] if self.system else [],
            links=[
                to("Overview", "/d/obs-overview"),
                *([tagged(self.system.replace("-", " ").title(), f"system:{self.system}")] if self.system else []),
            ],
            alerts=matcher,
            period=self.period,
        )

    def links(self) -> Iterator[tuple[str, str]]:
        """Every alert that a panel names, with the panel's address in Grafana."""
        for panels in self._rows.values():
            for make, alerts in panels:
                for alert in alerts:
                    yield alert, f"/d/{self.uid}?viewPanel={panel_id(make().build().title or '')}"


@dataclass(frozen=True, kw_only=True)
class Module:
    """A file that defines a page."""

    path: Path
    page: Page


def modules() -> tuple[Module, ...]:
    """Every page, of the built-in folder and of the project's; ConfigError where a file of the project is invalid."""
    found: list[Module] = []
    for folder in project.folders("dashboards"):
        for path in sorted(folder.glob("[!_]*.py")):
            if folder.parent == project.BUILT_IN:
                module = importlib.import_module(f"dashboards.{path.stem}")
                # Only in the module that defines it: modules may import each other's pages.
                pages = [one for one in vars(module).values() if isinstance(one, Page)]
            else:
                pages = _pages(path)
            found += [Module(path=path, page=page) for page in pages]
    return tuple(found)


def links() -> dict[str, str]:
    """Address of the panel that shows an alert, by the alert's name, of every page."""
    return {alert: url for module in modules() for alert, url in module.page.links()}


def _pages(path: Path) -> list[Page]:
    """The pages of a file of the project; ConfigError with file and line where it fails or defines none."""
    name = f"{_PACKAGE}.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # noqa: S101 - a file that ends in .py has a loader
    assert spec.loader is not None  # noqa: S101 - likewise
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    shown = project.shown(path)
    try:
        spec.loader.exec_module(module)
        pages = [one for one in vars(module).values() if isinstance(one, Page)]
        for page in pages:
            page.build()
    except ConfigError as error:
        raise ConfigError(f"{shown}: {error.what}", error.fix) from error
    except SyntaxError as error:
        raise ConfigError(f"{shown}:{error.lineno}: {error.msg}", "correct the Python at that line") from error
    except Exception as error:
        at = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        where = f"{shown}:{at[-1]}" if at else shown
        raise ConfigError(
            f"{where}: {type(error).__name__}: {error}", "correct the Python at that line; see docs/dashboards.md"
        ) from error
    if not pages:
        raise ConfigError(
            f"{shown}: defines no page",
            "write `page = Page(uid=…, title=…, description=…)`; a file that others import begins with _",
        )
    return pages
