"""Traces: what a stack that takes spans declares, and that one without them has no trace of it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from dashboards import linked_rules
from dashboards.datasources import data_sources
from dashboards.registry import dashboards
from observability.collector import configuration
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.parts import traces
from observability.scrape import edge
from observability.scrape.jobs import jobs
from observability.settings.load import StackConfig, validate
from observability.synth.declared import CONTAINER
from observability.synth.write import generated_files
from observability.traces import collector, jaeger
from tests.unit.conftest import REFERENCE, declared, stack_config

ON: dict[str, Any] = {"traces": {}}
WORDS = ("tail_sampling", "TracesRefused", "app:service_graph", "obs_spans")
"""What rules and collectors say of spans."""
HOSTS = {
    "edge": {"enabled": True, "address": "monitoring.example.com"},
    "hosts": {"web-2": {"docker": "ssh://root@10.0.0.2", "subnet": "172.30.92.0/24"}},
}
TEMPO = {"otlp": "http://tempo.example.com:4318", "url": "http://tempo.example.com:3200"}


def document(values: dict[str, Any], host: str | None = None, stack: str = "staging") -> dict[str, Any]:
    """The collector's configuration as it reads it."""
    found: dict[str, Any] = load_yaml(configuration.files(stack_config(stack, values), host)[configuration.MAIN])
    return found


def refused(values: dict[str, Any]) -> str:
    """The error for these settings."""
    with pytest.raises(ConfigError) as error:
        validate("dev", values, frozenset(), REFERENCE)
    return f"{error.value.what} | {error.value.fix}"


def ports(stack: str, values: dict[str, Any], container: str) -> set[tuple[str, int, int]]:
    """Address, port on the host and port in the container, of what a container publishes."""
    (one,) = [one for one in declared(stack, values) if one.type == CONTAINER and one.name == container]
    return {(port["ip"], port["external"], port["internal"]) for port in one.inputs.get("ports", [])}


def mentions(texts: Mapping[str, str]) -> Iterator[str]:
    """The files that mention spans, or a store of them."""
    for path, text in texts.items():
        if any(word in text for word in (*WORDS, "jaeger", "obs-traces", "obs-service-graph", "v1/traces")):
            yield path


def test_without_the_section_nothing_of_traces_is_in_any_file_or_resource() -> None:
    config = stack_config("dev", HOSTS)
    rules = linked_rules.files(config)
    assert not [*mentions(generated_files(config, rules))]
    assert not [one.name for one in declared("dev", HOSTS) if "jaeger" in json.dumps(one.inputs)]
    assert ports("dev", {}, "collector-server-container") == set()
    assert not {"spans", "jaeger"} & {job.name for job in jobs(config)}
    assert not {"jaeger", "tempo"} & {source.uid for source in data_sources(config)}
    assert not {"obs-traces", "obs-service-graph"} & {entry.uid for entry in dashboards(config)}


def test_spans_arrive_at_the_hosts_address_in_the_network_and_nowhere_else() -> None:
    found = ports("staging", {"traces": {"httpPort": 14318}}, "collector-server-container")
    gateway = stack_config("staging").settings.network.gateway
    assert found == {(gateway, 4317, 4317), (gateway, 14318, 4318)}


def test_another_host_takes_spans_on_its_own_addresses_and_sends_them_to_the_edge() -> None:
    found = ports("staging", {**ON, **HOSTS}, "host-web-2-collector-server-container")
    assert {address for address, _, _ in found} == {"172.30.92.1"}
    there = document({**ON, **HOSTS}, "web-2")
    exporter = there["exporters"][collector.STORE]
    assert exporter["endpoint"] == "https://monitoring.example.com:8443"
    assert exporter["auth"]
    assert exporter["sending_queue"]["storage"] == "file_storage/queue"
    assert "tail_sampling" not in there["processors"]
    assert [name for name in there["service"]["pipelines"] if name.startswith("traces")] == ["traces/sent"]


def test_the_edge_takes_spans_of_hosts_and_without_a_credential_of_browsers() -> None:
    plain = edge.files(stack_config("staging", {**ON, **HOSTS}))["Caddyfile"]
    assert "path /v1/traces" in plain
    assert "@browsers" not in plain
    origins = ["https://shop.example.com", "https://www.shop.example.com"]
    values = {"traces": {"browsers": {"origins": origins}}, **HOSTS}
    open_to = edge.files(stack_config("staging", values))["Caddyfile"]
    assert open_to.index("handle @browsers") < open_to.index("@unknown")
    assert all(f"header Origin {origin}" in open_to for origin in origins)
    receiver = document(values)["receivers"]["otlp/browsers"]["protocols"]["http"]
    assert receiver["cors"]["allowed_origins"] == origins


def test_spans_of_browsers_are_stored_and_not_measured() -> None:
    found = document({"traces": {"browsers": {"origins": ["https://shop.example.com"]}}, **HOSTS})
    assert found["service"]["pipelines"]["traces/browsers"]["exporters"] == ["forward/spans"]


