"""A container that others depend on is replaced before them, and does not take along those that did not change.

So an edge accepts another credential before the agents have it: components/stack.py.
"""

from collections.abc import Callable
from typing import Final

import pulumi_docker as docker
from pulumi import ResourceOptions

from tests.contract.lab import Lab

SHELL: Final = ["sh", "-c", "trap 'exit 0' TERM INT; sleep 600 & wait"]


def declare(lab: Lab, image: str, version: int) -> None:
    """A server, and two containers that depend on it, of which one changes with it."""
    own = ResourceOptions(delete_before_replace=True)

    def container(role: str, changed: int, opts: ResourceOptions) -> docker.Container:
        return docker.Container(
            role,
            name=lab.name(role),
            image=image,
            entrypoints=SHELL,
            envs=[f"VERSION={changed}"],
            healthcheck=docker.ContainerHealthcheckArgs(tests=["CMD", "true"], interval="1s", retries=3),
            wait=True,
            opts=opts,
        )

    server = container("server", version, own)
    after = ResourceOptions.merge(own, ResourceOptions(depends_on=[server]))
    container("sender", version, after)
    container("unchanged", 1, after)


def test_what_others_depend_on_is_replaced_first_and_alone(make_lab: Callable[[str], Lab], image: str) -> None:
    lab = make_lab("order")
    first = lab.up(lambda: declare(lab, image, 1))
    assert not first.failed, first.output
    kept = lab.inspect("unchanged")["Id"]
    second = lab.up(lambda: declare(lab, image, 2))
    assert not second.failed, second.output
    assert second.changes == {"server": "replace", "sender": "replace"}
    names = [name for name, operation in second.steps if operation != "same"]
    assert max(index for index, name in enumerate(names) if name == "server") < names.index("sender")
    assert lab.inspect("unchanged")["Id"] == kept
    created = {role: lab.inspect(role)["Created"] for role in ("server", "sender")}
    assert created["server"] < created["sender"]
