"""The stack that the soak tests run on is the live tests' own."""

from tests.live.conftest import project, settled, stack

__all__ = ["project", "settled", "stack"]