@pytest.mark.parametrize(("stack", "share"), [("dev", 100), ("staging", 50), ("prod", 10)])
def test_how_many_traces_are_kept_depends_on_the_environment(stack: str, share: float) -> None:
    assert shares(document(ON, stack=stack)) == {share}


def shares(found: dict[str, Any]) -> set[float]:
    """The percentages of traces without an error that are kept."""
    return {
        policy["probabilistic"]["sampling_percentage"]
        for system in found["processors"]["tail_sampling"]["policies"]
        for one in system["composite"]["composite_sub_policy"]
        for policy in one["and"]["and_sub_policy"]
        if policy["type"] == "probabilistic"
    }


def test_a_systems_own_share_and_limit_stand_above_those_of_all() -> None:
    own = {"traces": {"keep": "2.5%", "spansPerSecond": 50}}
    found = document({"traces": {"keep": "20%", "spansPerSecond": 300}, "systems": {"depot": own}}, stack="dev")
    assert shares(found) == {20, 2.5}
    limits = {
        one["name"]: one["composite"]["max_total_spans_per_second"]
        for one in found["processors"]["tail_sampling"]["policies"]
    }
    assert limits.pop("depot") == 50
    assert set(limits.values()) == {300}
    assert "unassigned" in limits


def test_errors_and_slow_spans_are_kept_before_the_share_decides() -> None:
    (system, *_) = document({"traces": {"slow": "1500ms"}})["processors"]["tail_sampling"]["policies"]
    assert system["composite"]["policy_order"] == ["notable", "share"]
    conditions = system["composite"]["composite_sub_policy"][0]["and"]["and_sub_policy"][1]["ottl_condition"]["span"]
    assert any("STATUS_CODE_ERROR" in one for one in conditions)
    assert any('Duration("1.5s")' in one for one in conditions)


def test_a_service_of_the_settings_belongs_to_its_system() -> None:
    found = document({**ON, "systems": {"depot": {"traces": {"services": ["depot-api"]}}}}, stack="dev")
    (group,) = found["processors"]["transform/system"]["trace_statements"]
    assert group["statements"][0] == 'set(resource.attributes["system"], "unassigned")'
    assert any('"service.name"] == "depot-api"' in one and '"depot")' in one for one in group["statements"])


def test_the_queue_of_spans_is_on_disk_and_does_not_stop_the_applications() -> None:
    queue = document(ON)["exporters"][collector.STORE]["sending_queue"]
    assert queue["storage"] == "file_storage/queue"
    assert queue["block_on_overflow"] is False
    assert document(ON)["exporters"][collector.STORE]["retry_on_failure"]["max_elapsed_time"] == 0


def test_every_component_of_spans_is_configured_and_every_one_is_used() -> None:
    values = {"traces": {"browsers": {"origins": ["https://shop.example.com"]}}, **HOSTS}
    for host in (None, "web-2"):
        found = document(values, host)
        kinds = ("receivers", "processors", "exporters", "connectors")
        configured = {name for kind in kinds for name in found[kind]}
        pipelines = found["service"]["pipelines"].values()
        assert {name for pipe in pipelines for names in pipe.values() for name in names} == configured


def test_the_collector_has_more_memory_where_it_takes_spans() -> None:
    def memory(values: dict[str, Any]) -> int:
        (one,) = [one for one in declared("staging", values) if one.name == "collector-server-container"]
        return int(one.inputs["memory"])

    assert memory(ON) - memory({}) == traces.TracesSettings().memory_mb


@pytest.mark.parametrize(("stack", "ttl"), [("dev", 48), ("prod", 168)])
def test_jaeger_keeps_traces_on_its_volume_for_as_long_as_the_environment_says(stack: str, ttl: int) -> None:
    config = stack_config(stack, ON)
    found = jaeger.document(config)
    assert found["extensions"]["jaeger_storage"]["backends"]["traces"]["badger"]["ttl"]["spans"] == f"{ttl * 3600}s"
    assert "batch" not in json.dumps(found)
    (one,) = [one for one in declared(stack, ON) if one.name == "jaeger-server-container"]
    assert one.inputs["destroyGraceSeconds"] >= 30
    assert {mount["containerPath"] for mount in one.inputs["volumes"]} == {"/etc/jaeger", "/tmp"}  # noqa: S108


def test_synth_writes_the_files_of_jaeger_and_of_every_collector() -> None:
    found = generated_files(stack_config("staging", {**ON, **HOSTS}), {})
    assert "jaeger_storage" in found["jaeger/jaeger.yaml"]
    assert "tail_sampling" in found["collector/collector.yaml"]
    assert "v1/traces" in found["edge/Caddyfile"]
    assert "traces/sent" in found["hosts/web-2/collector/collector.yaml"]


