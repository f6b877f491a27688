"""What all panels have in common: the form of queries, how thresholds are drawn, and the options of each kind."""

import string
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import common as options
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import logs, loki, nodegraph, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.datasources import LOKI, PROMETHEUS

RATE: Final = "$__rate_interval"
"""Range of a rate: in Grafana at least four scrape intervals, so that one lost scrape leaves no gap."""

RANGE: Final = "$__range"
"""The dashboard's time range, as a PromQL range."""

SOURCE: Final = common.DataSourceRef(type_val=PROMETHEUS, uid=PROMETHEUS)
LOGS: Final = common.DataSourceRef(type_val=LOKI, uid=LOKI)

GREEN: Final = "green"
BLUE: Final = "blue"
ORANGE: Final = "orange"
RED: Final = "red"
GREY: Final = "#6e7079"

SEVERITIES: Final = {"info": BLUE, "warning": ORANGE, "critical": RED}
"""Colour of each severity, from the mildest."""

PERCENTILES: Final = {"0.5": "p50", "0.95": "p95", "0.99": "p99"}
"""The values of the label `quantile` as panel titles write them."""

STAT_HEIGHT: Final = 4
GRAPH_HEIGHT: Final = 7
"""Heights in Grafana's grid units of about 38 pixels."""

FLAT: Final[Mapping[str, float]] = MappingProxyType({"percentunit": 0.01, "s": 0.001})
"""Minimum upper end of an axis: where all values are 0, Grafana's default reaches 100, which is 10,000 %."""

LIMIT: Final = "Limit"
"""refId of the query that draws a panel's thresholds."""

UNMEASURED: Final = dashboard.SpecialValueMap(
    options=dashboard.DashboardSpecialValueMapOptions(
        match=dashboard.SpecialValueMatch.NULL_AND_NAN, result=dashboard.ValueMappingResult(color=GREY, index=9)
    )
)
"""Value mapping for a number without data, which would have the colour of its lowest step: often green."""

Coloured = TypeVar("Coloured", timeseries.Panel, stat.Panel)
"""A panel whose series may have fixed colours."""

Panel = Builder[dashboard.Panel]
Query = prometheus.Dataquery


def over_time(expr: str, legend: str = "__auto", ref: str = "A") -> Query:
    """A query over the dashboard's time range."""
    return prometheus.Dataquery().datasource(SOURCE).expr(expr).legend_format(legend).ref_id(ref).range()


def percentiles(expr: str, legend: str = "") -> Query:
    """A query of percentiles. The lines are named p50, p95 and p99 after the label `quantile`."""
    named = f'label_replace({expr}, "percentile", "p$1", "quantile", "0[.](.+)")'
    named = f'label_replace({named}, "percentile", "p50", "quantile", "0[.]5")'
    return over_time(named, f"{legend}{{{{percentile}}}}")


def coloured(panel: Coloured, colours: Mapping[str, str]) -> Coloured:
    """The panel with these colours for the series of these names."""
    for name, colour in colours.items():
        panel.override_by_name(name, _fixed(colour))
    return panel


def now(expr: str, ref: str = "A") -> Query:
    """An instant query, one row per series."""
    return prometheus.Dataquery().datasource(SOURCE).expr(expr).ref_id(ref).instant().format(PromQueryFormat.TABLE)


def lines(expr: str, ref: str = "A") -> loki.Dataquery:
    """A query of log lines, or of a count of them over the dashboard's time range."""
    return loki.Dataquery().datasource(LOGS).expr(expr).ref_id(ref).query_type("range")


def counted(expr: str, legend: str, ref: str = "A") -> loki.Dataquery:
    """A query that counts log lines over the dashboard's time range."""
    return lines(expr, ref).legend_format(legend)


def steps(*limits: tuple[float | None, str]) -> build.ThresholdsConfig:
    """Colours from each value up; the first value is None, for everything below."""
    return (
        build.ThresholdsConfig()
        .mode(dashboard.ThresholdsMode.ABSOLUTE)
        .steps([dashboard.Threshold(value=value, color=color) for value, color in limits])
    )


