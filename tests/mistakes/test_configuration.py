"""Mistakes in the servers' configuration: targets, routes, images, secrets, ports, Loki's store."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from observability.alerting import alertmanager
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.core.types import ImageRef
from observability.logs import loki
from observability.parts.images import PINS
from observability.scrape import prometheus
from observability.synth.declared import CONTAINER
from observability.synth.record import HIDDEN
from tests.tools import run_tool
from tests.unit.conftest import FULL, declared, stack_config

OWN_PROTOCOL: Final = {"27017": "MongoDB", "6379": "Redis", "5432": "PostgreSQL", "9300": "Elasticsearch"}
"""Ports on which servers use their own protocol, not Prometheus'."""

LOOPBACK: Final = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?")

every_stack = pytest.mark.parametrize("stack", ["dev", "staging", "prod"])


def targets(scrape_configs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every address that Prometheus itself scrapes."""
    return [target for job in scrape_configs for group in job.get("static_configs", ()) for target in group["targets"]]


def scraped(stack: str) -> list[str]:
    document = load_yaml(prometheus.files(stack_config(stack, FULL), {})["prometheus.yaml"])
    found = targets(document["scrape_configs"])
    assert len(found) > 10
    return found


def not_for_prometheus(addresses: Iterable[str]) -> list[str]:
    return [address for address in addresses if address.rpartition(":")[2] in OWN_PROTOCOL]


@every_stack
def test_databases_and_caches_are_read_through_their_exporters(stack: str) -> None:
    original = [
        {"job_name": "mongodb", "static_configs": [{"targets": ["mongodb:27017"]}]},
        {"job_name": "redis", "static_configs": [{"targets": ["redis:6379"]}]},
    ]
    assert not_for_prometheus(targets(original)) == ["mongodb:27017", "redis:6379"]
    assert not_for_prometheus(scraped(stack)) == []


def on_loopback(addresses: Iterable[str]) -> list[str]:
    return [address for address in addresses if LOOPBACK.fullmatch(address)]


@every_stack
def test_the_engines_metrics_are_read_at_its_address_and_never_at_localhost(stack: str) -> None:
    original = [{"job_name": "docker", "static_configs": [{"targets": ["localhost:9323"]}]}]
    assert on_loopback(targets(original)) == ["localhost:9323"]
    assert on_loopback(scraped(stack)) == []
    assert FULL["docker"]["metricsAddress"] in scraped(stack)
    plain = load_yaml(prometheus.files(stack_config(stack), {})["prometheus.yaml"])
    assert [address for address in targets(plain["scrape_configs"]) if address.endswith(":9323")] == []
    with pytest.raises(ConfigError):
        stack_config(stack, {"docker": {"metricsAddress": "localhost:9323"}})


def branches(route: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every route below the root: all conditions on the path to it, and its receiver."""
    for branch in route.get("routes", ()):
        conditions = (*above, *branch.get("matchers", ()))
        yield conditions, branch.get("receiver", route["receiver"])
        yield from branches({"receiver": route["receiver"], **branch}, conditions)


def labels_of(conditions: Iterable[str]) -> dict[str, str]:
    """Labels that meet the conditions; a label that must be absent is omitted."""
    found: dict[str, str] = {}
    for condition in conditions:
        match = re.fullmatch(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"?([^"]*)"?\s*', condition)
        assert match, condition
        if match[2].startswith("!"):
            continue
        found[match[1]] = match[3].strip("()").split("|")[0] if match[2] == "=~" else match[3]
    return {name: value for name, value in found.items() if value}


def unheard(document: Mapping[str, Any]) -> list[str]:
    """Receivers that are not notified of an alert that their own route selects, at some severity; by amtool."""
    asked: list[tuple[str, str]] = []
    for conditions, receiver in branches(document["route"]):
        if not conditions:
            # The route for the remaining alerts has no condition.
            continue
        labels = labels_of(conditions)
        for severity in [labels["severity"]] if "severity" in labels else ["critical", "warning"]:
            words = " ".join(f"{name}={value}" for name, value in {**labels, "severity": severity}.items())
            asked.append((receiver, words))
    script = "\n".join(f"amtool config routes test --config.file=c.yaml {words} || exit 1" for _, words in asked)
    result = run_tool("alertmanager", ["sh", "-c", script], {"c.yaml": yaml.safe_dump(document)})
    assert result.code == 0, result.output
    answers = result.output.strip().splitlines()
    assert len(answers) == len(asked)
    return [
        f"{receiver}: {words}"
        for (receiver, words), answer in zip(asked, answers, strict=True)
        if receiver not in answer.split(",")
    ]


