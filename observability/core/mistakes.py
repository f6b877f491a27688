"""The problems of a document that a model refuses: each by its path, in terms of YAML, with a fix."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from ipaddress import IPv4Address, IPv4Network
from itertools import chain
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError
from pydantic_core import ErrorDetails

from observability.core.documents import Ambiguous, nearest
from observability.core.errors import ConfigError, together
from observability.core.guesses import as_written, candidates, first_that_fits, flow
from observability.core.place import Place, alternatives, annotated, places

_WHAT: Final[Mapping[str, str]] = {
    "int": "is no whole number",
    "float": "is no number",
    "bool": "is neither true nor false",
    "string": "is no text",
    "list": "is no list",
    "tuple": "is no list",
    "set": "is no list",
    "frozen_set": "is no list",
    "dict": "is no mapping",
    "mapping": "is no mapping",
    "model": "is no mapping",
    "decimal": "is no number",
    "date": "is no date like 2026-12-24",
    "time": "is no time like 08:00",
    "datetime": "is no time like 2026-12-24T08:00:00Z",
    "ip_v4_address": "is no IPv4 address",
    "ip_v4_network": "is no IPv4 network like 172.30.90.0/24",
    "ip_any_address": "is no IP address",
    "ip_any_network": "is no network like 172.30.90.0/24",
}
"""By the prefix of pydantic's error type: the expected kind of value."""

_LIMITS: Final[Mapping[str, tuple[str, str]]] = {
    "greater_than": ("must be above {gt}", "write a number above {gt}"),
    "greater_than_equal": ("must be {ge} at least", "write {ge} or more"),
    "less_than": ("must be below {lt}", "write a number below {lt}"),
    "less_than_equal": ("must be {le} at most", "write {le} or less"),
    "string_too_short": ("is empty", "write it, or take the key out"),
    "string_too_long": ("is longer than {max_length} characters", "shorten it to {max_length} characters"),
    "too_short": ("has too few entries: {min_length} at least", "add entries, or take the key out"),
    "finite_number": ("is no finite number", "write a finite number, or take the key out"),
    "too_long": ("has too many entries: {max_length} at most", "take entries out"),
}


_ADDRESSES: Final[Mapping[Any, str]] = {IPv4Address: "10.0.0.5", IPv4Network: "172.30.90.0/24"}
"""An example of an address, by its class."""


def explain(
    error: ValidationError,
    model: type[BaseModel],
    *,
    source: str,
    prefix: str = "",
    also: Collection[str] = (),
    document: object = None,
) -> ConfigError:
    """All problems of a document of this model, each by its path.

    `also` are more keys known at its top. With the document itself a fix is offered only where the whole model accepts
    it, without it where the type of the field does.
    """
    found = (_problem(one, model, prefix, also, document) for one in error.errors(include_url=False))
    problems = together((f"{source}: {what}", fix) for what, fix in found)
    assert problems is not None  # noqa: S101 - an error has at least one problem
    return problems


def _problem(
    problem: ErrorDetails, model: type[BaseModel], prefix: str, also: Collection[str], document: object
) -> tuple[str, str]:
    """The problem, beginning with the path, and its fix."""
    found = Place(model, problem["loc"], prefix)
    path = found.path(prefix)
    kind, given = problem["type"], problem["input"]
    if kind == "extra_forbidden":
        return f"{path}: unknown key", _elsewhere(found, model, prefix, also)
    if kind == "missing":
        return f"{path}: is missing", _missing(found)
    if kind == "invalid_key":
        return f"{path}: has the key {given!r}, which is no text", (
            "quote the key; or, as a comma begins the next key, write a number with a point: 0.5"
        )
    said, hint = _said(problem)
    if isinstance(given, Ambiguous):
        said, hint = f"is read as the number {given.value:.16g}", _hint_for(given.text, found.annotation)
    shown = _shown(given)
    what = f"{path}: {shown}: {said}" if shown else f"{path}: {said}"
    if given is None and kind != "value_error":
        return f"{path}: is empty", _empty(found)
    if found.is_key:
        if isinstance(given, Ambiguous):
            return what, f'quote it: "{given}": …'
        key = str(given)
        suitable = first_that_fits(candidates(key), key, found.annotation)
        return what, f"rename it to {suitable}" if suitable else hint or _form(found)
    likely = chain(candidates(given, renamed=kind != "value_error"), _wrapped(given, found.annotation))
    candidate = first_that_fits(likely, given, found.annotation, lambda one: _takes(model, document, found.parts, one))
    if candidate is not None:
        offered = as_written(candidate, given)
        if isinstance(given, Ambiguous) and isinstance(candidate, str):
            return what, f"quote it: {found.as_item}{offered}"
        return what, f"write it {found.as_item}{offered}" + _same_word(candidate, given)
    return what, _with_example(hint, found) if hint else _form(found)


