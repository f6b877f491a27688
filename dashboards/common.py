"""What all dashboards have in common: the form of queries, the look of panels, how they are put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import common as options
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.datasources import PROMETHEUS

RATE: Final = "$__rate_interval"
"""Range of a rate: Grafana makes it four scrape intervals at the least, so that one lost scrape leaves no gap."""

SOURCE: Final = common.DataSourceRef(type_val=PROMETHEUS, uid=PROMETHEUS)

GREEN: Final = "green"
RED: Final = "red"

GRID_WIDTH: Final = 24
"""Columns of Grafana's grid."""

STAT_HEIGHT: Final = 4
GRAPH_HEIGHT: Final = 8
"""Heights in Grafana's grid units of about 38 pixels."""

Panel = Builder[dashboard.Panel]


@dataclass(frozen=True, kw_only=True)
class Row:
    """Panels under one heading; the widths of those on one line add up to the grid's."""

    title: str
    panels: Sequence[Panel]


def over_time(expr: str, legend: str = "__auto", ref: str = "A") -> prometheus.Dataquery:
    """A query over the time shown."""
    return prometheus.Dataquery().datasource(SOURCE).expr(expr).legend_format(legend).ref_id(ref).range()


def now(expr: str) -> prometheus.Dataquery:
    """A query of this moment, one row a series."""
    return prometheus.Dataquery().datasource(SOURCE).expr(expr).ref_id("A").instant().format(PromQueryFormat.TABLE)


def steps(*limits: tuple[float | None, str]) -> build.ThresholdsConfig:
    """Colours from each value up; the first value is None, for everything below."""
    return (
        build.ThresholdsConfig()
        .mode(dashboard.ThresholdsMode.ABSOLUTE)
        .steps([dashboard.Threshold(value=value, color=color) for value, color in limits])
    )


def graph(
    title: str, description: str, unit: str, *queries: prometheus.Dataquery, width: int = 12
) -> timeseries.Panel:
    """Lines over time, from nought up."""
    return (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets(list(queries))
        .unit(unit)
        .min(0)
        .span(width)
        .height(GRAPH_HEIGHT)
        .fill_opacity(10)
        .show_points(common.VisibilityMode.NEVER)
        .tooltip(options.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
    )


def number(title: str, description: str, unit: str, asked: prometheus.Dataquery, width: int = 6) -> stat.Panel:
    """The last value, large, on a ground of its colour."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets([asked])
        .unit(unit)
        .span(width)
        .height(STAT_HEIGHT)
        .color_mode(common.BigValueColorMode.BACKGROUND)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(options.ReduceDataOptions().calcs(["lastNotNull"]))
    )


def rows(title: str, description: str, unit: str, asked: prometheus.Dataquery, width: int = 24) -> table.Panel:
    """A table of series, one a row."""
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets([asked])
        .unit(unit)
        .span(width)
        .height(GRAPH_HEIGHT)
    )


def assemble(uid: str, title: str, description: str, parts: Sequence[Row]) -> dashboard.Dashboard:
    """A dashboard of these rows, from the top down; its panels are numbered in that order."""
    builder = (
        build.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["observability"])
        .timezone("browser")
        .time("now-1h", "now")
        .refresh("30s")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .readonly()
    )
    for part in parts:
        builder.with_row(build.Row(part.title))
        for panel in part.panels:
            builder.with_panel(panel)
    made = builder.build()
    for number_, panel_ in enumerate(made.panels or [], start=1):
        panel_.id_val = number_
    return made
