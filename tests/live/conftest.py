"""The stack `live`, which watches the demo: a copy of the project with its own stack file, data folder and network."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.conftest import has_demo
from tests.live.project import Project as Project
from tests.live.project import in_use, up
from tests.waits import HANG_SECONDS as HANG_SECONDS
from tests.waits import until as until

if has_demo():
    from tests.live.settings import DEMO as DEMO
    from tests.live.settings import GATEWAY as GATEWAY
    from tests.live.settings import SETTINGS as SETTINGS
    from tests.live.settings import SPINE as SPINE
    from tests.live.settings import STACK as STACK

collect_ignore_glob = [] if has_demo() else ["*"]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The copy; whatever the stack left is removed at the end."""
    with in_use(tmp_path_factory.mktemp("live"), STACK, SETTINGS) as found:
        yield found


LAST: Final = "test_teardown"
"""The module that removes the stack."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the test that removes the stack after the others."""
    items.sort(key=lambda item: item.path.stem == LAST)


@pytest.fixture(scope="session")
def stack(project: Project) -> Project:
    """The project with its whole stack up."""
    return up(project, {})


@pytest.fixture
def settled(project: Project) -> Iterator[Project]:
    """The stack that is up, reset to its usual settings after the test."""
    yield project
    project.forget()
    up(project, project.usual)
