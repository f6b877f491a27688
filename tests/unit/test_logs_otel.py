"""The configuration of the OpenTelemetry Collector: its shape, and the data that it is made from."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from observability.collector import configuration
from observability.core import naming
from observability.core.documents import load_yaml
from observability.logs import formats, loki, otel, redaction, sources
from observability.parts import otel_collector
from tests.unit.conftest import FULL, stack_config

TEXT = configuration.files(stack_config())[configuration.MAIN]
DOCUMENT: dict[str, Any] = load_yaml(TEXT)


def strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for inner in value.values():
                yield from strings(inner)
        case list():
            for inner in value:
                yield from strings(inner)


def statements_of(name: str) -> list[str]:
    """The statements of a transform processor, as the collector sees them."""
    groups = DOCUMENT["processors"][name]["log_statements"]
    return [one.replace("$$", "$") for group in groups for one in group["statements"]]


def test_the_same_settings_give_the_same_configuration() -> None:
    assert configuration.files(stack_config()) == configuration.files(stack_config())
    assert list(configuration.files(stack_config())) == ["collector.yaml"]


def test_it_contains_no_secret_and_reads_no_variable() -> None:
    for text in strings(load_yaml(configuration.files(stack_config("prod", FULL))[configuration.MAIN])):
        assert "${" not in text.replace("$$", "")
        assert not re.search(r"(?<!\$)\$(?:\$\$)*(?!\$)", text), text


def test_every_component_of_a_pipeline_is_configured_and_every_one_is_used() -> None:
    service = DOCUMENT["service"]
    configured = {name for kind in ("receivers", "processors", "exporters") for name in DOCUMENT[kind]}
    connectors = set(DOCUMENT["connectors"])
    used = {name for pipe in service["pipelines"].values() for names in pipe.values() for name in names}
    assert used == configured | connectors
    assert set(service["extensions"]) == set(DOCUMENT["extensions"])


def test_every_container_has_exactly_one_reader() -> None:
    observer = DOCUMENT["extensions"]["docker_observer"]
    assert observer["include_all_containers"]
    (reader,) = DOCUMENT["receivers"]["receiver_creator/containers"]["receivers"].values()
    assert reader["rule"] == 'type == "container" && port == 0'
    assert reader["config"]["include"] == [f"{otel.CONTAINERS}/`container_id`/`container_id`-json.log*"]
    assert reader["config"]["start_at"] == "beginning"


def test_operators_contain_no_backtick_which_would_be_evaluated() -> None:
    (reader,) = DOCUMENT["receivers"]["receiver_creator/containers"]["receivers"].values()
    assert not [text for text in strings(reader["config"]["operators"]) if "`" in text]


def test_a_reader_passes_on_every_docker_label_that_the_rules_read() -> None:
    (reader,) = DOCUMENT["receivers"]["receiver_creator/containers"]["receivers"].values()
    given = set(reader["resource_attributes"])
    made = {"system", "service"}
    for values in ({}, FULL):
        rules = sources.relabels(stack_config("staging", values))
        assert {rule.source for rule in rules} <= given | made


def test_positions_and_the_queue_are_on_disk() -> None:
    stores = [name for name in DOCUMENT["extensions"] if name.startswith("file_storage/")]
    (reader,) = DOCUMENT["receivers"]["receiver_creator/containers"]["receivers"].values()
    queue = DOCUMENT["exporters"]["otlp_http/loki"]["sending_queue"]
    assert {reader["config"]["storage"], queue["storage"]} == set(stores)
    for name in stores:
        assert DOCUMENT["extensions"][name]["directory"].startswith(f"{otel_collector.DATA}/")
    assert "batch" not in {one.partition("/")[0] for one in DOCUMENT["processors"]}


def test_requests_are_retried_without_limit_and_a_full_queue_drops_nothing() -> None:
    exporter = DOCUMENT["exporters"]["otlp_http/loki"]
    assert exporter["retry_on_failure"]["max_elapsed_time"] == 0
    assert exporter["sending_queue"]["block_on_overflow"]
    (reader,) = DOCUMENT["receivers"]["receiver_creator/containers"]["receivers"].values()
    waits = reader["config"]["retry_on_failure"]
    assert (waits["enabled"], waits["max_elapsed_time"]) == (True, 0)


def test_loki_indexes_the_labels_of_a_stream_and_nothing_else() -> None:
    limits = load_yaml(loki.files(stack_config())["loki.yaml"])["limits_config"]
    attributes = limits["otlp_config"]["resource_attributes"]
    assert attributes["ignore_defaults"]
    assert attributes["attributes_config"] == [{"action": "index_label", "attributes": list(loki.INDEXED)}]


def test_a_line_over_lokis_limit_is_never_joined() -> None:
    (reader,) = DOCUMENT["receivers"]["receiver_creator/containers"]["receivers"].values()
    limits = {one["max_log_size"] for one in reader["config"]["operators"] if one["type"] == "recombine"}
    # What is added is compared afterwards.
    assert max(limits) + reader["config"]["max_log_size"] < 256 * 1024


def test_what_no_rule_selects_is_unassigned_and_not_dropped() -> None:
    found = statements_of("transform/stream")
    assert found[0].startswith('set(resource.attributes["system"], "unassigned") where IsMatch(')
    (team,) = [one for one in found if one.startswith('set(resource.attributes["team"], "unassigned")')]
    assert team.endswith('where IsMatch(resource.attributes["system"], "^(?:unassigned)$")')


def test_secrets_are_replaced_in_the_line_and_in_what_was_read_from_it() -> None:
    found = statements_of("transform/redact")
    assert len(found) == 2 * len(redaction.SECRETS)
    assert sum(one.startswith("replace_pattern(log.body,") for one in found) == len(redaction.SECRETS)
    assert sum(one.startswith('replace_all_patterns(log.attributes, "value",') for one in found) == len(
        redaction.SECRETS
    )
    pipeline = DOCUMENT["service"]["pipelines"]["logs/read"]["processors"]
    assert pipeline.index("transform/redact") > pipeline.index("transform/parse")


def redacted(line: str) -> str:
    """What is stored of a line, by the same data in Python's expressions."""
    if not re.search(redaction.HINT, line):
        return line
    for secret in redaction.SECRETS:
        line = re.sub(secret.expression, re.sub(r"\$(\d)", r"\\g<\1>", secret.replacement), line)
    return line