def _hint_for(text: str, annotation: Any) -> str:  # noqa: ANN401 - a type
    """A field's error message for a text; empty where it accepts the text or has no further hint."""
    if annotation is None or annotation is Any:
        return ""
    try:
        TypeAdapter(annotation).validate_python(text)
    except ValidationError as error:
        return _said(error.errors(include_url=False)[0])[1]
    except PydanticSchemaGenerationError:
        return ""
    return ""


def _same_word(candidate: object, given: object) -> str:
    """A hint for a quoted value whose original notation YAML hides."""
    if isinstance(given, bool) and candidate in ("yes", "no"):
        return ", or with the word that stands there, in quotes"
    quoted = isinstance(given, float | date) and isinstance(candidate, str) and candidate == str(given)
    return ", in quotes as it stands there" if quoted else ""


def _wrapped(given: object, annotation: Any) -> Iterator[Mapping[str, object]]:  # noqa: ANN401 - a type
    """A list or a text as the value of the key it was meant for, where a section is expected."""
    if isinstance(given, str | list):
        for one in alternatives(annotation):
            if isinstance(one, type) and issubclass(one, BaseModel):
                yield from ({info.alias or name: given} for name, info in one.model_fields.items())


def _takes(model: type[BaseModel], document: object, parts: Sequence[int | str], candidate: object) -> bool:
    """Whether the model accepts the document with this value at this place; other problems are ignored."""
    if document is None:
        return True
    try:
        model.model_validate(_replaced(document, parts, candidate))
    except ValidationError as error:
        return not any(list(one["loc"][: len(parts)]) == list(parts) for one in error.errors(include_url=False))
    return True


def _replaced(document: Any, parts: Sequence[int | str], value: object) -> Any:  # noqa: ANN401 - any document
    """The document with another value at a place."""
    if not parts:
        return value
    first, *rest = parts
    if isinstance(document, list | tuple) and isinstance(first, int):
        return [_replaced(one, rest, value) if index == first else one for index, one in enumerate(document)]
    if isinstance(document, dict):
        return {key: _replaced(one, rest, value) if key == first else one for key, one in document.items()}
    return document


# The problem


def _said(problem: ErrorDetails) -> tuple[str, str]:
    """The problem of a value, and its hint."""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind in _LIMITS:
        what, fix = _LIMITS[kind]
        return what.format(**context), fix.format(**context)
    if kind == "value_error":
        what, _, hint = problem["msg"].removeprefix("Value error, ").partition("; ")
        return what, hint
    if kind in ("literal_error", "enum"):
        expected = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
        near = nearest(str(problem["input"]), expected.split(", "))
        return f"is none of {expected}", f"{near}write one of {expected}"
    if kind == "string_pattern_mismatch":
        return "has not the form that is wanted", ""
    start = next((name for name in sorted(_WHAT, key=len, reverse=True) if kind.startswith(name)), None)
    if start:
        return _WHAT[start], ""
    return problem["msg"].replace("Input should be", "must be"), ""


def _shown(given: object) -> str:
    """A value as it is quoted in a message; empty where it is long."""
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, str | int | float):
        return repr(given if not isinstance(given, str) or len(given) <= 80 else given[:77] + "...")
    return "" if given is None or isinstance(given, dict | list | BaseModel) else str(given)


# The fix