def graph(
    title: str,
    description: str,
    unit: str,
    *queries: Query | loki.Dataquery,
    limits: str | None = None,
    at: tuple[float, str] | None = None,
    width: int = 8,
) -> timeseries.Panel:
    """Lines over time, from 0 up, and dashed lines where alerts begin to fire.

    `limits` is a query of threshold series; `at` is the value that is written in an alert's rule, and its severity.
    """
    targets: list[Query | loki.Dataquery] = list(queries)
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(LOGS if isinstance(targets[0], loki.Dataquery) else SOURCE)
        .unit(unit)
        .min(0)
        .span(width)
        .height(GRAPH_HEIGHT)
        .fill_opacity(10)
        .show_points(common.VisibilityMode.NEVER)
        .tooltip(options.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
        .legend(
            options.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    if unit in FLAT:
        panel.axis_soft_max(FLAT[unit])
    if limits is not None:
        targets.append(over_time(limits, "{{severity}} threshold", LIMIT))
        panel.override_by_regexp("/ threshold$/", _DASHED)
        for severity, color in SEVERITIES.items():
            panel.override_by_name(f"{severity} threshold", _fixed(color))
    if at is not None:
        value, severity = at
        line_at(panel, value, SEVERITIES[severity])
    return panel.targets(list(targets))


def line_at(panel: timeseries.Panel, value: float, color: str) -> timeseries.Panel:
    """The graph with a line at a constant value that is not a series."""
    style = options.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
    # Grafana does not extend the axis to show this line.
    return panel.thresholds(steps((None, GREEN), (value, color))).thresholds_style(style).axis_soft_max(1.1 * value)


def number(title: str, description: str, unit: str, asked: Query | loki.Dataquery, width: int = 3) -> stat.Panel:
    """The current value, large, on a coloured background; several series are shown next to each other."""
    if isinstance(asked, prometheus.Dataquery):
        # The panel shows only the end of the time range, and a query over a month is slow.
        asked.instant()
    else:
        asked.query_type("instant")
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(LOGS if isinstance(asked, loki.Dataquery) else SOURCE)
        .targets([asked])
        .unit(unit)
        .span(width)
        .height(STAT_HEIGHT)
        .color_mode(common.BigValueColorMode.BACKGROUND)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(options.ReduceDataOptions().calcs(["lastNotNull"]))
        .mappings([UNMEASURED])
        .thresholds(steps((None, BLUE)))
    )


def rows(
    title: str,
    description: str,
    unit: str,
    query: Query,
    width: int = 12,
    first: Sequence[str] = (),
    names: Mapping[str, str] = MappingProxyType({}),
    order: str | None = None,
) -> table.Panel:
    """A table of series, one per row, with these columns first; labels of no use to a reader are hidden.

    `names` renames columns; `order` is a label that sorts the rows and is not shown.
    """
    panel = _table(title, description, [query], names, width, first, order).unit("short")
    # As the unit of all columns, a unit of time would turn the labels into dates.
    panel.override_by_name("Value", [dashboard.DynamicConfigValue(id_val="unit", value=unit)])
    return panel


def columns(
    title: str,
    description: str,
    values: Mapping[str, tuple[str, str]],
    links: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    width: int = 12,
    first: Sequence[str] = (),
) -> table.Panel:
    """A table of several queries with the same labels: column name → query and unit, one row per set of labels.

    `links` adds a link to a column: name → the link's title and address. `first` are the first columns.
    """
    refs = {string.ascii_uppercase[index]: name for index, name in enumerate(values)}
    queries = [now(values[name][0], ref) for ref, name in refs.items()]
    names = {f"Value #{ref}": name for ref, name in refs.items()}
    panel = _table(title, description, queries, names, width, first).unit("short")
    for name, (_, unit) in values.items():
        panel.override_by_name(name, [dashboard.DynamicConfigValue(id_val="unit", value=unit)])
    for name, (words, url) in links.items():
        panel.override_by_name(
            name, [dashboard.DynamicConfigValue(id_val="links", value=[{"title": words, "url": url}])]
        )
    return panel


def worded(
    panel: table.Panel, column: str, words: Mapping[str, tuple[str, str]] | Mapping[int, tuple[str, str]]
) -> table.Panel:
    """The table with these texts and background colours for the values of a column."""
    mapping = dashboard.ValueMap(
        options={
            str(value): dashboard.ValueMappingResult(text=text, color=color, index=index)
            for index, (value, (text, color)) in enumerate(words.items())
        }
    )
    cell = {"type": "color-background", "mode": "basic"}
    return panel.override_by_name(
        column,
        [
            dashboard.DynamicConfigValue(id_val="mappings", value=[mapping]),
            dashboard.DynamicConfigValue(id_val="custom.cellOptions", value=cell),
        ],
    )


def connections(title: str, description: str, values: Mapping[str, str]) -> nodegraph.Panel:
    """A graph of nodes and of the edges between them; `values` are two queries by their unit.

    Each query has the labels `id`, `source` and `target`. Grafana makes the nodes from the edges, each with the sum of
    what arrives. It looks for a field by its own name, not by one that it was renamed to, so a calculation makes one
    of the name that is needed.
    """
    refs = dict(zip("AB", values, strict=True))
    stats = dict(zip(("mainstat", "secondarystat"), refs, strict=True))
    made = [
        dashboard.DataTransformerConfig(
            id_val="calculateField",
            options={
                "mode": "binary",
                "binary": {
                    "left": {"matcher": {"id": "byName", "options": f"Value #{ref}"}},
                    "operator": "*",
                    "right": {"fixed": "1"},
                },
                "alias": stat,
            },
        )
        for stat, ref in stats.items()
    ]
    hidden = dict.fromkeys(("Time", *(f"Value #{ref}" for ref in refs)), True)
    organize = dashboard.DataTransformerConfig(
        id_val="organize", options={"excludeByName": hidden, "indexByName": {}, "renameByName": {}}
    )
    main, second = refs.values()
    return (
        nodegraph.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets([now(values[unit], ref) for ref, unit in refs.items()])
        .transformations([dashboard.DataTransformerConfig(id_val="merge", options={}), *made, organize])
        .edges(nodegraph.EdgeOptions().main_stat_unit(main).secondary_stat_unit(second))
        .nodes(nodegraph.NodeOptions().main_stat_unit(main).secondary_stat_unit(second))
        .unit("cps")
        .span(24)
        .height(2 * GRAPH_HEIGHT)
    )


def _table(
    title: str,
    description: str,
    queries: list[Query],
    names: Mapping[str, str],
    width: int,
    first: Sequence[str] = (),
    order: str | None = None,
) -> table.Panel:
    hidden = dict.fromkeys(("Time", "__name__", "alertstate", "job", *((order,) if order else ())), True)
    merge = [dashboard.DataTransformerConfig(id_val="merge", options={})] if len(queries) > 1 else []
    if order:
        by_order = {"fields": {}, "sort": [{"field": order, "desc": False}]}
        merge.append(dashboard.DataTransformerConfig(id_val="sortBy", options=by_order))
    organize = dashboard.DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": hidden,
            "indexByName": {name: place for place, name in enumerate(first)},
            "renameByName": dict(names),
        },
    )
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets(list(queries))
        .span(width)
        .height(GRAPH_HEIGHT)
        .transformations([*merge, organize])
    )