@pytest.mark.parametrize(
    ("line", "stored"),
    [
        ('{"password":"a\\"b","user":"x"}', '{"password":"***","user":"x"}'),
        ('{"msg":"{\\"password\\":\\"hunter2\\"}","x":1}', '{"msg":"{\\"password\\":\\"***\\"}","x":1}'),
        ('{"api_key": 12345, "n": 1}', '{"api_key": "***", "n": 1}'),
        ('{"access_token":"abc","token_type":"bearer"}', '{"access_token":"***","token_type":"bearer"}'),
        ('{"cookie":["a=b","c=d"],"x":1}', '{"cookie":"***","x":1}'),
        ("{'password': 'x', 'a': 1}", "{'password': '***', 'a': 1}"),
        ("Authorization: Bearer abcdef.ghi", "Authorization: Bearer ***"),
        ("authorization=Basic dXNlcjpwYXNz next", "authorization=Basic *** next"),
        ("X-Auth-Token: abcdef", "X-Auth-Token: ***"),
        ("x-api-key: abc123", "x-api-key: ***"),
        ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: ***"),
        ("GET /a?token=abc&x=1 HTTP/1.1", "GET /a?token=***&x=1 HTTP/1.1"),
        ('path=/x authToken="a b c" z=1', "path=/x authToken=*** z=1"),
        ("password: hunter2", "password: ***"),
        ("mysql --password hunter2 -u x", "mysql --password *** -u x"),
        ("ALTER ROLE x PASSWORD 'ab''c'", "ALTER ROLE x PASSWORD '***'"),
        ("postgres://u:pw@db:5432/x", "postgres://u:***@db:5432/x"),
        ("sent AKIAIOSFODNN7EXAMPLE", "sent ***"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----",
        ),
        ("4111 1111 1111 1111 4111-1111-1111-1111.", "*** ***."),
        ('{"card":"5500005555555559"}', '{"card":"***"}'),
    ],
)
def test_a_secret_is_not_stored(line: str, stored: str) -> None:
    assert redacted(line) == stored


@pytest.mark.parametrize(
    "line",
    [
        '"took": 0.4523456789012345',
        'tokens=5 total_tokens=7 passed=3 {"tokens": 4}',
        "bad password for user bob",
        "basic authentication failed",
        "unexpected token: }",
        "key=value monkey=1 keyboard: x",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736 1764400000000000000 1764400000000000",
        "http://localhost:3000/path@2x",
        '{"level":"info","message":"5555 4444 items"}',
        "id 4111-1111-1111-1111-2222",
    ],
)
def test_a_line_without_a_secret_is_stored_unchanged(line: str) -> None:
    assert redacted(line) == line


def test_every_format_has_a_level_rule_or_is_plain_text() -> None:
    assert set(formats.SHAPES) <= set(formats.FORMATS)
    assert formats.DETECTED not in formats.FORMATS


def test_a_word_is_the_name_of_one_level_only() -> None:
    words = [word for found in formats.LEVELS.values() for word in found]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("2026-11-29 INFO connected, error count 0", "INFO"),
        ("[warn] error 5", "warn"),
        ("error: no such file", "error"),
        ("request failed with error 5", "error"),
        ("FATAL", "FATAL"),
        ('time="x" level=WARN', "WARN"),
        ("terror and informative", None),
    ],
)
def test_the_level_of_plain_text_is_its_marked_word(line: str, level: str | None) -> None:
    found = (re.search(expression, line) for expression in formats.LEVEL_MARKS)
    assert next((match["level"] for match in found if match), None) == level


def test_a_replacement_refers_to_groups_in_braces_where_a_letter_follows() -> None:
    for name in ("transform/stream", "transform/parse", "transform/redact"):
        for one in statements_of(name):
            assert not re.search(r"\$\d[A-Za-z0-9_]", one), one


def test_the_stacks_own_label_is_one_that_is_read() -> None:
    assert {naming.LABEL_STACK, naming.LABEL_SERVICE} <= set(sources.LABELS)