def _elsewhere(found: Place, model: type[BaseModel], prefix: str, also: Collection[str]) -> str:
    """Where an unknown key belongs: a similar name here, the same name elsewhere, or nowhere."""
    key = str(found.parts[-1])
    first, dot, rest = key.partition(".")
    known = [info.alias or name for name, info in found.section.model_fields.items()]
    if dot and first in known:
        return f"write it below {first}, indented: {rest}: …"
    near = nearest(key, [*known, *(also if found.section is model else ())])
    if not near:
        near = nearest(re.sub(r"[^a-z0-9]", "", key.lower()), [one.lower() for one in known])
        near = next((f"did you mean {one!r}? " for one in known if f"'{one.lower()}'" in near), "")
    if near:
        return near.strip()
    others = places(model, key)
    # A name that many sections have, like port, does not show where it was meant to be.
    moved = f"move it to {' or '.join(prefix + path for path in others)}, or " if 0 < len(others) < 3 else ""
    return f"{moved}remove it; known here: {', '.join(sorted(known))}"


def _example(found: Place) -> str:
    """The allowed values at a place, as YAML."""
    info = found.info
    if info is not None:
        if info.examples:
            return flow(info.examples[0])
        for one in alternatives(info.annotation):
            if get_origin(one) is Literal:
                return str(get_args(one)[0])
            if isinstance(one, type) and issubclass(one, BaseModel):
                return "{" + ", ".join(_required(one)) + "}"
        example = next(_examples(annotated(info)), None)
        if example is not None:
            return flow(example)
    return "…"


def _missing(found: Place) -> str:
    described = found.info.description.rstrip(".") if found.info and found.info.description else ""
    return f"add {found.key}: {_example(found)}" + (f"    ({described})" if described else "")


def _with_example(hint: str, found: Place) -> str:
    examples = found.info.examples if found.info is not None else None
    return f"{hint}, like {found.key}: {flow(examples[0])}" if examples and "like" not in hint else hint


def _required(section: type[BaseModel]) -> Iterator[str]:
    for name, info in section.model_fields.items():
        if info.is_required():
            yield f"{info.alias or name}: {flow(info.examples[0]) if info.examples else '…'}"


def _empty(found: Place) -> str:
    hash_sign = "; a # begins a comment, so quote a value that begins with one"
    default = (
        found.info.get_default(call_default_factory=True) if found.info and not found.info.is_required() else None
    )
    if isinstance(default, str | int | float) and not isinstance(default, bool):
        return f"write it {found.key}: {flow(default)}, or take the key out{hash_sign}"
    kinds = list(alternatives(found.annotation)) if found.annotation is not None else []
    if any((isinstance(one, type) and issubclass(one, BaseModel)) or get_origin(one) is dict for one in kinds):
        return f"write it {found.key}: {{}}, or indent what belongs to it further, or take the key out"
    if any(get_origin(one) in (tuple, list) for one in kinds):
        return f"write it {found.key}: [], or indent what belongs to it further, or take the key out"
    return f"write a value after {found.key}:, or take the key out{hash_sign}"


def _form(found: Place) -> str:
    """The expected value where no guess fits: an example, else a description of the field."""
    info = found.info
    if info is not None and info.examples:
        return f"write it like {found.key}: {flow(info.examples[0])}"
    example = next((one for one in _examples(found.annotation)), None)
    if example is not None:
        return f"write it like {flow(example)}"
    address = next((_ADDRESSES[one] for one in alternatives(found.annotation) if one in _ADDRESSES), None)
    if address is not None and (info is None or info.is_required()):
        return f"write it like {found.as_item}{address}"
    for one in alternatives(found.annotation) if found.annotation is not None else ():
        if isinstance(one, type) and issubclass(one, BaseModel):
            keys = [known.alias or name for name, known in one.model_fields.items()]
            return f"write a mapping of these keys: {', '.join(keys)}"
    if info is not None and not info.is_required():
        default = info.get_default(call_default_factory=True)
        if isinstance(default, IPv4Address | IPv4Network):
            default = str(default)
        if isinstance(default, str | int | float) and default != "":
            return f"write it like {found.key}: {flow(default)}"
    if any(get_origin(one) is dict for one in alternatives(found.annotation)):
        return f"write below {found.key}, indented, one `<name>: …` for each"
    described = info.description.rstrip(".") if info is not None and info.description else ""
    return f"write here: {described[:1].lower()}{described[1:]}" if described else "see the schema for what is wanted"


def _examples(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - a type
    if get_origin(annotation) is Annotated:
        for one in get_args(annotation)[1:]:
            yield from getattr(one, "examples", None) or ()
        yield from _examples(get_args(annotation)[0])
