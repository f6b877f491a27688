"""The stacks that this repository's own files describe."""

from typing import Any

from observability.core.naming import PROJECT
from observability.settings.load import ROOT, StackConfig, read_stack_file
from tests.unit import conftest


def stack_config(stack: str = "dev", values: dict[str, Any] | None = None) -> StackConfig:
    """A stack of this repository with every secret, and settings over those of systems and traces in its file."""
    config = read_stack_file(stack, ROOT)["config"]
    own = {"traces": config[f"{PROJECT}:traces"]} if f"{PROJECT}:traces" in config else {}
    return conftest.stack_config(stack, {**own, **(values or {})}, ROOT)
