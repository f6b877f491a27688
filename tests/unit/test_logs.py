"""What is read from lines, the labels of their streams, and Loki's configuration."""

import re

import pytest

from observability.core.documents import load_yaml
from observability.logs import formats, loki, sources
from observability.settings.load import StackConfig
from observability.settings.logs import LogFormat
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


def expressions(kind: LogFormat) -> list[str]:
    """The expressions that read the lines of a format."""
    return [one.expression for one in formats.FORMATS[kind].extract if isinstance(one, formats.Regex)]


def audited(line: str) -> dict[str, str]:
    """The fields that are extracted from a line of Grafana."""
    found: dict[str, str] = {}
    for expression in expressions("grafana"):
        if match := re.search(expression, line):
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
def test_sign_ins_and_changes_in_grafana_are_distinguished_from_queries(
    method: str, path: str, what: str | None
) -> None:
    found = audited(REQUEST.format(user="ann", method=method, path=path))
    assert (found["user"], found["method"], found["path"]) == ("ann", method, path)
    assert (found["status"], found["client"], found["level"]) == ("200", "10.0.0.7", "info")
    assert [name for name in ("signed", "changed") if name in found] == ([what] if what else [])


def test_the_user_who_signed_in_to_grafana_is_read_where_logged() -> None:
    assert audited(SIGNED_IN)["user"] == "ann@example.com"
    assert "signed" in audited(SIGNED_IN)


@pytest.mark.parametrize(("kind", "line"), [(kind, line) for kind, lines in LINES.items() for line in lines])
def test_a_line_of_its_format_is_parsed(kind: LogFormat, line: str) -> None:
    assert any(re.search(expression, line) for expression in expressions(kind))


@pytest.mark.parametrize("kind", LINES)
def test_a_line_of_no_known_format_is_not_parsed(kind: LogFormat) -> None:
    assert not any(re.search(expression, "%% not of this kind") for expression in expressions(kind))


@pytest.mark.parametrize("kind", sorted(formats.FORMATS.keys() - {formats.PLAIN}))
def test_every_parser_marks_what_it_cannot_parse(kind: LogFormat) -> None:
    assert formats.FORMATS[kind].required


def read(config: StackConfig, name: str, **labels: str) -> dict[str, str]:
    """Labels of the lines of a container; the labels of Docker have `_` instead of `.`."""
    return sources.stream(
        config, name, {label.replace("__", "-").replace("_", "."): labels[label] for label in labels}
    )


def selecting(**logs: object) -> StackConfig:
    """A stack whose system depot selects containers with these settings."""
    return stack_config("staging", {"systems": {"depot": {"logs": logs}}})


def test_the_stacks_own_containers_belong_to_the_system_platform() -> None:
    assert read(stack_config("staging"), "obs-staging-loki", io_observability_stack="staging") == {
        "system": "platform",
        "stack": "staging",
        "container": "obs-staging-loki",
        "service": "obs-staging-loki",
        "format": "detected",
    }


@pytest.mark.parametrize("labels", [{}, {"io_observability_stack": "dev"}, {"com_docker_compose_project": "other"}])
def test_a_container_that_nothing_selects_is_unassigned(labels: dict[str, str]) -> None:
    found = read(selecting(projects=["shop"], containers=["shop-*"]), "web-1", **labels)
    assert (found["system"], found["stack"], found["container"]) == ("unassigned", "staging", "web-1")


@pytest.mark.parametrize(
    ("logs", "name", "labels"),
    [
        ({"projects": ["shop"]}, "shop-api-1", {"com_docker_compose_project": "shop"}),
        ({"containers": ["shop-*"]}, "shop-api-1", {}),
        ({"containers": ["shop.api"]}, "shop.api", {}),
        ({}, "any", {"obs_system": "depot"}),
    ],
)
def test_a_systems_containers_are_selected_by_project_name_or_label(
    logs: dict[str, object], name: str, labels: dict[str, str]
) -> None:
    found = read(selecting(**logs), name, **labels)
    assert (found["system"], found["stack"], found["container"]) == ("depot", "staging", name)


