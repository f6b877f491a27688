"""What a secret is to the program: a name and what it is for, never its value."""

from dataclasses import dataclass

from pydantic.alias_generators import to_camel


@dataclass(frozen=True, kw_only=True)
class SecretSpec:
    """One secret: what it is, and the environments in which it is required.

    A generated secret is created by `obs` before the first update that needs it, unless one was stored before. `part`
    is the part of the stack it belongs to; None: the whole stack.
    """

    description: str
    required_in: frozenset[str] = frozenset()
    generated: bool = False
    part: str | None = None


def secret_name(*words: str) -> str:
    """Name of a secret from the names of what it belongs to: ("web-shop", "Password") is webShopPassword."""
    return to_camel("-".join(words).replace("-", "_"))
