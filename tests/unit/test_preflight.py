"""What `up` refuses before anything is changed."""

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from observability.core.errors import ConfigError
from observability.operations import preflight
from observability.synth.declared import CONTAINER, Declared
from tests.unit.conftest import declared, stack_config


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of this machine that is in use."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def client(*containers: Any) -> Any:  # noqa: ANN401 - stands in for Docker's client
    """Docker with these containers of the stack running."""
    other = SimpleNamespace(name="other", attrs={"IPAM": {"Config": [{"Subnet": "172.30.120.0/22"}]}})
    return SimpleNamespace(
        containers=SimpleNamespace(list=lambda **_: list(containers)),
        networks=SimpleNamespace(list=lambda: [other]),
    )


IN_USE = 41_090
"""The one port of the machine that is in use, as far as these tests know: any other may be by chance."""


def check(values: dict[str, Any], *running: Any) -> None:  # noqa: ANN401
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preflight, "_is_free", lambda _, port, __: port != IN_USE)
        preflight.check(stack_config("dev", values), declared("dev", values), client(*running))


def test_a_port_on_which_a_server_listens_is_not_free(taken: int) -> None:
    assert not preflight._is_free("127.0.0.1", taken, "tcp")


def test_a_port_in_use_is_refused_with_its_setting() -> None:
    with pytest.raises(ConfigError) as caught:
        check({"prometheus": {"port": IN_USE}})
    assert f"port {IN_USE} of 127.0.0.1, wanted by prometheus, is already taken" in caught.value.what
    assert "observability:prometheus.port" in caught.value.fix


def test_a_port_that_the_stack_itself_uses_is_accepted() -> None:
    own = SimpleNamespace(
        attrs={
            "HostConfig": {"PortBindings": {"9090/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(IN_USE)}]}},
            "Args": [],
        }
    )
    check({"prometheus": {"port": IN_USE}}, own)


def test_two_containers_with_the_same_name_are_refused() -> None:
    twin = Declared(type=CONTAINER, name="twin", parent=None, inputs={"name": "obs-dev-prometheus"})
    with pytest.raises(ConfigError, match="one container name"):
        preflight.check(stack_config(), [*declared(), twin], client())


def test_an_engine_that_does_not_respond_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(ConfigError) as caught:
        preflight.connect()
    assert "Docker at tcp://127.0.0.1:1 does not answer" in caught.value.what


def test_a_subnet_that_overlaps_another_network_is_refused_with_its_name() -> None:
    with pytest.raises(ConfigError) as caught:
        check({"network": {"subnet": "172.30.121.0/24"}})
    assert "172.30.121.0/24 overlaps 172.30.120.0/22 of the Docker network other" in caught.value.what
    assert "observability:network.subnet" in caught.value.fix