def states(
    title: str,
    description: str,
    asked: Query,
    words: dict[int, tuple[str, str]],
    width: int = 12,
    more: Sequence[Query] = (),
) -> statetimeline.Panel:
    """The state of each series over time: value → text and colour; `more` are further queries."""
    mapping = dashboard.ValueMap(
        options={
            str(value): dashboard.ValueMappingResult(text=text, color=color, index=index)
            for index, (value, (text, color)) in enumerate(words.items())
        }
    )
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets([asked, *more])
        .unit("short")
        .mappings([mapping])
        .show_value(common.VisibilityMode.NEVER)
        .span(width)
        .height(GRAPH_HEIGHT)
    )


def log_lines(title: str, description: str, expr: str) -> logs.Panel:
    """Log lines of Loki, the newest first."""
    return lines_panel(title, description).datasource(LOGS).targets([lines(expr)])


def lines_panel(title: str, description: str) -> logs.Panel:
    """A panel of log lines, the newest first, still without a source."""
    return (
        logs.Panel()
        .title(title)
        .description(description)
        .span(24)
        .height(2 * GRAPH_HEIGHT)
        .show_time(True)
        .wrap_log_message(True)
        .enable_log_details(True)
        .sort_order(common.LogsSortOrder.DESCENDING)
    )


def link(title: str, url: str) -> build.DashboardLink:
    """A link from a panel, or from a value in it."""
    return build.DashboardLink(title).type(dashboard.DashboardLinkType.LINK).url(url)


def _fixed(color: str) -> list[dashboard.DynamicConfigValue]:
    return [dashboard.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})]


_DASHED: Final = [
    dashboard.DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [10, 10]}),
    dashboard.DynamicConfigValue(id_val="custom.fillOpacity", value=0),
    dashboard.DynamicConfigValue(id_val="custom.lineWidth", value=1),
]
