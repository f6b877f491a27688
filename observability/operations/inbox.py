"""A server to which Alertmanager can deliver while `obs verify` waits for its test alert.

It is a container on the stack's own network, so that it works with any Docker Engine and needs no port of the host.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import docker
from docker.models.containers import Container

from components.service import NOBODY, SECURITY_OPTIONS
from observability.alerting.alertmanager import INBOX_PORT
from observability.core import naming

# Handles one request after another: prints the body, then responds.
_ANSWER = (
    "length=0; while read -r line; do line=$(printf %s \"$line\" | tr -d '\\r'); "
    '[ -n "$line" ] || break; '
    "case $line in [Cc]ontent-[Ll]ength:*) length=${line#*: } ;; esac; done; "
    'head -c "$length" >&2; echo >&2; '
    "printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n'"
)


@contextmanager
def inbox(client: docker.DockerClient, stack: str, image: str) -> Iterator[Container]:
    """A container that prints what is posted to it; removed in any case."""
    name = naming.inbox(stack)
    _remove(client, name)
    container = client.containers.run(
        image,
        name=name,
        detach=True,
        entrypoint=["sh", "-c", 'while :; do nc -l -p "$1" -e sh -c "$2"; done', "inbox"],
        command=[str(INBOX_PORT), _ANSWER],
        user=NOBODY,
        read_only=True,
        cap_drop=["ALL"],
        security_opt=list(SECURITY_OPTIONS),
        mem_limit="32m",
        network=naming.network(stack),
        labels={naming.LABEL_STACK: stack, naming.LABEL_SERVICE: "inbox"},
    )
    try:
        yield container
    finally:
        _remove(client, name)


def wait_for(container: Container, text: str, seconds: float) -> float | None:
    """Seconds until the text was posted; None where it did not arrive in time."""
    start = time.monotonic()
    while (elapsed := time.monotonic() - start) < seconds:
        if text.encode() in container.logs(stdout=True, stderr=True):
            return elapsed
        time.sleep(0.2)
    return None


def _remove(client: docker.DockerClient, name: str) -> None:
    try:
        # The image declares a volume, which Docker creates for every container of it.
        client.containers.get(name).remove(force=True, v=True)
    except docker.errors.NotFound:
        return
