"""The collector's docker_observer, in the pinned image, with a double of the Docker Engine.

Upstream's tests expect the same endpoints; so this test holds for the official image and for the one built here.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
import pytest
import yaml
from docker.models.containers import Container

from observability.parts.images import PINS
from observability.parts.otel_collector import OTEL
from tests.servers.engine import Engine, container, serving
from tests.tools import archive, run_tool
from tests.waits import until
from toolchain.assemble import LABEL as BUILT_HERE

WEB = {
    "Id": "b" * 64,
    "Name": "/web",
    "State": {"Running": True, "Paused": False},
    "Config": {
        "Hostname": "web-1",
        "Image": "mirror.example.com:5000/library/nginx:1.17",
        "Cmd": ["nginx", "-g", "daemon off;"],
        "Labels": {"obs.system": "shop"},
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
    },
    "NetworkSettings": {
        "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "53/udp": None},  # noqa: S104 - the Engine's answer
        "Networks": {"bridge": {"IPAddress": "172.17.0.2"}},
    },
}
"""A container with a port that is bound on the host, and one that is not."""

FIELDS = ("id", "endpoint", "name", "image", "tag", "port", "alternate_port", "command", "container_id", "host")
LABEL = '`"obs.system" in labels ? labels["obs.system"] : ""`'


def configuration(port: int, settings: dict[str, Any]) -> str:
    """Read the same file for every endpoint, and print its line with the endpoint's fields."""
    fields = {field: f"`{field}`" for field in (*FIELDS, "transport")} | {"label": LABEL}
    return yaml.safe_dump(
        {
            "extensions": {"docker_observer": {"endpoint": f"tcp://127.0.0.1:{port}", **settings}},
            "receivers": {
                "receiver_creator": {
                    "watch_observers": ["docker_observer"],
                    "receivers": {
                        "file_log": {
                            "rule": 'type == "container"',
                            "config": {"include": ["/given/line.txt"], "start_at": "beginning"},
                            "resource_attributes": {f"seen.{name}": value for name, value in fields.items()},
                        }
                    },
                }
            },
            "exporters": {"debug": {"verbosity": "detailed"}},
            "service": {
                "extensions": ["docker_observer"],
                "telemetry": {"metrics": {"level": "none"}},
                "pipelines": {"logs": {"receivers": ["receiver_creator"], "exporters": ["debug"]}},
            },
        }
    )


@contextmanager
def running(engine: Engine, **settings: Any) -> Iterator[Container]:  # noqa: ANN401 - any setting
    """The collector, which watches the engine."""
    with serving(engine, "127.0.0.1") as port:
        collector = docker.from_env().containers.create(
            PINS[OTEL.name], ["--config=/given/collector.yaml"], network_mode="host"
        )
        try:
            files = {"collector.yaml": configuration(port, settings), "line.txt": "a line\n"}
            collector.put_archive("/", archive(files))
            collector.start()
            yield collector
        finally:
            collector.remove(force=True, v=True)


def seen(collector: Container) -> dict[str, dict[str, str]]:
    """The fields of every endpoint whose line was read, by the endpoint's id."""
    found: dict[str, dict[str, str]] = {}
    for resource in collector.logs().decode().split("ResourceLog #")[1:]:
        fields = dict(re.findall(r"-> seen\.(\w+): Str\((.*)\)", resource))
        found[fields["id"]] = fields
    return found


def endpoints(engine: Engine, count: int, **settings: Any) -> dict[str, dict[str, str]]:  # noqa: ANN401 - any setting
    """The fields of that many endpoints."""
    with running(engine, **settings) as collector:
        until(lambda: len(seen(collector)) == count)
        return seen(collector)


@pytest.fixture
def engine() -> Engine:
    """One container with two ports and one without any."""
    found = Engine()
    found.start(json.loads(json.dumps(WEB)))
    found.start(container("a", "plain"))
    return found