def test_a_team_receives_its_alerts_independently_of_the_severity_routes() -> None:
    original = {
        "route": {
            "receiver": "default",
            "routes": [
                {"receiver": "critical", "matchers": ['severity="critical"']},
                {"receiver": "warning", "matchers": ['severity="warning"']},
                {"receiver": "database-team", "matchers": ['component="database"']},
            ],
        },
        "receivers": [{"name": name} for name in ("default", "critical", "warning", "database-team")],
    }
    assert unheard(original) == [
        "database-team: component=database severity=critical",
        "database-team: component=database severity=warning",
    ]
    for stack in ("dev", "prod"):
        document = load_yaml(alertmanager.files(stack_config(stack, FULL))["alertmanager.yaml"])
        assert document["route"]["routes"]
        assert unheard(document) == []


def outdated(document: object) -> list[str]:
    """Keys of routes and inhibitions that Alertmanager replaced by `matchers`."""
    if isinstance(document, list):
        return [key for one in document for key in outdated(one)]
    if not isinstance(document, Mapping):
        return []
    own = [key for key in document if re.fullmatch(r"((source|target)_)?match(_re)?", key)]
    return own + [key for value in document.values() for key in outdated(value)]


def exposed(containers: Iterable[Mapping[str, Any]]) -> list[str]:
    """Published ports that are not on the loopback address."""
    ports = (port for inputs in containers for port in inputs.get("ports") or ())
    return [f"{port.get('ip')}:{port['external']}" for port in ports if not LOOPBACK.fullmatch(str(port.get("ip")))]


def told(containers: Iterable[Mapping[str, Any]]) -> list[str]:
    """Environment variables that hold a secret, or a well-known password."""
    found = (env for inputs in containers for env in inputs.get("envs") or ())
    known = re.compile(r"\w*(PASSWORD|SECRET|TOKEN|API_KEY)=.+")
    return [env for env in found if HIDDEN in env or known.fullmatch(env)]


def floating(containers: Iterable[Mapping[str, Any]]) -> list[str]:
    """Images with a tag that moves."""
    images = [str(inputs["image"]) for inputs in containers]
    return [image for image in images if ":" not in image.rpartition("/")[2] or image.endswith(":latest")]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_images_are_pinned_secrets_are_files_and_ports_are_closed(stack: str) -> None:
    original = [
        {
            "image": "grafana/grafana:latest",
            "envs": ["GF_SECURITY_ADMIN_PASSWORD=admin", f"DATABASE_URL={HIDDEN}"],
            "ports": [{"internal": 3000, "external": 3001, "ip": "0.0.0.0"}, {"internal": 80, "external": 80}],  # noqa: S104
        }
    ]
    assert floating(original) == ["grafana/grafana:latest"]
    assert len(told(original)) == 2
    assert exposed(original) == ["0.0.0.0:3001", "None:80"]
    ours = [one.inputs for one in declared(stack, FULL) if one.type == CONTAINER]
    assert len(ours) > 10
    # Those of the edge, which is TLS with a credential for each host, of syslog, whose address the settings state, and
    # of spans and of the Datadog agent, on the gateway of each host's network, which no other host reaches.
    assert (floating(ours), told(ours)) == ([], [])
    spans = {f"172.30.{network}.1:{port}" for network in (90, 91, 92) for port in (4317, 4318)}
    assert set(exposed(ours)) == {"192.0.2.1:5515", "172.30.90.1:8126", "0.0.0.0:8443"} | spans
    assert floating({"image": image} for image in PINS.values()) == []
    with pytest.raises(ValidationError, match="latest"):
        TypeAdapter(ImageRef).validate_python("grafana/grafana:latest")


def test_routes_are_written_with_matchers() -> None:
    original = {"route": {"receiver": "a", "routes": [{"match": {"severity": "critical"}, "receiver": "b"}]}}
    assert outdated(original) == ["match"]
    for stack in ("dev", "prod"):
        assert outdated(load_yaml(alertmanager.files(stack_config(stack, FULL))["alertmanager.yaml"])) == []


def test_loki_uses_a_store_and_schema_that_it_supports() -> None:
    command = ["/usr/bin/loki", "-verify-config", "-config.file=loki.yaml"]
    ours = load_yaml(loki.files(stack_config("dev", FULL))["loki.yaml"])
    (schema,) = ours["schema_config"]["configs"]
    assert (schema["store"], schema["schema"]) == ("tsdb", "v13")
    assert run_tool("loki", command, {"loki.yaml": yaml.safe_dump(ours)}).code == 0
    for change in (
        {"limits_config": {**ours["limits_config"], "enforce_metric_name": False}},
        {"schema_config": {"configs": [{**schema, "store": "boltdb-shipper", "schema": "v11"}]}},
    ):
        result = run_tool("loki", command, {"loki.yaml": yaml.safe_dump({**ours, **change})})
        assert result.code != 0, change
