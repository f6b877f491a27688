"""The second host of the tests is a host: reached over SSH and TLS, with an engine and an address of its own."""

import http.server
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from docker import DockerClient
from docker.errors import DockerException

from observability.parts.images import PINS
from tests.hosts.lab import TCP_PORT, Host
from tests.waits import until

IMAGE: Final = "alertmanager"
"""The pin of a small image with a shell and wget."""


@pytest.fixture(scope="module")
def image(host: Host) -> str:
    """An image with a shell and wget, on the second host."""
    host.load(PINS[IMAGE])
    return PINS[IMAGE]


@contextmanager
def _page(address: str) -> Iterator[str]:
    """A page that is served on an address of this machine."""
    server = http.server.ThreadingHTTPServer((address, 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{address}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def _responds(host: Host) -> bool:
    """Whether a connection to the engine of the second host is accepted."""
    try:
        socket.create_connection((host.address, TCP_PORT), timeout=3).close()
    except OSError:
        return False
    return True


def test_its_engine_answers_over_ssh(host: Host) -> None:
    command = ["docker", "--host", host.ssh, "info", "--format", "{{.ID}} {{.Name}}"]
    found = subprocess.run(command, env=os.environ | host.environment, capture_output=True, text=True, check=False)
    assert found.stdout.split() == [host.docker.info()["ID"], host.name], found.stderr


def test_its_engine_is_not_this_machines(host: Host) -> None:
    assert host.docker.info()["ID"] != host.local.info()["ID"]


def test_its_engine_refuses_a_client_without_a_certificate(host: Host) -> None:
    with pytest.raises(DockerException):
        DockerClient(base_url=host.tcp.replace("tcp://", "https://"), version="auto")


def test_its_containers_reach_this_machine_until_it_is_cut_off(host: Host, image: str) -> None:
    with _page(host.gateway) as url:
        command = ["timeout", "5", "wget", "-q", "-O", "/dev/null", url]
        container = host.docker.containers.run(image, ["600"], entrypoint="sleep", detach=True)
        try:
            assert container.exec_run(command).exit_code == 0
            assert container.id not in {one.id for one in host.local.containers.list(all=True, ignore_removed=True)}
            host.cut()
            assert str(container.id) in host.run("ls", "/var/lib/docker/containers")
            assert not _responds(host)
            host.join()
            until(lambda: _responds(host))
            assert container.exec_run(command).exit_code == 0
        finally:
            host.join()
            container.remove(force=True, v=True)


def test_usual_paths_of_docker_are_those_of_its_engine(host: Host, image: str) -> None:
    container = host.docker.containers.run(image, ["600"], entrypoint="sleep", detach=True)
    try:
        assert str(container.id) in host.run("ls", "/var/lib/docker/containers")
        assert str(container.short_id) in host.run("docker", "ps", "--quiet")
    finally:
        container.remove(force=True, v=True)