def test_a_container_has_an_endpoint_for_each_exposed_port(engine: Engine) -> None:
    found = endpoints(engine, 2)
    assert found[f"{'b' * 64}:8080"] == {
        "id": f"{'b' * 64}:8080",
        "endpoint": "172.17.0.2:80",
        "name": "web",
        "image": "mirror.example.com:5000/library/nginx",
        "tag": "1.17",
        "port": "80",
        "alternate_port": "8080",
        "command": "nginx -g daemon off;",
        "container_id": "b" * 64,
        "host": "172.17.0.2",
        "transport": "TCP",
        "label": "shop",
    }
    assert found[f"{'b' * 64}:53"]["transport"] == "UDP"
    assert found[f"{'b' * 64}:53"]["alternate_port"] == "0"


def test_every_container_has_an_endpoint_without_a_port_where_all_are_included(engine: Engine) -> None:
    found = endpoints(engine, 4, include_all_containers=True, use_hostname_if_present=True)
    for identifier, host in (("a" * 64, "host-a"), ("b" * 64, "web-1")):
        fields = found[identifier]
        assert fields["endpoint"] == fields["host"] == host
        assert (fields["port"], fields["alternate_port"], fields["transport"]) == ("0", "0", "Unknown")
    assert found[f"{'b' * 64}:8080"]["endpoint"] == "web-1:80"


def test_a_port_is_reached_at_its_binding_on_the_host_where_so_configured(engine: Engine) -> None:
    found = endpoints(engine, 1, use_host_bindings=True, ignore_non_host_bindings=True)
    fields = found[f"{'b' * 64}:8080"]
    assert (fields["endpoint"], fields["port"], fields["alternate_port"]) == ("127.0.0.1:8080", "8080", "80")


def test_containers_of_excluded_images_have_no_endpoint(engine: Engine) -> None:
    found = endpoints(engine, 1, include_all_containers=True, excluded_images=["mirror.example.com*"])
    assert set(found) == {"a" * 64}


def test_a_later_container_is_found_also_after_the_stream_of_events_broke(engine: Engine) -> None:
    with running(engine, include_all_containers=True) as collector:
        until(lambda: len(seen(collector)) == 4)
        engine.start(container("c", "later"))
        until(lambda: "c" * 64 in seen(collector))
        engine.drop_streams()
        engine.start(container("d", "meanwhile"))
        until(lambda: "d" * 64 in seen(collector))
        engine.end("a" * 64)
        until(lambda: "stopping receiver" in collector.logs().decode())


def test_an_engine_of_an_older_api_is_asked_in_its_own_version() -> None:
    if BUILT_HERE not in docker.from_env().images.get(PINS[OTEL.name]).labels:
        pytest.skip("the official image refuses engines below API 1.44")
    engine = Engine("1.41")
    engine.start(container("a", "plain"))
    assert set(endpoints(engine, 1, include_all_containers=True)) == {"a" * 64}
    assert "/v1.41/events" in engine.asked


def test_a_setting_that_it_does_not_know_is_refused() -> None:
    files = {"c.yaml": configuration(2375, {"include_every_container": True})}
    result = run_tool(OTEL.name, ["/otelcol-contrib", "validate", "--config=c.yaml"], files)
    assert result.code != 0
    assert "include_every_container" in result.output


@pytest.mark.parametrize("values", [{"api_version": "1.24"}, {"timeout": "0s"}, {"cache_sync_interval": "0s"}])
def test_a_value_that_cannot_work_is_refused(values: dict[str, str]) -> None:
    command = ["/otelcol-contrib", "validate", "--config=c.yaml"]
    assert run_tool(OTEL.name, command, {"c.yaml": configuration(2375, {})}).code == 0
    result = run_tool(OTEL.name, command, {"c.yaml": configuration(2375, values)})
    assert result.code != 0
    assert next(iter(values)) in result.output
