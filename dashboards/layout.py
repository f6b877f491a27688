"""How panels become a dashboard: rows from symptoms to causes, stable ids, annotations, variables and links."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common, dashboard, statetimeline

from dashboards.common import BLUE, RED, SOURCE, Panel, link
from dashboards.links import alerts_of, panel_id
from observability.core.alert import NO_PROBLEM_PATTERN
from observability.core.errors import ConfigError
from observability.core.naming import runbook

GRID_WIDTH: Final = 24
"""Columns of Grafana's grid."""

FOLD: Final = 48
"""Height of two screens in grid units of about 38 pixels; rows that end below it are folded."""

GRAFANA: Final = common.DataSourceRef(type_val="grafana", uid="-- Grafana --")
"""Grafana's built-in store of annotations."""


@dataclass(frozen=True)
class Row:
    """Panels under one heading; None for a panel that the subject does not have. A row without panels is omitted."""

    title: str
    panels: Sequence[Panel | None]


def assemble(
    uid: str,
    title: str,
    description: str,
    parts: Sequence[Row],
    *,
    tags: Sequence[str] = (),
    links: Sequence[build.DashboardLink] = (),
    variables: Sequence[build.QueryVariable | build.TextBoxVariable] = (),
    alerts: str = "",
    period: str = "1h",
) -> dashboard.Dashboard:
    """A dashboard of these rows, from top to bottom.

    `alerts` are the label matchers of the alerts that it marks, `period` is the default time range.
    """
    builder = (
        build.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["observability", *tags])
        .timezone("browser")
        .time(f"now-{period}", "now")
        .refresh("30s")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .links(list(links))
        .variables(list(variables))
        .annotations([_firing(alerts), _every_start(alerts), _deployments(tags), _image_changes(tags)])
    )
    made = builder.build()
    made.panels = _placed(parts)
    _refuse_equal_titles(uid, made.panels)
    return made


def _refuse_equal_titles(uid: str, panels: Sequence[dashboard.Panel | dashboard.RowPanel]) -> None:
    """ConfigError where two panels have the same title, and so the same id. A system's file sets titles of figures."""
    counted = Counter(panel.title for one in panels for panel in (one, *_folded(one)) if panel.type_val != "row")
    for title, times in counted.items():
        if times > 1:
            raise ConfigError(
                f"dashboard {uid}: {times} panels have the title {title!r}",
                "give the figure in the system's file another title",
            )


def link_runbooks(made: dashboard.Dashboard, system: str | None, runbooks: str) -> None:
    """Add to each panel the links to the pages, below an address, of the alerts that it shows."""
    alerts = alerts_of(made.uid or "", system)
    for panel in (panel for one in made.panels or () for panel in (one, *_folded(one))):
        if isinstance(panel, dashboard.Panel) and (names := alerts.get(panel.id_val or 0)):
            panel.links = [
                link(f"Runbook: {alert}", runbook(alert, runbooks)).target_blank(True).build() for alert in names
            ]


def variable(name: str, label: str, expr: str) -> build.QueryVariable:
    """A variable with one or more values of a label, `expr` being a `label_values()`; all by default."""
    return (
        build.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(expr)
        .definition(expr)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(dashboard.VariableOption(selected=True, text="All", value="$__all"))
    )


def to(title: str, url: str) -> build.DashboardLink:
    """A link next to the dashboard's title to another dashboard, with the same time range."""
    return (
        build.DashboardLink(title)
        .type(dashboard.DashboardLinkType.LINK)
        .icon("external link")
        .url(url)
        .keep_time(True)
    )


def tagged(title: str, tag: str) -> build.DashboardLink:
    """A list of all dashboards with a tag."""
    return (
        build.DashboardLink(title)
        .type(dashboard.DashboardLinkType.DASHBOARDS)
        .tags([tag])
        .as_dropdown(True)
        .keep_time(True)
    )


def _firing(matchers: str) -> build.AnnotationQuery:
    """Marks when the first warning and the first critical alert of a system began to fire.

    An outage raises a dozen alerts within minutes. One line for each, or a band for the time that they fire, would
    cover the graphs.
    """
    urgent = ",".join(filter(None, ('severity!="info"', matchers)))
    made = _starts("Alerts", urgent, "system, severity")
    return made.title_format("{{system}}: {{severity}}").tag_keys("severity").enable(True)


def _every_start(matchers: str) -> build.AnnotationQuery:
    """Marks when any alert began to fire; off until it is switched on above the graphs."""
    made = _starts("All Alerts", matchers, "alertname, severity, system")
    return made.title_format("{{alertname}}").text_format("{{severity}} {{system}}").tag_keys("severity").enable(False)


