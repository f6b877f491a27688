"""Pipelines as data, and how they are rendered for both collectors."""

import re

import pytest
import yaml

from observability.logs import alloy, loki, pipelines, promtail, sources
from tests.unit.conftest import FULL, stack_config

LINES = {
    "nginx": [
        '172.18.0.5 - - [21/Nov/2026:07:44:44 +0000] "GET /api/products/10 HTTP/1.1" 200 47 "-" "curl/8"',
        "2026/11/21 07:44:44 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream",
    ],
    "postgres": [
        "2026-11-21 07:43:47.934 UTC [1] LOG:  database system is ready to accept connections",
        "2026-11-21 07:43:47.934 UTC [31] app@shop ERROR:  deadlock detected",
        "\tWHERE id = 3",
    ],
    "redis": ["1:M 21 Nov 2026 07:43:45.124 * Ready to accept connections"],
    "logfmt": [
        'time=2026-11-21T07:43:47.726Z level=INFO source=main.go:1484 msg="Server is ready."',
        "level=error ts=2026-11-21T07:43:47Z caller=a.go:1 msg=x",
    ],
}


REQUEST = (
    'logger=context userId=1 orgId=1 uname={user} t=2026-11-21T12:35:40.737086375Z level=info msg="Request Completed" '
    "method={method} path={path} status=200 remote_addr=10.0.0.7 time_ms=130 duration=130.39232ms size=276 referer="
)
SIGNED_IN = (
    'logger=http.server t=2026-11-21T12:35:40.557507319Z level=info msg="Successful Login" User=ann@example.com'
)


def audited(line: str) -> dict[str, str]:
    """What is taken out of a line of Grafana's."""
    found: dict[str, str] = {}
    for stage in pipelines.FORMATS["grafana"]:
        if isinstance(stage, pipelines.Regex) and (match := re.search(stage.expression, line)):
            found |= match.groupdict()
    return found


@pytest.mark.parametrize(
    ("method", "path", "what"),
    [
        ("POST", "/login", "signed"),
        ("GET", "/login/generic_oauth", "signed"),
        ("GET", "/logout", "signed"),
        ("POST", "/api/dashboards/db", "changed"),
        ("PUT", "/api/datasources/uid/prometheus", "changed"),
        ("DELETE", "/api/datasources/7", "changed"),
        ("PUT", "/api/v1/provisioning/policies", "changed"),
        ("PATCH", "/api/org/users/3", "changed"),
        ("PUT", "/apis/dashboard.grafana.app/v1/namespaces/default/dashboards/x", "changed"),
        ("GET", "/login", None),
        ("GET", "/api/dashboards/uid/x", None),
        ("POST", "/api/ds/query", None),
        ("POST", "/api/datasources/proxy/uid/prometheus/api/v1/query", None),
        ("POST", "/api/user/auth-tokens/rotate", None),
    ],
)
def test_sign_ins_and_changes_in_grafana_are_told_from_queries(method: str, path: str, what: str | None) -> None:
    found = audited(REQUEST.format(user="ann", method=method, path=path))
    assert (found["user"], found["method"], found["path"]) == ("ann", method, path)
    assert (found["status"], found["client"], found["level"]) == ("200", "10.0.0.7", "info")
    assert [name for name in ("signed", "changed") if name in found] == ([what] if what else [])


def test_who_signed_in_to_grafana_is_read_where_it_says_so() -> None:
    assert audited(SIGNED_IN)["user"] == "ann@example.com"
    assert "signed" in audited(SIGNED_IN)


@pytest.mark.parametrize(("kind", "line"), [(kind, line) for kind, lines in LINES.items() for line in lines])
def test_a_line_of_its_kind_is_read(kind: str, line: str) -> None:
    expressions = [stage.expression for stage in pipelines.FORMATS[kind] if isinstance(stage, pipelines.Regex)]
    assert any(re.search(expression, line) for expression in expressions)


@pytest.mark.parametrize("kind", LINES)
def test_a_line_of_no_kind_is_not_read(kind: str) -> None:
    expressions = [stage.expression for stage in pipelines.FORMATS[kind] if isinstance(stage, pipelines.Regex)]
    assert not any(re.search(expression, "%% not of this kind") for expression in expressions)


@pytest.mark.parametrize("kind", sorted(pipelines.FORMATS.keys() - {"plain"}))
def test_every_parser_marks_what_it_cannot_read(kind: str) -> None:
    sources_of = [stage.source for stage in pipelines.FORMATS[kind] if isinstance(stage, pipelines.Template)]
    assert "parse_error" in sources_of


