"""Grafana's data sources, the links between them, and the alerts of those without a ruler."""

import json
from typing import Any

import pytest

from components.grafana.environment import environment
from dashboards.datasources import data_sources
from dashboards.queries import panels
from dashboards.registry import dashboards
from observability.alerting.grafana_rules import EXPRESSION, rule_groups
from observability.core.alert import ANNOTATIONS, LABELS
from observability.core.errors import ConfigError
from observability.settings.load import StackConfig, validate
from observability.synth.record import HIDDEN
from tests.unit.conftest import declared_by, stack_config

TEMPO = {"tempo": {"url": "http://tempo.example.com:3200"}}
ELASTICSEARCH = {"elasticsearch": {"url": "https://search.example.com:9200", "user": "grafana"}}
CLOUDWATCH = {"cloudwatch": {"region": "eu-central-1", "accessKey": "AKIAIOSFODNN7EXAMPLE", "logGroups": ["/app"]}}

SENTRY = {"sentry": {"url": "https://sentry.example.com", "organization": "acme", "projects": ["7"]}}


def with_sources(*sources: dict[str, Any]) -> StackConfig:
    return stack_config("dev", {"grafana": {"dataSources": {key: one[key] for one in sources for key in one}}})


def options(config: StackConfig) -> dict[str, dict[str, Any]]:
    return {source.uid: json.loads(source.options_json) for source in data_sources(config)}


def declared_source(config: StackConfig, uid: str) -> dict[str, Any]:
    (found,) = [one for one in declared_by(config) if one.name == f"grafana-content-source-{uid}"]
    return dict(found.inputs)


def test_without_traces_nothing_links_to_them() -> None:
    found = options(stack_config("dev"))
    assert set(found) == {"prometheus", "alertmanager", "loki"}
    assert "exemplarTraceIdDestinations" not in found["prometheus"]
    assert [one["matcherRegex"] for one in found["loki"]["derivedFields"]] == ["correlation_id", "error_kind"]
    assert "tempo" not in json.dumps(found)


def test_with_traces_exemplars_and_lines_link_to_a_trace_and_a_trace_to_both() -> None:
    found = options(with_sources(TEMPO))
    assert found["prometheus"]["exemplarTraceIdDestinations"] == [{"name": "trace_id", "datasourceUid": "tempo"}]
    to_trace, to_lines, _ = found["loki"]["derivedFields"]
    assert (to_trace["matcherRegex"], to_trace["datasourceUid"]) == ("trace_id", "tempo")
    assert (to_lines["matcherRegex"], to_lines["datasourceUid"]) == ("correlation_id", "loki")
    assert found["tempo"]["tracesToLogsV2"]["datasourceUid"] == "loki"
    assert found["tempo"]["tracesToMetrics"]["datasourceUid"] == "prometheus"


def test_a_trace_links_to_no_lines_where_the_stack_has_none() -> None:
    values = {"loki": {"enabled": False}, "grafana": {"dataSources": TEMPO}}
    assert "tracesToLogsV2" not in options(stack_config("dev", values))["tempo"]


def test_a_line_of_a_request_links_to_all_lines_of_that_request() -> None:
    same, _ = options(stack_config("dev"))["loki"]["derivedFields"]
    assert same["url"] == '{stack=~".+"} | correlation_id="${__value.raw}"'


def test_a_line_of_an_error_links_to_all_lines_of_its_group() -> None:
    _, group = options(stack_config("dev"))["loki"]["derivedFields"]
    assert (group["matcherRegex"], group["datasourceUid"]) == ("error_kind", "loki")
    assert group["url"] == '{stack=~".+"} | error_kind="${__value.raw}"'


def test_a_trace_links_to_response_times_with_exemplars_where_spans_are_measured() -> None:
    def queries(found: dict[str, Any]) -> list[str]:
        return [one["query"] for one in found["tracesToMetrics"]["queries"]]

    assert any("obs_spans_http" in one for one in queries(options(stack_config("dev", {"traces": {}}))["jaeger"]))
    assert not any("obs_spans" in one for one in queries(options(with_sources(TEMPO))["tempo"]))