def _starts(name: str, matchers: str, by: str) -> build.AnnotationQuery:
    # An exhausted error budget lasts for hours and says nothing about a start.
    asked = matchers if "condition" in matchers else ",".join(filter(None, (matchers, 'condition!="error_budget"')))
    fired = f'max by ({by}) (ALERTS{{alertstate="firing",alertname!~"{NO_PROBLEM_PATTERN}",{asked}}}'
    return (
        build.AnnotationQuery()
        .name(name)
        .datasource(SOURCE)
        .icon_color(RED)
        .expr(f"{fired}) unless {fired} offset $__interval)")
        .step("30s")
    )


def _deployments(tags: Sequence[str]) -> build.AnnotationQuery:
    """Marks annotations that a pipeline posted to Grafana with the tag `deployment` and the system's name."""
    tagged_with = (
        build.AnnotationTarget().limit(100).match_any(False).tags(["deployment", *_systems(tags)]).type("tags")
    )
    return (
        build.AnnotationQuery()
        .name("Deployments")
        .datasource(GRAFANA)
        .enable(True)
        .icon_color(BLUE)
        .target(tagged_with)  # type: ignore[arg-type]  # Grafana's own store is queried by tags
    )


def _image_changes(tags: Sequence[str]) -> build.AnnotationQuery:
    """Marks when a container began to run an image that the container of its name did not run in the hour before."""
    own = "".join(f',system="{system}"' for system in _systems(tags))
    running = f'container_start_time_seconds{{job="docker",name!="",image!=""{own}}}'
    before = f"last_over_time({running}[1h] offset $__interval)"
    return (
        build.AnnotationQuery()
        .name("Image Changes")
        .datasource(SOURCE)
        .enable(True)
        .icon_color(BLUE)
        .expr(
            f"max by (system, instance, name, image) ({running})"
            f" unless on (system, instance, name, image) {before} and on (system, instance, name) {before}"
        )
        .step("30s")
        .title_format("{{name}}")
        .text_format("{{image}}")
        .tag_keys("system")
    )


def _systems(tags: Sequence[str]) -> list[str]:
    """The systems that a dashboard is about; none: all."""
    return [tag.removeprefix("system:") for tag in tags if tag.startswith("system:")]


def _folded(panel: dashboard.Panel | dashboard.RowPanel) -> Sequence[dashboard.Panel]:
    """The panels inside a folded row."""
    return panel.panels if isinstance(panel, dashboard.RowPanel) else ()


def _placed(parts: Sequence[Row]) -> list[dashboard.Panel | dashboard.RowPanel]:
    """The rows with their panels in position; rows below the fold contain their panels folded."""
    placed: list[dashboard.Panel | dashboard.RowPanel] = []
    y = 0
    folded = False
    for part in parts:
        panels = [_on_one_page(panel.build()) for panel in part.panels if panel is not None]
        if not panels:
            continue
        row = build.Row(part.title).id(panel_id(f"row {part.title}")).build()
        row.grid_pos = dashboard.GridPos(x=0, y=y, w=GRID_WIDTH, h=1)
        end = _fill(panels, y + 1)
        # Rows below a folded row are folded too, so that no less important row is shown instead.
        row.collapsed = folded = folded or end > FOLD
        placed.append(row)
        if folded:
            row.panels = panels
            y += 1
        else:
            placed += panels
            y = end
    return placed


def _on_one_page(panel: dashboard.Panel) -> dashboard.Panel:
    """The panel without page controls, which take the height of two states even where there is one page."""
    if isinstance(panel.options, statetimeline.Options):
        # The builder refuses 0, which switches the pages off.
        panel.options.per_page = 0
    return panel


def _fill(panels: Sequence[dashboard.Panel], y: int) -> int:
    """Place panels on lines from `y` down; widen them where a line is not full. Returns the end of the last line."""
    line: list[dashboard.Panel] = []
    for panel in panels:
        panel.id_val = panel.id_val or panel_id(panel.title or "")
        if sum(_place(one).w for one in line) + _place(panel).w > GRID_WIDTH:
            y = _widen(line, y)
            line = []
        line.append(panel)
    return _widen(line, y)


def _widen(line: Sequence[dashboard.Panel], y: int) -> int:
    """Distribute the width among the panels of one line in proportion, at one height; returns the end of the line."""
    total = sum(_place(panel).w for panel in line)
    height = max(_place(panel).h for panel in line)
    taken = done = 0
    for panel in line:
        place = _place(panel)
        done += place.w
        end = done * GRID_WIDTH // total
        panel.grid_pos = dashboard.GridPos(x=taken, y=y, w=end - taken, h=height)
        taken = end
    return y + height


def _place(panel: dashboard.Panel) -> dashboard.GridPos:
    assert panel.grid_pos is not None  # noqa: S101 - every panel has been given a width
    return panel.grid_pos
