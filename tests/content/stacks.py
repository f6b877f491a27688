"""The stacks that this repository's own files describe."""

from typing import Any

from observability.settings.load import ROOT, StackConfig
from tests.unit import conftest


def stack_config(stack: str = "dev", values: dict[str, Any] | None = None) -> StackConfig:
    """A stack of this repository that has every secret, with settings that override its file's settings of systems."""
    return conftest.stack_config(stack, values, ROOT)