def test_alertmanager_is_a_prometheus_one_that_gets_no_alerts_of_grafana() -> None:
    found = options(stack_config("dev"))["alertmanager"]
    assert found == {"implementation": "prometheus", "handleGrafanaManagedAlerts": False}


def test_elasticsearch_is_complete_with_its_password_hidden() -> None:
    source = declared_source(with_sources(ELASTICSEARCH), "elasticsearch")
    assert source["url"] == "https://search.example.com:9200"
    assert (source["basicAuthEnabled"], source["basicAuthUsername"]) == (True, "grafana")
    assert source["secureJsonDataEncoded"] == HIDDEN
    assert json.loads(source["jsonDataEncoded"])["index"] == "[logs-]YYYY.MM.DD"
    assert json.loads(source["jsonDataEncoded"])["interval"] == "Daily"


def test_cloudwatch_uses_its_key_or_the_credentials_of_the_host() -> None:
    keyed = declared_source(with_sources(CLOUDWATCH), "cloudwatch")
    assert json.loads(keyed["jsonDataEncoded"])["authType"] == "keys"
    assert keyed["secureJsonDataEncoded"] == HIDDEN
    assert "AKIA" not in keyed["jsonDataEncoded"]
    bare = declared_source(with_sources({"cloudwatch": {"region": "eu-west-1"}}), "cloudwatch")
    assert json.loads(bare["jsonDataEncoded"]) == {"authType": "default", "defaultRegion": "eu-west-1"}
    assert "secureJsonDataEncoded" not in bare


def test_cloudwatchs_dashboard_is_there_where_the_data_source_is() -> None:
    assert "obs-cloudwatch" not in {entry.uid for entry in dashboards(stack_config("dev"))}
    entries = {entry.uid: entry for entry in dashboards(with_sources(CLOUDWATCH))}
    made = json.loads(entries["obs-cloudwatch"].text)
    queries = {panel["title"]: panel["targets"][0] for panel in panels(made)}
    assert entries["obs-cloudwatch"].folder == "observability"
    asked = queries["RDS CPUUtilization (Average)"]
    assert asked == {
        "datasource": {"type": "cloudwatch", "uid": "cloudwatch"},
        "queryMode": "Metrics",
        "metricQueryType": 0,
        "metricEditorMode": 0,
        "id": "",
        "refId": "A",
        "expression": "",
        "region": "default",
        "namespace": "AWS/RDS",
        "metricName": "CPUUtilization",
        "dimensions": {"DBInstanceIdentifier": ["*"]},
        "matchExact": True,
        "statistic": "Average",
        "period": "auto",
        "label": "${PROP('Dim.DBInstanceIdentifier')}",
    }
    assert queries["Lines"]["logGroupNames"] == ["/app"]
    assert (queries["Lines"]["queryMode"], queries["Lines"]["statsGroups"]) == ("Logs", ["bin(5m)"])
    assert queries["Newest Lines"]["expression"].startswith("fields @timestamp, @message")


def test_cloudwatchs_dashboard_has_the_metrics_of_the_settings_and_no_other_row() -> None:
    own = {"namespace": "Shop/Orders", "name": "Paid", "dimension": "Region", "statistic": "Sum"}
    config = with_sources({"cloudwatch": {"region": "eu-west-1", "metrics": [own]}})
    (made,) = (json.loads(entry.text) for entry in dashboards(config) if entry.uid == "obs-cloudwatch")
    assert [panel["title"] for panel in panels(made)] == ["Shop/Orders Paid (Sum)"]


def test_sentry_is_asked_for_its_issues_with_a_token_that_is_hidden() -> None:
    config = with_sources(SENTRY)
    source = declared_source(config, "grafana-sentry-datasource")
    assert json.loads(source["jsonDataEncoded"]) == {"orgSlug": "acme", "url": "https://sentry.example.com"}
    assert source["secureJsonDataEncoded"] == HIDDEN
    (made,) = [json.loads(entry.text) for entry in dashboards(config) if entry.uid == "obs-sentry"]
    asked = {panel["title"]: panel["targets"][0] for panel in panels(made)}
    assert {query["issuesSort"] for query in asked.values()} == {"new", "freq", "user"}
    assert asked["Newest Issues"] == {
        "refId": "A",
        "datasource": {"type": "grafana-sentry-datasource", "uid": "grafana-sentry-datasource"},
        "queryType": "issues",
        "projectIds": ["7"],
        "environments": [],
        "issuesQuery": "is:unresolved",
        "issuesSort": "new",
        "issuesLimit": 50,
    }


