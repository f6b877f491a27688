"""A secret as the program knows it: its name and its purpose, never its value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic.alias_generators import to_camel


@dataclass(frozen=True, kw_only=True)
class SecretSpec:
    """One secret: its description, and the environments in which it is required.

    A generated secret is created by `obs` before the first update that needs it, unless one is stored already. `part`
    is the part of the stack it belongs to; None: the whole stack.

    `together` makes a generated secret that is not a random text, along with those that belong to it, by name; each of
    these has `made_with`, its name. `due` says of a stored value that it must be generated anew, such as a certificate
    that expires.

    A rotation has both values accepted for a while. `previous` is the name of the secret that then has the value
    before, `next` that of the value to come, which is announced before it is used; both are `transient`: they exist
    during a rotation only. `not_rotated`: why this program cannot replace the value, and what to do instead.
    """

    description: str
    required_in: frozenset[str] = frozenset()
    generated: bool = False
    part: str | None = None
    together: Callable[[], Mapping[str, str]] | None = None
    due: Callable[[str], bool] | None = None
    made_with: str | None = None
    previous: str | None = None
    next: str | None = None
    transient: bool = False
    not_rotated: tuple[str, str] | None = None


def secret_name(*words: str) -> str:
    """Name of a secret from the names of the objects it belongs to: ("web-shop", "Password") is webShopPassword."""
    return to_camel("-".join(words).replace("-", "_"))
