"""Rule cases of the reference systems, converted to this repository's, which have the same signals and limits."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Final

from observability.settings.load import ROOT
from tests.rules.harness import Case, Firing
from tests.rules.required import page

LIKE: Final[Mapping[str, str]] = {
    "academy": "alawael",
    "depot": "erpgo",
    "hospital": "neuroerp",
    "print-shop": "social-selling",
    "studio": "syncup",
}
"""The system of this repository by the reference system that has its series, signals, thresholds and waits."""

_NAME: Final = re.compile(rf"\b(?:{'|'.join(LIKE)})\b")


def renamed(text: str) -> str:
    """A text about reference systems, with the names of this repository's."""
    return _NAME.sub(lambda match: LIKE[match[0]], text)


def of_content(case: Case) -> Case:
    """The case with the series, rules and expected alerts of this repository's systems."""
    found: Case = _told(case)
    return replace(found, root=ROOT)


def _told(value: Any) -> Any:  # noqa: ANN401 - whatever a case holds
    if isinstance(value, str):
        return renamed(value)
    if isinstance(value, Mapping):
        return {_told(key): _told(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_told(one) for one in value)
    if isinstance(value, Firing):
        value = replace(value, labels={"page": page(value.alert, value.labels), **value.labels})
    if is_dataclass(value) and not isinstance(value, type):
        changed = {field.name: _told(getattr(value, field.name)) for field in fields(value)}
        return replace(value, **changed)
    assert isinstance(value, int | float | Path | None), value
    return value
