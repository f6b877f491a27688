"""What `obs preview` reports, from the steps of the real engine and each plugin."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_docker as docker
import pytest

from observability.operations.changes import Change, Changes, line, records
from observability.operations.differences import SECRET
from tests.contract.lab import Lab, Run

SHELL = ["sh", "-c", "trap 'exit 0' TERM INT; sleep 600 & wait"]

OPTIONS = pulumi.ResourceOptions(delete_before_replace=True, replace_on_changes=["healthcheck"])


def files(now: int) -> list[dict[str, str]]:
    """The files of the loader, before (0) and after (1), without their secrets."""
    rules = f"groups:\n- name: shop\n  rules:\n  - alert: QueueTooLong\n    expr: queue > 5\n    for: {5 + 5 * now}m\n"
    return [{"file": "/run/rules.yaml", "content": rules}, {"file": "/run/password", "content": SECRET}]


def declare(lab: Lab, image: str, now: int) -> None:
    """Declare the resources as they are before (0) or after (1)."""

    def container(role: str, **settings: Any) -> None:  # noqa: ANN401 - the container's own
        docker.Container(role, name=lab.name(role), image=image, entrypoints=SHELL, opts=OPTIONS, **settings)

    container("kept", memory=32 + 16 * now, memory_swap=32 + 16 * now)
    container(
        "settings",
        envs=[f"LEVEL={('info', 'debug')[now]}"],
        healthcheck={"tests": ["CMD", "true"], "interval": "1s", "retries": 3 + now},
    )
    contents = [one["content"] for one in files(now)]
    password = pulumi.Output.secret(f"the-password-{now}")
    container(
        "loader",
        uploads=[
            docker.ContainerUploadArgs(file="/run/rules.yaml", content=contents[0]),
            docker.ContainerUploadArgs(file="/run/password", content=password),
        ],
    )
    network = docker.Network("network", name=lab.name("network"), labels=[{"label": "version", "value": str(now)}])
    container("member", networks_advanced=[{"name": network.name}])
    container("stopped")


@dataclass
class Seen:
    """A preview of the changes, the output of `obs preview` for it, and the update that followed."""

    preview: Run
    changes: dict[str, Change]
    up: Run


@pytest.fixture(scope="module")
def seen(make_lab: Callable[[str], Lab], image: str) -> Seen:
    lab = make_lab("preview")
    first = lab.up(lambda: declare(lab, image, 0))
    assert not first.failed, first.output
    replace = [lab.urn("stopped")]
    preview = lab.preview(lambda: declare(lab, image, 1), replace=replace)
    known = Changes(
        again={"stopped": "it is exited, not running"},
        recorded=records(lab.deployment().get("resources") or ()),
        declared={"loader": files(1)},
        secrets=("the-password-1",),
    )
    steps = [step for step in preview.metadata if str(step.op.value) in ("create", "update", "replace", "delete")]
    found = {one.name: one for one in known.of(steps)}
    return Seen(preview, found, lab.up(lambda: declare(lab, image, 1), replace=replace))


def test_the_preview_shows_what_the_update_does(seen: Seen) -> None:
    assert not seen.preview.failed, seen.preview.output
    assert not seen.up.failed, seen.up.output
    assert seen.preview.changes == seen.up.changes
    assert {name: one.operation for name, one in seen.changes.items()} == seen.preview.changes


def test_a_limit_that_changes_in_place_is_named_with_its_values(seen: Seen) -> None:
    assert set(map(line, seen.changes["kept"].differences)) == {"memory: 32 → 48", "memorySwap: 32 → 48"}
    assert seen.changes["kept"].because == ()


def test_the_properties_that_require_a_replacement_are_named(seen: Seen) -> None:
    found = seen.changes["settings"]
    assert "envs.LEVEL: info → debug" in map(line, found.differences)
    assert "healthcheck.retries: 3 → 4" in map(line, found.differences)
    (reason,) = found.because
    assert reason.startswith("envs")
    assert "healthcheck" in reason
    assert reason.endswith("cannot change on an existing container")


def test_a_changed_file_next_to_a_secret_is_named_with_the_changed_rule(seen: Seen) -> None:
    assert [*map(line, seen.changes["loader"].differences)] == [
        "/run/rules.yaml: groups[shop].rules[QueueTooLong].for: 5m → 10m",
        "/run/password: differs, value not shown",
    ]
    assert "the-password" not in repr(seen.changes)


def test_a_container_replaced_with_its_network_has_that_reason(seen: Seen) -> None:
    assert seen.changes["member"].operation == "replace"
    assert "network" in " ".join(seen.changes["member"].because)


def test_a_container_that_is_recreated_has_its_reason(seen: Seen) -> None:
    assert seen.changes["stopped"].because == ("it is exited, not running",)
