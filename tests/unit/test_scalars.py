"""YAML scalars: values that are parsed differently than written, and what numbers, booleans and addresses accept."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from observability.core.documents import Ambiguous, load_yaml, parse_yaml
from observability.core.place import alternatives
from observability.core.section import Section
from observability.settings.model import settings_model
from observability.systems.model import System


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1_000", 1000),
        ("017", 15),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", 3),
        ("22:22", 1342),
        ("1:30.5", 90.5),
        ("+49", 49),
        ("1_000.5", 1000.5),
        (".inf", float("inf")),
        ("-.Inf", float("-inf")),
        ("00", 0),
    ],
)
def test_an_ambiguous_number_keeps_its_text(tmp_path: Path, text: str, value: float) -> None:
    (tmp_path / "a.yaml").write_text(f"a: {text}\n")
    found = parse_yaml(tmp_path / "a.yaml")["a"]
    assert found == Ambiguous(text=text, value=value)
    assert str(found) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-5", -5),
        ("1000", 1000),
        ("0.50", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1.5e+3", 1500.0),
        ("3.14e-2", 0.0314),
        ('"1_000"', "1_000"),
        ("'22:22'", "22:22"),
        ("!!int 5", 5),
        ("172.30.90.0", "172.30.90.0"),
        ("15s", "15s"),
        ("22:00-07:00", "22:00-07:00"),
        ("2026-11-29", date(2026, 11, 29)),
        ("yes", True),
    ],
)
def test_other_scalars_are_read_as_usual(tmp_path: Path, text: str, value: object) -> None:
    (tmp_path / "a.yaml").write_text(f"a: {text}\n")
    assert parse_yaml(tmp_path / "a.yaml")["a"] == value


def test_an_ambiguous_number_is_written_as_its_original_text() -> None:
    assert load_yaml(yaml.safe_dump({"a": Ambiguous(text="22:22", value=1342)})) == {"a": "22:22"}


# Models


def sections(above: type[Section] = Section) -> Iterator[type[Section]]:
    """Every section of settings, of system files and of parts."""
    for section in above.__subclasses__():
        yield section
        yield from sections(section)


def fields(*kinds: type) -> list[Any]:
    """Every field of a section that takes one of these types itself, and neither text nor booleans."""
    assert settings_model()
    assert issubclass(System, Section)

    def takes(info: FieldInfo) -> bool:
        known = set(alternatives(info.annotation))
        return bool(known & set(kinds)) and not known & ({str, bool} - set(kinds))

    found = {
        f"{section.__module__}.{section.__name__}.{name}": (section, info.alias or name)
        for section in sections()
        for name, info in section.model_fields.items()
        if takes(info) and section.__module__.startswith("observability.")
    }
    return [pytest.param(*one, id=name) for name, one in sorted(found.items())]


def refused(section: type[Section], name: str, value: object) -> bool:
    try:
        section.model_validate({name: value})
    except ValidationError as error:
        return any(one["loc"][0] == name for one in error.errors(include_url=False))
    return False


@pytest.mark.parametrize("value", [True, False, "1_0"])
@pytest.mark.parametrize(("section", "name"), fields(int, float))
def test_a_boolean_is_not_accepted_as_a_number(section: type[Section], name: str, value: object) -> None:
    assert refused(section, name, value)


@pytest.mark.parametrize("value", [1, 0, 1.0])
@pytest.mark.parametrize(("section", "name"), fields(bool))
def test_a_number_is_not_accepted_as_a_boolean(section: type[Section], name: str, value: object) -> None:
    assert refused(section, name, value)


def test_numbers_within_lists_mappings_and_unions_are_checked_too() -> None:
    class Inner(Section):
        port: int = 1

    class Outer(Section):
        listed: tuple[float, ...] = ()
        named: dict[str, list[int]] | None = None
        either: int | list[str] = 1
        inner: dict[str, Inner] | None = None

    right = {"listed": [1, 2.5], "named": {"a": [3]}, "either": 4, "inner": {"b": {"port": 5}}}
    assert Outer.model_validate(right).model_dump() == {**right, "listed": (1.0, 2.5)}
    for wrong in (
        {"listed": [1, True]},
        {"listed": [float("nan")]},
        {"named": {"a": [False]}},
        {"either": True},
        {"inner": {"b": {"port": True}}},
    ):
        assert refused(Outer, next(iter(wrong)), wrong[next(iter(wrong))]), wrong
