"""CloudWatch: metrics and log groups of an AWS account, asked for by Grafana itself."""

from typing import Final

from grafana_foundation_sdk.builders import cloudwatch as build
from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.models import cloudwatch, common, dashboard

from dashboards.across import back
from dashboards.common import GRAPH_HEIGHT, Panel, lines_panel
from dashboards.datasources import CLOUDWATCH
from dashboards.layout import Row, assemble
from observability.settings.grafana import CloudWatchMetric, CloudWatchSource

UID: Final = "obs-cloudwatch"

SOURCE: Final = common.DataSourceRef(type_val=CLOUDWATCH, uid=CLOUDWATCH)

REGION: Final = "default"
"""Grafana's name of the data source's own region."""

BIN: Final = "bin(5m)"

NEWEST: Final = "fields @timestamp, @message | sort @timestamp desc | limit 200"
COUNTED: Final = f"stats count(*) as lines by {BIN}"
FAILED: Final = f"filter @message like /(?i)(error|exception|fatal|panic)/ | {COUNTED}"


def cloudwatch_dashboard(source: CloudWatchSource) -> dashboard.Dashboard:
    """The dashboard: a graph for each metric of the settings, and the lines of the log groups where there are any."""
    lines = (
        [
            _count("Lines", "Lines of all log groups in 5 minutes.", COUNTED, source),
            _count(
                "Lines with Errors", "Lines of all log groups that mention an error, in 5 minutes.", FAILED, source
            ),
            _lines(source),
        ]
        if source.log_groups
        else []
    )
    return assemble(
        UID,
        "CloudWatch",
        "Metrics and logs of AWS, as CloudWatch has them.",
        [Row("Metrics", [_metric(one) for one in source.metrics]), Row("Logs", lines)],
        links=[back()],
        # Most metrics of AWS have a sample every 5 minutes.
        period="6h",
    )


def _metric(one: CloudWatchMetric) -> Panel:
    query = (
        build.MetricsQuery()
        .datasource(SOURCE)
        .ref_id("A")
        .query_mode(cloudwatch.QueryMode.METRICS)
        .metric_query_type(cloudwatch.MetricQueryType.SEARCH)
        .metric_editor_mode(cloudwatch.MetricEditorMode.BUILDER)
        .id("")
        .expression("")
        .region(REGION)
        .namespace(one.namespace)
        .metric_name(one.name)
        .dimensions({one.dimension: ["*"]})
        .match_exact(True)
        .statistic(one.statistic)
        .period("auto")
        .label(f"${{PROP('Dim.{one.dimension}')}}")
    )
    description = f"{one.statistic} of {one.name} in {one.namespace}, by {one.dimension}."
    return _graph(one.title, description, one.unit).targets([query])


def _count(title: str, description: str, expression: str, source: CloudWatchSource) -> Panel:
    query = _asked(expression, source).stats_groups([BIN])
    return _graph(title, description, "short", width=12).targets([query])


def _lines(source: CloudWatchSource) -> Panel:
    panel = lines_panel("Newest Lines", "The newest lines of all log groups.")
    return panel.datasource(SOURCE).targets([_asked(NEWEST, source)])


def _asked(expression: str, source: CloudWatchSource) -> build.LogsQuery:
    return (
        build.LogsQuery()
        .datasource(SOURCE)
        .ref_id("A")
        .query_mode(cloudwatch.QueryMode.LOGS)
        .id("")
        .region(REGION)
        .log_group_names(list(source.log_groups))
        .expression(expression)
    )


def _graph(title: str, description: str, unit: str, width: int = 8) -> timeseries.Panel:
    return (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .span(width)
        .height(GRAPH_HEIGHT)
        .fill_opacity(10)
        .show_points(common.VisibilityMode.AUTO)
    )
