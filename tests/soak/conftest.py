"""The soak tests run on the stacks of the live tests, or on those of a second host."""

from tests.live.conftest import project, settled, spine, stack

__all__ = ["project", "settled", "spine", "stack"]
