"""A secret as the program knows it: its name and its purpose, never its value."""

from dataclasses import dataclass

from pydantic.alias_generators import to_camel


@dataclass(frozen=True, kw_only=True)
class SecretSpec:
    """One secret: its description, and the environments in which it is required.

    A generated secret is created by `obs` before the first update that needs it, unless one is stored already. `part`
    is the part of the stack it belongs to; None: the whole stack.
    """

    description: str
    required_in: frozenset[str] = frozenset()
    generated: bool = False
    part: str | None = None


def secret_name(*words: str) -> str:
    """Name of a secret from the names of the objects it belongs to: ("web-shop", "Password") is webShopPassword."""
    return to_camel("-".join(words).replace("-", "_"))
