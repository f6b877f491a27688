"""Logstash's pipeline, done by a double: which line goes to which index, and what is left of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from observability.elk import logstash
from observability.settings.secrets import stated_secrets
from tests.servers.logstash_double import Pipeline
from tests.unit.conftest import stack_config

VALUES = {name: f"value-of-{name}" for name in stated_secrets()}


def pipeline(elk: dict[str, Any] | None = None) -> Pipeline:
    return Pipeline(logstash.pipeline(stack_config("staging", {"elk": elk or {}})).text(VALUES))


def today() -> str:
    return datetime.now(UTC).strftime("%Y.%m.%d")


def request(*lines: dict[str, Any]) -> dict[str, Any]:
    """An event as the input http makes one of the collector's request."""
    records = [{"timeUnixNano": "1", "body": {"stringValue": json.dumps(line)}} for line in lines]
    logs = [
        {"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": records[at : at + 1]}]} for at in range(len(lines))
    ]
    return {
        "resourceLogs": logs,
        "http": {"method": "POST"},
        "host": {"ip": "172.30.90.9"},
        "url": {"path": "/v1/logs"},
    }


def test_lines_of_the_type_nodejs_go_to_the_index_of_their_day() -> None:
    line = {"type": "nodejs", "@timestamp": "2026-11-30T23:59:59.000Z", "message": "paid", "user": {"id": 7}}
    assert pipeline().line(json.dumps(line)) == [("logs-2026.11.30", line)]
    ((index, _),) = pipeline().line('{"type": "nodejs", "message": "now"}')
    assert index == f"logs-{today()}"


@pytest.mark.parametrize("text", ['{"type": "java", "message": "x"}', '{"message": "x"}', "no JSON"])
def test_lines_of_another_type_of_none_and_broken_ones_go_to_other(text: str) -> None:
    ((index, document),) = pipeline().line(text)
    assert index == f"other-{today()}"
    assert document["message"] in ("x", "no JSON")


def test_the_types_are_those_of_the_settings() -> None:
    made = pipeline({"types": ["python", "go"]})
    found = [made.line(json.dumps({"type": kind}))[0][0].split("-")[0] for kind in ("python", "go", "nodejs")]
    assert found == ["logs", "logs", "other"]


def test_a_request_of_the_collector_becomes_its_lines_without_the_request() -> None:
    first = {"message": "a", "level": "info", "host": "web-2", "@timestamp": "2026-11-30T12:00:00.001Z"}
    second = {"message": "b", "type": "nodejs", "@timestamp": "2026-12-01T00:00:00.000Z"}
    found = pipeline({"collector": True}).run(request(first, second), "http")
    assert found == [("lines-2026.11.30", first), ("lines-2026.12.01", second)]


def test_a_sender_by_tcp_cannot_say_that_it_is_the_collector() -> None:
    line = {"@metadata": {"from": "collector"}, "message": "x"}
    ((index, _),) = pipeline({"collector": True}).line(json.dumps(line))
    assert index == f"other-{today()}"


def test_the_inputs_use_tls_and_the_collector_signs_in() -> None:
    made = pipeline({"collector": True})
    tcp, http = made.input("tcp"), made.input("http")
    assert (tcp["port"], tcp["codec"], tcp["ssl_client_authentication"]) == ("5000", "json_lines", "none")
    assert (http["port"], http["user"], http["password"]) == ("8080", "collector", VALUES["elkCollectorPassword"])
    for given in (tcp, http):
        assert given["ssl_enabled"] == "true"
        assert given["ssl_key"] == "/etc/logstash/current/server-key.pem"
    plain = pipeline({"logstash": {"tls": False}})
    assert "ssl_enabled" not in plain.input("tcp")
    assert [one.name for one in plain.sections["input"]] == ["tcp"]


def test_lines_are_written_by_tls_with_a_user_who_may_only_add() -> None:
    (output,) = pipeline().sections["output"]
    given = output.settings
    assert given["hosts"] == ["https://elasticsearch:9200"]
    assert given["ssl_certificate_authorities"] == ["/etc/logstash/current/ca.pem"]
    assert (given["user"], given["password"]) == ("obs-logstash", VALUES["elkLogstashPassword"])
    assert (given["action"], given["manage_template"]) == ("create", "false")
