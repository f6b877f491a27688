"""Suggestions for a value that a field rejects.

The likely ones (the value in quotes, as a list, with a unit, without a scheme …) are validated against the field
itself, and the first that it accepts is suggested: so a suggested fix works.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import yaml
from pydantic import TypeAdapter, ValidationError

from observability.core.documents import Ambiguous

_SIZES: Final[Mapping[str, float]] = {"k": 1 / 1024, "m": 1, "g": 1024, "t": 1024 * 1024}
"""MiB per unit, by its first letter."""


def candidates(given: Any, *, renamed: bool = True) -> Iterator[Any]:  # noqa: ANN401 - any parsed value
    """Suggestions, most likely first; with `renamed` also a text in another form."""
    if isinstance(given, bool):
        yield "yes" if given else "no"
        yield [given]
    elif isinstance(given, int | float):
        if given in (0, 1):
            yield bool(given)
        yield str(given)
        yield f"{given:g}s"
        yield from _durations(f"{given:g}s")
        yield f"{given:g}GB"
        yield f"{given:g}%"
        yield int(given)
        yield [given]
        yield [str(given)]
    elif isinstance(given, str):
        yield from _of_text(given.strip())
        if renamed:
            yield from _other_forms(given.strip())
    elif isinstance(given, list):
        if len(given) == 1:
            yield given[0]
        if given and all(isinstance(one, dict) for one in given):
            yield {key: value for one in given for key, value in one.items()}
        if given and all(isinstance(one, str) and re.match(r"[\w-]+: ?\S", one) for one in given):
            yield dict(re.split(": ?", one, maxsplit=1) for one in given)
        if given and all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in given):
            yield {one["name"]: {key: value for key, value in one.items() if key != "name"} for one in given}
    elif isinstance(given, dict):
        if len(given) == 1:
            yield from (f"{key}:{value}" for key, value in given.items())
        yield [given]
        yield list(given)
    elif isinstance(given, Ambiguous):
        yield from _of_ambiguous(given)
    elif given is not None:
        yield str(given)


def _of_ambiguous(given: Ambiguous) -> Iterator[Any]:
    """The number as every reader reads it, then the text; hours and minutes are always text."""
    if ":" not in given.text and math.isfinite(given.value):
        if re.fullmatch(r"-?0[0-7]+", given.text):
            digits = given.text.lstrip("-").lstrip("0") or "0"
            yield -int(digits) if given.text.startswith("-") else int(digits)
        yield given.value
    yield given.text


def _of_text(text: str) -> Iterator[Any]:
    if text[:1] in ("{", "["):
        with suppress(ValueError):
            yield json.loads(text)
    if re.fullmatch(r"[\w-]+:\S.*", text):
        key, _, value = text.partition(":")
        yield {key: yaml.safe_load(value)}
    if text == "localhost":
        yield "127.0.0.1"
    yield text
    yield from _numbers(text)
    yield from _durations(text)
    bare = re.sub(r"^\w+://", "", text)
    host = bare.split("/")[0]
    port = {"https": 443, "http": 80}.get(text.partition("://")[0])
    yield from (bare, host, f"{host}:{port}" if port else "", f"{text}/", text.rstrip("/"))
    yield text.replace(" ", "")
    yield text.replace(";", ",")
    yield [part for part in re.split(r"[,\s]+", text) if part]
    yield [text]


def _other_forms(text: str) -> Iterator[str]:
    """The text with a prefix or suffix that a pattern requires, or without characters that a name cannot contain."""
    bare = re.sub(r"^\w+://", "", text)
    yield from (f"https://{bare}", f"http://{bare}", f"/{text}", f"#{text}", text.lstrip("#"), f"{text}%")
    yield text.lower()
    yield re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    yield re.sub(r"\W+", "_", text)


def _numbers(text: str) -> Iterator[Any]:
    """A number that is written with a comma, with a unit, or with digits in groups."""
    if size := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kKmMgGtT])i?[bB]?", text):
        yield int(float(size[1]) * _SIZES[size[2].lower()])
    if re.fullmatch(r"\d+,\d+\s*%?", text):
        yield text.replace(",", ".")
        yield float(text.replace(",", ".").rstrip("% "))
    if number := re.match(r"\d+(\.\d+)?", text):
        yield int(float(number[0])) if "." not in number[0] else float(number[0])
    for word in (("true", True), ("yes", True), ("on", True), ("false", False), ("no", False), ("off", False)):
        if text.lower() == word[0]:
            yield word[1]
    if share := re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:percent|per cent|pct)", text, re.IGNORECASE):
        yield f"{share[1]}%"


_WORDS: Final[Mapping[str, str]] = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m", "minute": "m", "minutes": "m",
    "hour": "h", "hours": "h", "hr": "h", "hrs": "h", "day": "d", "days": "d", "week": "w", "weeks": "w",
    "millisecond": "ms", "milliseconds": "ms", "msec": "ms", "s": "s", "m": "m", "h": "h", "d": "d", "w": "w",
    "ms": "ms", "": "s",
}  # fmt: skip
_LENGTHS: Final[Mapping[str, tuple[int, str]]] = {
    "s": (1000, "ms"),
    "m": (60, "s"),
    "h": (60, "m"),
    "d": (24, "h"),
    "w": (7, "d"),
}


def _durations(text: str) -> Iterator[str]:
    """A duration in words, with a space, in capital letters, or with a fraction."""
    match = re.fullmatch(r"(\d+)(?:[.,](\d+))?\s*([a-zA-Z]*)", text)
    unit = _WORDS.get(match[3].lower()) if match else None
    if match is None or unit is None:
        return
    if match[2] is None:
        yield f"{match[1]}{unit}"
    elif unit in _LENGTHS:
        factor, smaller = _LENGTHS[unit]
        whole = float(f"{match[1]}.{match[2]}") * factor
        if whole == int(whole):
            yield f"{int(whole)}{smaller}"


def first_that_fits(
    found: Iterable[Any],
    given: Any,  # noqa: ANN401 - any value
    annotation: Any,  # noqa: ANN401 - any type
    also: Callable[[Any], bool] = lambda _: True,
) -> Any:  # noqa: ANN401 - any value
    """The first candidate that a field of this type and this condition accept; None where there is none."""
    if annotation is None or annotation is Any:
        return None
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    except Exception:  # noqa: BLE001 - a type that cannot be validated alone: no guess
        return None
    for candidate in found:
        if candidate in ("", [], {}, None) or (candidate == given and type(candidate) is type(given)):
            continue
        with suppress(ValidationError):
            adapter.validate_python(candidate)
            if also(candidate):
                return candidate
    return None


def as_written(candidate: Any, given: Any) -> str:  # noqa: ANN401 - any value
    """The candidate as it is written in YAML; in quotes where the quotes are the fix."""
    if isinstance(candidate, str) and not isinstance(given, str) and candidate in (str(given), "yes", "no"):
        return json.dumps(candidate, ensure_ascii=False)
    return flow(candidate)


def flow(value: Any) -> str:  # noqa: ANN401 - any value
    """A value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...").strip()