def test_few_labels_are_made_of_a_line() -> None:
    stages = [stage for found in (*pipelines.FORMATS.values(), pipelines.TAIL) for stage in found]
    labels = {name for stage in stages if isinstance(stage, pipelines.Labels) for name in stage.names}
    metadata = {name for stage in stages if isinstance(stage, pipelines.Metadata) for name in stage.names}
    assert labels == {"level", "system"}
    assert {"correlation_id", "trace_id", "parse_error"} <= metadata


def test_every_stream_is_taken_by_exactly_one_selector() -> None:
    selectors = pipelines.by_format()
    for service in ("demo", "demo-nginx", "prometheus", "nginx-exporter-shop", "rabbitmq"):
        taken = []
        for kind, selector in selectors.items():
            operator, expression = re.fullmatch(r'{service(=~|!~)"(.*)"}', selector).groups()  # type: ignore[union-attr]  # always matches
            if bool(re.fullmatch(expression, service)) == (operator == "=~"):
                taken.append(kind)
        assert len(taken) == 1, (service, taken)


def test_only_containers_of_the_stack_are_read() -> None:
    first = sources.relabels(stack_config("staging"))[0]
    assert first.keep
    assert first.expression == "staging"


def test_the_demos_lines_carry_its_system_and_nothing_does_outside_dev() -> None:
    assert "social-selling" in promtail.files(stack_config())["promtail.yaml"]
    assert "social-selling" not in promtail.files(stack_config("prod"))["promtail.yaml"]


def test_the_container_of_a_simulated_system_is_that_systems() -> None:
    def system(service: str) -> str:
        rules = [rule for rule in sources.relabels(stack_config()) if rule.target == "system"]
        return [rule.value for rule in rules if re.fullmatch(rule.expression, service)][-1]

    assert {service: system(service) for service in ("demo", "demo-redis", "demo-redis-alawael", "loki")} == {
        "demo": "social-selling",
        "demo-redis": "social-selling",
        "demo-redis-alawael": "alawael",
        "loki": "platform",
    }


def test_no_attempt_to_reach_loki_is_the_last() -> None:
    document = yaml.safe_load(promtail.files(stack_config())["promtail.yaml"])
    assert document["clients"][0]["backoff_config"]["max_retries"] == 0
    assert "max_backoff_retries = 0" in alloy.files(stack_config())["config.alloy"]


def test_alloy_has_every_stage_of_promtail_in_the_same_order() -> None:
    document = yaml.safe_load(promtail.files(stack_config())["promtail.yaml"])
    names = []
    for stage in document["scrape_configs"][0]["pipeline_stages"]:
        (name,) = stage
        names.append(name)
        names += [next(iter(inner)) for inner in (stage["match"]["stages"] if name == "match" else ())]
    assert re.findall(r"^ +stage\.(\w+) {", alloy.files(stack_config())["config.alloy"], re.MULTILINE) == names


def test_alloys_blocks_are_closed_and_its_strings_escaped() -> None:
    text = alloy.files(stack_config())["config.alloy"]
    outside = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
    assert outside.count("{") == outside.count("}")
    assert '\\"(?P<method>[A-Z]+)' in text
    assert outside.count('"') % 2 == 0


def test_lokis_limits_are_those_asked_for() -> None:
    document = yaml.safe_load(loki.files(stack_config())["loki.yaml"])
    limits = document["limits_config"]
    assert (limits["ingestion_rate_mb"], limits["ingestion_burst_size_mb"]) == (10, 20)
    assert (limits["per_stream_rate_limit"], limits["per_stream_rate_limit_burst"]) == ("5MB", "20MB")
    assert (limits["reject_old_samples"], limits["reject_old_samples_max_age"]) == (True, "168h")
    schema = document["schema_config"]["configs"][0]
    assert (schema["store"], schema["schema"], schema["index"]["period"]) == ("tsdb", "v13", "24h")
    assert document["compactor"]["retention_enabled"]
    assert document["ruler"]["alertmanager_url"] == "http://alertmanager:9093"


def test_lines_are_kept_longer_the_more_they_matter() -> None:
    kept = [
        yaml.safe_load(loki.files(stack_config(stack))["loki.yaml"])["limits_config"]["retention_period"]
        for stack in ("dev", "staging", "prod")
    ]
    assert kept == ["168h", "336h", "744h"]


def test_object_storage_takes_its_keys_from_a_file_alone() -> None:
    config = stack_config("prod", FULL)
    text = loki.files(config)["loki.yaml"]
    assert yaml.safe_load(text)["common"]["storage"]["s3"]["bucketnames"] == "lines"
    assert "secret" not in text
    assert "access_key" not in text
    assert loki.secret_files(config) == {"s3-credentials": "lokiS3Credentials"}
    assert loki.secret_files(stack_config()) == {}
