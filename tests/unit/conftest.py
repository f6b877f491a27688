"""Stacks that the unit tests look at."""

from typing import Any

from config.load import ROOT, StackConfig, validate
from config.secrets import SECRETS
from rules import load
from synth.record import Declared, record

FULL: dict[str, Any] = {
    "exporters": [{"name": "rabbitmq", "image": "kbudde/rabbitmq-exporter:v1.0.0", "port": 9419, "command": ["-v"]}],
    "images": {"registry": "mirror.example.com/library"},
}
"""Settings that switch on whatever can be switched on."""


def stack_config(stack: str = "dev", values: dict[str, Any] | None = None) -> StackConfig:
    """A stack that has every secret."""
    return validate(stack, values or {}, frozenset(SECRETS))


def declared(stack: str = "dev", values: dict[str, Any] | None = None) -> list[Declared]:
    """Everything such a stack declares."""
    return record(stack_config(stack, values), load(ROOT / "rules"))
