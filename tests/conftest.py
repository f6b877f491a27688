"""What each folder of tests needs, as a marker; tests without a marker run on a machine where nothing is built."""

import gc
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from observability.settings.load import read_stack_file

# Rules, dashboards and settings are many objects that live long: with Python's own 700, looking for garbage among them
# takes a fifth of the time of the tests of content (measured), and what is kept in memory is the same.
gc.set_threshold(100_000)

HERE: Final = Path(__file__).parent

NEEDS: Final = {
    "contract": "tools",
    "examples": "tools",
    "hosts": "tools",
    "mistakes": "tools",
    "receivers": "tools",
    "rules": "tools",
    "sabotage": "tools",
    "servers": "tools",
    "live": "live",
    "spine": "live",
    "soak": "live",
}
"""Marker of every test of a folder: `tools` needs Docker and the images, `live` also needs a running stack.

A folder that is not named needs neither.
"""


CONTENT: Final = "content"
"""The folder of tests of the repository's own content, which has folders of the same names as this one."""

STACKS: Final = ("live", "spine", "soak")
"""Folders of tests that start a stack which watches the same systems as the stack `dev`: the demo."""


def folder(path: Path) -> str:
    """The folder of tests that a file is in; empty for a file outside of them, such as in a user's project."""
    if not path.is_relative_to(HERE):
        return ""
    first, *others = path.relative_to(HERE).parts
    return others[0] if first == CONTENT else first


def has_demo() -> bool:
    """Whether the stack file `dev` enables the demo and places its systems, which a live stack watches."""
    config = read_stack_file("dev", HERE.parent).get("config") or {}
    if "demo:tenant" not in config:
        return False
    from demo.systems import FAULTS

    return set(FAULTS) <= set(config.get("observability:systems", {}))


collect_ignore = [] if has_demo() else [*STACKS]


WORKERS: Final = ("live", "spine", "contract", "hosts", "sabotage", "soak")
"""Folders whose tests share a stack or a host: each runs on one worker, the longest first."""


class Modules(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives each worker of pytest-xdist a module at a time, or all tests that share a stack."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        where = folder(HERE.parent / path)
        return where if where in WORKERS else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Modules:
    """Distribute tests by `Modules`, whatever --dist says."""
    return Modules(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with what its folder needs; order those first that keep a worker busy for long.

    Of the others, files whose tests mostly wait for servers alternate with those that compute.
    """
    for item in items:
        mark = NEEDS.get(folder(item.path))
        if mark:
            item.add_marker(mark)
    order = {name: place for place, name in enumerate(WORKERS)}
    others = list(dict.fromkeys(item.path for item in items if folder(item.path) not in order))
    waiting = [path for path in others if folder(path) == "servers"]
    computing = [path for path in others if path not in waiting]
    share = {path: place / len(group) for group in (waiting, computing) for place, path in enumerate(group)}
    items.sort(key=lambda item: (order.get(folder(item.path), len(order)), share.get(item.path, 0.0)))


LATER: Final = 10
"""By how much tests without a whole stack are nicer: those with one take longest, each on one worker."""


@pytest.fixture(scope="module", autouse=True)
def _priority(request: pytest.FixtureRequest) -> None:
    """Of several workers, those with a whole stack run first; who is not root cannot return to that."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, 0 if folder(request.path) in STACKS else LATER)


@pytest.fixture(scope="module", autouse=True)
def _nothing_built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests without a marker get no Docker, an empty cache and an empty Pulumi home, whatever the machine has."""
    if folder(request.path) in {"", *NEEDS}:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        empty = tmp_path_factory.mktemp("nothing")
        patch.setenv("DOCKER_HOST", f"unix://{empty}/docker.sock")
        patch.setenv("OBS_CACHE_DIR", str(empty / "cache"))
        patch.setenv("PULUMI_HOME", str(empty / "pulumi"))
        patch.setenv("DOCKER_CONFIG", str(empty / "docker"))
        yield
