"""The stacks that the soak tests run on are the live tests' own."""

from tests.live.conftest import project, settled, spine, stack

__all__ = ["project", "settled", "spine", "stack"]