def test_jaeger_signs_in_to_elasticsearch_with_a_password_from_a_file() -> None:
    own = {"url": "https://search.example.com:9200", "user": "jaeger", "ca": "files/ca.pem"}
    values = {**ON, "jaeger": {"elasticsearch": own}}
    store = jaeger.document(stack_config("staging", values))["extensions"]["jaeger_storage"]["backends"]["traces"]
    assert store["elasticsearch"]["auth"]["basic"]["password_file"].endswith(f"/{jaeger.SECRET}")
    assert store["elasticsearch"]["tls"]["ca_file"].endswith(f"/{jaeger.AUTHORITY}")
    assert set(jaeger.files(stack_config("staging", values))) == {jaeger.MAIN, jaeger.AUTHORITY}
    (one,) = [one for one in declared("staging", values) if one.name == "jaeger-server-container"]
    assert {mount["containerPath"] for mount in one.inputs["volumes"]} == {"/etc/jaeger"}


def test_grafana_links_traces_to_lines_and_series_and_lines_to_traces() -> None:
    found = {source.uid: source.options for source in data_sources(stack_config("staging", ON))}
    assert found["jaeger"]["tracesToLogsV2"]["datasourceUid"] == "loki"
    assert found["jaeger"]["tracesToMetrics"]["tags"] == [{"key": "system", "value": "system"}]
    assert found["prometheus"]["exemplarTraceIdDestinations"] == [{"name": "trace_id", "datasourceUid": "jaeger"}]
    assert [one["datasourceUid"] for one in found["loki"]["derivedFields"]] == ["jaeger", "loki", "loki"]


def test_with_tempo_no_jaeger_runs_and_spans_are_sent_there() -> None:
    values = {"traces": {"tempo": TEMPO}, "jaeger": {"enabled": False}}
    config = stack_config("staging", values)
    assert collector.stored(config) == TEMPO["otlp"]
    assert not config.runs("jaeger")
    found = {source.uid: source for source in data_sources(config)}
    assert found["tempo"].url == TEMPO["url"]
    assert found["tempo"].options["tracesToMetrics"]["tags"] == [{"key": "system", "value": "system"}]
    assert "jaeger" not in found


def test_without_a_store_spans_are_measured_and_not_sampled() -> None:
    found = document({**ON, "jaeger": {"enabled": False}})
    assert collector.STORE not in found["exporters"]
    assert "tail_sampling" not in found["processors"]
    assert "metrics/spans" in found["service"]["pipelines"]


def test_spans_are_scraped_by_the_labels_that_they_have() -> None:
    job = next(job for job in jobs(stack_config("staging", ON)) if job.name == traces.JOB)
    assert [target.address for target in job.targets] == [f"collector:{traces.MEASURED}"]
    assert job.extra["honor_labels"] is True


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"traces": {"grpcPort": 4318}}, ["traces.httpPort", "traces.grpcPort", "4318"]),
        ({"traces": {"httpPort": 3001}}, ["traces.httpPort", "grafana.port"]),
        ({**ON, "jaeger": {"port": 9090}}, ["jaeger.port", "prometheus.port"]),
        ({**ON, "collector": {"enabled": False}}, ["observability:traces", "collector"]),
        ({"traces": {"tempo": TEMPO}}, ["traces.tempo", "jaeger: {enabled: false}"]),
        ({"jaeger": {"enabled": True}}, ["jaeger.enabled", "traces: {}"]),
        ({"traces": {"browsers": {"origins": ["https://a.example.com"]}}}, ["traces.browsers", "edge"]),
        ({"traces": {"browsers": {"origins": ["https://a.example.com/path"]}}}, ["traces.browsers.origins"]),
        ({"traces": {"keep": "120%"}}, ["traces.keep", "10%"]),
        ({"traces": {"spansPerSecond": 0}}, ["traces.spansPerSecond"]),
        ({"systems": {"depot": {"traces": {"keep": 0.5}}}}, ["systems.depot.traces", "traces: {}"]),
        (
            {
                "traces": {"tempo": TEMPO},
                "jaeger": {"enabled": False},
                "grafana": {"dataSources": {"tempo": {"url": TEMPO["url"]}}},
            },
            ["grafana.dataSources.tempo", "traces.tempo"],
        ),
    ],
)
def test_settings_that_cannot_work_are_refused(values: dict[str, Any], words: list[str]) -> None:
    said = refused(values)
    assert not [word for word in words if word not in said], said


def test_a_secret_that_a_program_wrote_into_a_span_is_removed_before_it_is_stored() -> None:
    groups = document(ON)["processors"]["transform/spans"]["trace_statements"]
    texts = [statement for group in groups for statement in group["statements"]]
    assert texts[0].startswith("delete_matching_keys(span.attributes")
    for name in collector.TEXTS:
        assert any(f'span.attributes["{name}"]' in text for text in texts), name


def test_the_same_settings_give_the_same_files() -> None:
    def made() -> dict[str, str]:
        config: StackConfig = validate("dev", {**ON}, frozenset())
        return {**configuration.files(config), **jaeger.files(config)}

    assert made() == made()
