"""For every check of only alerts: alerts that it finds, and similar alerts that it passes."""

from tests.metrics.lint_cases import LABELS, TEAM, Case, alert, says

OF_ALERTS = [
    # Labels of alerts
    Case(
        check="labels",
        bad=alert("sum by (system) (up) == 0"),
        says="has no label team",
        good=alert(f"sum by (system) (up) {TEAM} == 0"),
    ),
    Case(
        check="labels",
        bad=alert("sum(up) == 0", labels={**LABELS, "team": "platform"}),
        says="has no label system",
        good=alert("sum(up) == 0", labels={**LABELS, "system": "platform", "team": "platform"}),
    ),
    Case(
        check="labels",
        bad=alert(f"app:goroutines:count {TEAM} > 1", labels={**LABELS, "severity": "page"}),
        says="severity page is none of critical, info, warning",
        good=alert(f"app:goroutines:count {TEAM} > 1", labels={**LABELS, "severity": "info"}),
    ),
    Case(
        check="labels",
        bad=alert(f"app:goroutines:count {TEAM} > 1", labels={"severity": "info", "component": "application"}),
        says="has no label condition",
        good=alert(f"app:goroutines:count {TEAM} > 1"),
    ),
    Case(
        check="labels",
        bad=alert(f"app:goroutines:count {TEAM} > 1", labels={**LABELS, "count": "{{ $value | humanize }}"}),
        says="label count holds the value",
        good=alert(f"app:goroutines:count {TEAM} > 1", labels={**LABELS, "host": "{{ $labels.instance }}"}),
    ),
    Case(
        check="labels",
        bad=alert(f'elasticsearch_cluster_health_status{{color="red"}} {TEAM} == 1'),
        says="has a label cluster of its own, which takes the place of the external one",
        good=alert(
            f'max by (system, instance) (elasticsearch_cluster_health_status{{color="red"}}) {TEAM} == 1',
        ),
    ),
    # Annotations
    Case(
        check="template",
        bad=says("{{ $labels.route }} fails"),
        says="description: the alert has no label route, only component, condition, instance, severity, system, team",
        good=says("{{ $labels.instance }} fails"),
    ),
    Case(
        check="template",
        bad=says("{{ .Labels.route }} fails"),
        says="the alert has no label route",
        good=says('{{ index $labels "instance" }} fails'),
    ),
    Case(
        check="template",
        bad=says("It has {{ $value }}."),
        says="the value has no unit",
        good=says("It has {{ $value | humanize }}."),
    ),
    Case(
        check="template",
        bad=says("It has {{$value}}."),
        says="the value has no unit",
        good=says('It has {{printf "%.0f" $value}}.'),
    ),
    Case(
        check="template",
        bad=says("{{ $lables.system }}"),
        says="there is no variable $lables",
        good=says("{{ $name := $labels.system }}{{ $name }}"),
    ),
    Case(
        check="template",
        bad=says("""{{ with printf "app:http_errs:rate5m{system='%s'}" $labels.system | query }}x{{ end }}"""),
        says="query: there is no metric app:http_errs:rate5m; did you mean app:http_errors:rate5m?",
        good=says("""{{ with printf "app:http_errors:rate5m{system='%s'}" $labels.system | query }}x{{ end }}"""),
    ),
    Case(
        check="template",
        bad=says("""{{ with query "sum(up)" }}{{ . | first | label "job" }}{{ end }}"""),
        says="no query returns a label job",
        good=says("""{{ with query "sum by (job) (up)" }}{{ . | first | label "job" }}{{ end }}"""),
    ),
    Case(
        check="template",
        bad=says("""{{ range query "sum(up)" }}{{ .Labels.job }}{{ end }}"""),
        says="no query returns a label job",
        good=says("""{{ range query "sum by (job) (up)" }}{{ .Labels.job }}{{ end }}"""),
    ),
    Case(
        check="template",
        bad=says("""{{ with query "sum(up" }}x{{ end }}"""),
        says="query 'sum(up' does not parse",
        good=says("""{{ with query "sum(up)" }}x{{ end }}"""),
    ),
    Case(
        check="template",
        bad=says("{{ $labels.probe }}", f"up {TEAM} == 0"),
        says="the alert has no label probe",
        good=says("{{ if $labels.probe }}{{ $labels.probe }}{{ end }}", f"up {TEAM} == 0"),
    ),
    # Alerts that always fire, or fire by chance
    Case(
        check="comparison",
        bad=alert("app:goroutines:count"),
        says="compares nothing, so it fires whenever its series exist",
        good=alert("app:goroutines:count > 1"),
    ),
    Case(
        check="comparison",
        bad=alert("app:goroutines:count > bool 1"),
        says="compares nothing",
        good=alert("vector(1)"),
    ),
    Case(
        check="fragile",
        bad=alert("topk(3, app:goroutines:count) > 1"),
        says="topk returns other series from one evaluation to the next",
        good=alert("app:goroutines:count > 1"),
    ),
    Case(
        check="floor",
        bad=alert("app:http_latency_seconds_by_route:quantile5m > 1"),
        says="has no minimum number of events",
        good=alert(
            "app:http_latency_seconds_by_route:quantile5m > 1"
            " and on (system, route) app:http_latency_by_route:events_rate5m >= 0.1"
        ),
    ),
    Case(
        check="floor",
        bad=alert(
            "app:http_errors:ratio_rate5m > 0.05 and on (system) app:http_requests:rate5m >= 0.001",
        ),
        says="has no minimum number of events",
        good=alert(
            "app:http_errors:ratio_rate5m > 0.05"
            ' and on (system) sum by (system) (rate(http_requests_total{system="depot"}[5m])) > 0.1'
        ),
    ),
    Case(
        check="floor",
        bad=alert("histogram_quantile(0.95, sum by (le) (rate(http_request_duration_ms_bucket[5m]))) > 500"),
        says="has no minimum number of events",
        good=alert(
            "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_ms_bucket[5m]))) > 500"
            " and sum(rate(http_request_duration_ms_count[5m])) > 0.1"
        ),
    ),
    Case(
        check="floor",
        bad=alert("rate(pg_stat_database_xact_rollback[5m]) / rate(pg_stat_database_xact_commit[5m]) > 0.1"),
        says="has no minimum number of events",
        good=alert("rate(pg_stat_database_xact_rollback[5m]) / (rate(pg_stat_database_xact_commit[5m]) > 0.1) > 0.1"),
    ),
]
