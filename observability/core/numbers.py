"""Numbers of a model are numbers in YAML: pydantic accepts true as 1, 1 as true, and 3 as the address 0.0.0.3."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Final

from pydantic_core import PydanticCustomError, PydanticKnownError, core_schema

Guard = Callable[[object], object]


def _no_boolean(error: Any) -> Guard:  # noqa: ANN401 - a name of pydantic's errors
    def check(value: object) -> object:
        # pydantic reads "1_000" as Python does.
        if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
            raise PydanticKnownError(error)
        return value

    return check


def _no_number(error: Any) -> Guard:  # noqa: ANN401 - as above
    def check(value: object) -> object:
        if isinstance(value, int | bytes):
            raise PydanticCustomError(error, "Input is not valid")
        return value

    return check


def _boolean(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise PydanticKnownError("bool_type")
    return value


_SCALARS: Final = {"int": _no_boolean("int_type"), "float": _no_boolean("float_type"), "bool": _boolean}
"""By the type of a schema, the validators that run before it."""

_ADDRESSES: Final = {IPv4Address: _no_number("ip_v4_address"), IPv4Network: _no_number("ip_v4_network")}
"""By the class that a schema returns."""

_GUARDS: Final = (*_SCALARS.values(), *_ADDRESSES.values())

_NO_SCHEMAS: Final = frozenset({"metadata", "serialization", "config", "cls"})


def guarded(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """The schema of a model that converts no booleans, numbers and addresses into one another, at any depth.

    Numbers are finite.
    """
    if isinstance(schema, list):
        return [guarded(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    if kind == "function-before" and schema["function"].get("function") in _GUARDS:
        return schema  # It is part of a nested section.
    if kind == "lax-or-strict" and "strict_schema" in schema:
        guard = _ADDRESSES.get(schema["strict_schema"].get("python_schema", {}).get("cls"))
        if guard:
            return core_schema.no_info_before_validator_function(guard, schema)
    inner = {key: one if key in _NO_SCHEMAS else guarded(one) for key, one in schema.items()}
    if isinstance(kind, str) and kind in _SCALARS:
        if kind == "float":
            inner["allow_inf_nan"] = False
        return core_schema.no_info_before_validator_function(_SCALARS[kind], inner)
    return inner
