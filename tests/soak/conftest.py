"""The soak tests run on the stacks of the live tests, or on those of a second host."""

import pytest

from tests.live.conftest import SPINE, Project, project, settled, stack
from tests.live.project import up

__all__ = ["project", "settled", "stack"]


@pytest.fixture(scope="session")
def spine(project: Project) -> Project:
    """The stack of the live tests with the parts up that every stack has."""
    return up(project, SPINE)
