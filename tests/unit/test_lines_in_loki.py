"""Which containers must have lines in Loki, by what the Engine answers about each."""

from types import SimpleNamespace
from typing import Any

import docker
import pytest
import requests
from docker.errors import APIError

from observability.operations import parts
from tests.unit.conftest import stack_config


def answer(status: int) -> APIError:
    response = requests.Response()
    response.status_code = status
    return APIError("refused", response)


def container(name: str, said: bytes | APIError) -> Any:  # noqa: ANN401 - in place of Docker's
    def logs(**_: int) -> bytes:
        if isinstance(said, APIError):
            raise said
        return said

    attributes = {"HostConfig": {"LogConfig": {"Type": parts.DRIVER}}}
    return SimpleNamespace(name=name, labels={}, attrs=attributes, logs=logs)


def rows(*containers: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401
    client: Any = SimpleNamespace(containers=SimpleNamespace(list=lambda **_: containers))
    engine: docker.DockerClient = client
    found = parts.lines(stack_config(), engine, lambda *_, **__: {"data": ["shop"]}, lambda check: check())
    return [(what, verdict, detail) for what, verdict, detail in found]


@pytest.mark.parametrize("status", [404, 409], ids=["removed", "being removed"])
def test_a_container_that_is_gone_since_it_was_listed_is_left_out(status: int) -> None:
    assert rows(container("shop", b"x"), container("gone", answer(status))) == [
        ("lines in Loki", "passed", "of 1 containers")
    ]


def test_another_error_of_the_engine_is_not_ignored() -> None:
    with pytest.raises(APIError):
        rows(container("shop", answer(500)))


def test_a_container_whose_lines_are_not_there_is_named() -> None:
    assert rows(container("shop", b"x"), container("till", b"x")) == [("lines in Loki", "failed", "none of till")]