def test_without_sentry_no_dashboard_and_no_plugin_names_it() -> None:
    plain, asked = stack_config("dev"), with_sources(SENTRY)
    assert "obs-sentry" not in {entry.uid for entry in dashboards(plain)}
    assert environment(plain, "/files")["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    assert not [value for value in environment(plain, "/files").values() if "sentry" in value]
    assert environment(asked, "/files")["GF_PLUGINS_PREINSTALL_SYNC"].startswith("grafana-sentry-datasource@")


@pytest.mark.parametrize(
    ("sources", "path"),
    [
        ({"tempo": {"url": "tempo:3200"}}, "grafana.dataSources.tempo.url"),
        ({"elasticsearch": {"url": "http://u:p@x"}}, "grafana.dataSources.elasticsearch.url"),
        ({"elasticsearch": {"url": "http://x", "index": "[logs-"}}, "grafana.dataSources.elasticsearch.index"),
        ({"cloudwatch": {"region": "Frankfurt"}}, "grafana.dataSources.cloudwatch.region"),
        ({"sentry": {"organization": "Acme Inc."}}, "grafana.dataSources.sentry.organization"),
        ({"sentry": {"organization": "acme", "projects": ["shop"]}}, "grafana.dataSources.sentry.projects"),
        (
            {
                "cloudwatch": {
                    "region": "eu-west-1",
                    "metrics": [{"namespace": "AWS/EC2", "name": "A", "dimension": "B"}] * 2,
                }
            },
            "grafana.dataSources.cloudwatch.metrics",
        ),
        ({"cloudwatch": {"region": "eu-west-1", "secretKey": "x"}}, "grafana.dataSources.cloudwatch.secretKey"),
    ],
)
def test_an_invalid_data_source_is_refused_with_the_path_to_the_field(sources: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        stack_config("dev", {"grafana": {"dataSources": sources}})
    assert f"observability:{path}" in caught.value.what


@pytest.mark.parametrize(
    ("sources", "secret"),
    [
        (ELASTICSEARCH, "grafanaElasticsearchPassword"),
        (CLOUDWATCH, "grafanaCloudwatchSecretKey"),
        (SENTRY, "grafanaSentryToken"),
    ],
)
def test_a_data_source_without_its_secret_is_refused_with_the_command_that_sets_it(
    sources: dict[str, Any], secret: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        validate("dev", {"grafana": {"dataSources": sources}}, frozenset())
    assert f"./obs secret set {secret} dev" in caught.value.fix


def test_grafana_evaluates_only_sources_without_their_own_ruler() -> None:
    assert rule_groups(with_sources(TEMPO, CLOUDWATCH)) == ()
    (group,) = rule_groups(with_sources(ELASTICSEARCH))
    assert [rule.name for rule in group.rules] == ["ElasticsearchErrorBurst"]


def test_a_rule_in_grafana_has_the_labels_and_annotations_of_every_alert() -> None:
    (group,) = rule_groups(with_sources(ELASTICSEARCH))
    for rule in group.rules:
        assert set(rule.labels) >= {*LABELS, "cluster"}
        assert set(rule.annotations) == set(ANNOTATIONS)
        assert rule.queries[-1].source == EXPRESSION
        assert rule.queries[0].source == "elasticsearch"


def test_the_rule_is_declared_with_the_threshold_that_is_set() -> None:
    source = {"elasticsearch": {**ELASTICSEARCH["elasticsearch"], "errorsPerSecond": 2.5}}
    (found,) = [one for one in declared_by(with_sources(source)) if one.type.endswith(":RuleGroup")]
    (rule,) = found.inputs["rules"]
    assert (found.inputs["folderUid"], rule["condition"], rule["for"]) == ("observability", "C", "5m")
    assert json.loads(rule["datas"][2]["model"])["expression"] == "$B / 300 > 2.5"
