"""docs/networks.md: each of its examples is run as written, with a real Prometheus that scrapes all of them."""

import io
import re
import tarfile
from collections.abc import Iterator
from typing import Any, Final

import docker
import pytest
from docker.models.containers import Container

from observability.core import http
from observability.core.documents import load_yaml
from observability.parts.images import PINS
from observability.scrape import labelled
from observability.scrape.prometheus import files
from observability.settings.load import ROOT
from tests import networks
from tests.unit.conftest import stack_config
from tests.unit.metrics_server import serving
from tests.waits import until

NAME: Final = "obs-networks-test"
GATEWAY: Final = networks.gateway("networks")
PORT: Final = 19150
"""Published on loopback, as the stack publishes Prometheus'."""
SYSTEM: Final = "depot"
"""The system of the reference project in the place of the page's."""
PAGE: Final = (ROOT / "docs/networks.md").read_text(encoding="utf-8").replace("172.30.90.", GATEWAY.removesuffix("1"))


def blocks(title: str) -> list[dict[str, Any]]:
    """The parsed YAML of the page whose first line is this comment."""
    found = re.findall(rf"```yaml\n# {re.escape(title)}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return [load_yaml(text) for text in found]


def settings() -> dict[str, Any]:
    """The settings of all examples together."""
    documents = blocks("Pulumi.prod.yaml")
    static = [one["observability:systems"]["shop"]["instances"]["static"] for one in documents]
    hosts = [one["observability:network"]["hosts"] for one in documents if "observability:network" in one]
    return {
        "network": {
            "subnet": networks.subnet("networks"),
            "hosts": {name: ip for one in hosts for name, ip in one.items()},
        },
        "systems": {SYSTEM: {"instances": {"static": [address for one in static for address in one]}}},
    }


def archive(path: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(path)
        entry.size, entry.mode = len(text.encode()), 0o644
        tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def applications() -> Iterator[dict[str, Container]]:
    """Prometheus on a network like the stack's, and the applications of the page, by service."""
    client = docker.from_env()
    with networks.bridge(client, NAME, "networks") as network:
        found = {service: _started(client, service, one) for service, one in _services()}
        config = stack_config("dev", settings())
        text = files(config, {})["prometheus.yaml"]
        prometheus = client.containers.create(
            PINS["prometheus"],
            ["--config.file=/prometheus/prometheus.yaml", "--storage.tsdb.path=/prometheus"],
            name=NAME,
            extra_hosts={name: str(address) for name, address in config.settings.network.hosts.items()},
            ports={"9090/tcp": ("127.0.0.1", PORT)},
        )
        client.networks.get("bridge").disconnect(prometheus)
        network.connect(prometheus, aliases=["prometheus"])
        prometheus.put_archive("/prometheus", archive("prometheus.yaml", text))
        prometheus.start()
        yield found


def _services() -> Iterator[tuple[str, dict[str, Any]]]:
    for compose in blocks("compose.yaml"):
        for service, one in compose["services"].items():
            names = [compose["networks"][name]["name"] for name in one.get("networks", []) if name != "default"]
            yield service, {**one, "networks": names}


def _started(client: docker.DockerClient, service: str, one: dict[str, Any]) -> Container:
    """A service as Compose starts it: on a network of its project, with its ports, and on the networks it names."""
    project = client.networks.create(f"{NAME}-{service}", driver="bridge")
    ports = {}
    for published in one.get("ports", []):
        address, outside, inside = published.split(":")
        ports[f"{inside}/tcp"] = (address, int(outside))
    # Any server with metrics, a shell and wget.
    command = ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]
    command += ["--web.listen-address=:8080", "--cluster.listen-address="]
    container = client.containers.create(PINS["alertmanager"], command, name=f"{NAME}-{service}", ports=ports)
    client.networks.get("bridge").disconnect(container)
    project.connect(container, aliases=[service])
    for name in one["networks"]:
        assert name == "obs-prod"
        client.networks.get(NAME).connect(container, aliases=[service])
    container.start()
    return container


def targets() -> dict[str, dict[str, Any]]:
    """The system's targets by instance."""
    answer = http.get(f"http://127.0.0.1:{PORT}/api/v1/targets", timeout=10).raise_for_status()
    found = answer.json()["data"]["activeTargets"]
    return {one["labels"]["instance"]: one for one in found if one["labels"].get("system") == SYSTEM}


def test_prometheus_scrapes_every_application_of_the_page(applications: dict[str, Container]) -> None:
    assert set(applications) == {"shop", "cart", "orders"}
    wanted = set(settings()["systems"][SYSTEM]["instances"]["static"])
    with serving("up_to_date 1\n", listens=(GATEWAY, 8081)):
        until(lambda: {name for name, one in targets().items() if one["health"] == "up"} == wanted)
    assert len(wanted) == 4


def test_the_labels_of_the_page_make_its_container_an_instance(applications: dict[str, Container]) -> None:
    (labels,) = (one["labels"] for service, one in _services() if service == "orders")
    container = applications["orders"]
    container.reload()
    # The container itself has no labels: another stack on this machine would miss it later.
    shown = {**container.attrs, "Config": {**container.attrs["Config"], "Labels": labels}}
    found = labelled.labelled(stack_config("dev", settings()), shown)
    assert found == labelled.Labelled(name=f"{NAME}-orders", instance=f"{NAME}-orders:8080")


def test_an_application_on_the_stacks_network_reaches_the_stack_by_name(applications: dict[str, Container]) -> None:
    until(lambda: _asked(applications["cart"], "http://prometheus:9090/-/ready") == 0)
    assert _asked(applications["shop"], "http://prometheus:9090/-/ready") == 1


def _asked(container: Container, url: str) -> int:
    """Exit code of wget in a container: 1 where it does not reach the address."""
    found = container.exec_run(["sh", "-c", f"wget -q -O /dev/null {url}"]).exit_code
    assert found is not None
    return found


def test_a_process_of_the_host_reaches_the_stack_on_loopback(applications: dict[str, Container]) -> None:
    del applications
    until(lambda: http.get(f"http://127.0.0.1:{PORT}/-/ready", timeout=10).status_code == 200)


def test_a_port_on_loopback_is_not_reached_from_the_stacks_network(applications: dict[str, Container]) -> None:
    assert _asked(applications["cart"], f"http://{GATEWAY}:{PORT}/-/ready") == 1