@pytest.mark.parametrize("name", ["my-shop-1", "shopx", "shop-"])
def test_a_pattern_matches_the_whole_name(name: str) -> None:
    assert (read(selecting(containers=["shop-*"]), name)["system"] == "unassigned") == (name != "shop-")
    assert read(selecting(containers=["s.op"]), "shop")["system"] == "unassigned"


def test_a_label_takes_precedence_over_a_name_and_a_name_over_a_project() -> None:
    systems = {
        "depot": {"logs": {"projects": ["all"]}},
        "academy": {"logs": {"containers": ["all-mongo-*"]}},
    }
    config = stack_config("staging", {"systems": systems})
    project = {"com_docker_compose_project": "all"}
    found = [
        read(config, "all-api-1", **project),
        read(config, "all-mongo-1", **project),
        read(config, "all-mongo-1", **project, obs_system="studio"),
        read(config, "all-mongo-1", **project, obs_system="unheard-of"),
    ]
    assert [one["system"] for one in found] == ["depot", "academy", "studio", "academy"]


@pytest.mark.parametrize(
    ("name", "labels", "service"),
    [
        ("shop-api-1", {"com_docker_compose_service": "api"}, "api"),
        ("shop-api-1", {}, "shop-api-1"),
    ],
)
def test_a_service_has_its_compose_name(name: str, labels: dict[str, str], service: str) -> None:
    found = read(selecting(containers=["shop-*"]), name, **labels)
    assert found["service"] == service


@pytest.mark.parametrize(
    ("service", "label", "kind"),
    [
        ("api", {"obs_logs": "json"}, "json"),
        ("api", {"obs_logs": "xml"}, "detected"),
        ("api", {}, "detected"),
        ("redis", {}, "redis"),
        ("cache-redis-1", {}, "redis"),
        ("postgres", {}, "postgres"),
        ("nginx", {"obs_logs": "plain"}, "plain"),
        ("rediscover", {}, "detected"),
    ],
)
def test_the_format_of_lines_comes_from_a_label_or_the_usual_name(
    service: str, label: dict[str, str], kind: str
) -> None:
    found = read(
        selecting(projects=["shop"]),
        "x",
        com_docker_compose_project="shop",
        com_docker_compose_service=service,
        **label,
    )
    assert found["format"] == kind


def test_without_selectors_only_labels_choose_the_system() -> None:
    rules = [rule for rule in sources.relabels(stack_config("staging")) if rule.target == "system"]
    assert (rules[0].source, rules[0].value) == (sources.NAME, "unassigned")
    assert [rule.source for rule in rules[1:]] == [
        "__meta_docker_container_label_obs_system",
        "__meta_docker_container_label_io_observability_stack",
    ]


def test_lokis_limits_are_the_required_ones() -> None:
    document = load_yaml(loki.files(stack_config())["loki.yaml"])
    limits = document["limits_config"]
    assert (limits["ingestion_rate_mb"], limits["ingestion_burst_size_mb"]) == (10, 20)
    assert (limits["per_stream_rate_limit"], limits["per_stream_rate_limit_burst"]) == ("5MB", "20MB")
    assert (limits["reject_old_samples"], limits["reject_old_samples_max_age"]) == (True, "168h")
    schema = document["schema_config"]["configs"][0]
    assert (schema["store"], schema["schema"], schema["index"]["period"]) == ("tsdb", "v13", "24h")
    assert document["compactor"]["retention_enabled"]
    assert document["ruler"]["alertmanager_url"] == "http://alertmanager:9093"


def test_lines_are_kept_longer_in_staging_and_longest_in_prod() -> None:
    kept = [
        load_yaml(loki.files(stack_config(stack))["loki.yaml"])["limits_config"]["retention_period"]
        for stack in ("dev", "staging", "prod")
    ]
    assert kept == ["168h", "336h", "744h"]


def test_object_storage_reads_its_keys_only_from_a_file() -> None:
    config = stack_config("prod", {"loki": FULL["loki"]})
    text = loki.files(config)["loki.yaml"]
    assert load_yaml(text)["common"]["storage"]["s3"]["bucketnames"] == "lines"
    assert "secret" not in text
    assert "access_key" not in text
    assert loki.secret_files(config) == {"s3-credentials": "lokiS3Credentials"}
    assert loki.secret_files(stack_config()) == {}
