"""The stack `spine`, of the parts that every stack has, where commands are quick."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.conftest import has_demo
from tests.live.project import Project as Project
from tests.live.project import in_use, up
from tests.waits import HANG_SECONDS as HANG_SECONDS
from tests.waits import until as until

if has_demo():
    from tests.spine.settings import ALERTMANAGER as ALERTMANAGER
    from tests.spine.settings import GATEWAY as GATEWAY
    from tests.spine.settings import SETTINGS as SETTINGS
    from tests.spine.settings import STACK as STACK

collect_ignore_glob = [] if has_demo() else ["*"]


@pytest.fixture(scope="package")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A copy of the project with the stack's file; whatever the stack left is removed after these tests."""
    with in_use(tmp_path_factory.mktemp("spine"), STACK, SETTINGS) as found:
        yield found


AFTER_ALL: Final = ("test_alert_test", "test_notifications")
"""Modules that leave alerts behind, in this order, after those that need a healthy stack."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the modules."""
    items.sort(key=lambda item: AFTER_ALL.index(item.path.stem) + 1 if item.path.stem in AFTER_ALL else 0)


@pytest.fixture(scope="package")
def started(project: Project) -> Project:
    """The project with its stack up; a test that changes it marks it as unsettled."""
    return up(project, {})


@pytest.fixture
def spine(started: Project) -> Project:
    """The stack with its usual settings, reset by `obs up` if an earlier test changed it."""
    return up(started, started.usual) if started.unsettled else started


@pytest.fixture
def changed(started: Project) -> Iterator[Project]:
    """The stack for a test that changes it and brings it up by itself, as an earlier one may have left it.

    Its settings and secrets are reset after the test, but the stack is only when a test needs it.
    """
    started.unsettled = True
    yield started
    started.forget()
    started.configure()
