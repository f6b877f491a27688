"""Where in a model a value is, by the path that a person reads in YAML."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


class Place:
    """Where in a model a problem is: the section, the field, and the required type of the value."""

    def __init__(self, model: type[BaseModel], loc: tuple[int | str, ...], prefix: str = "") -> None:
        self.prefix = prefix
        self.section: type[BaseModel] = model
        self.info: FieldInfo | None = None
        self.annotation: Any = model
        self.parts: list[int | str] = []
        self.is_key = bool(loc) and loc[-1] == "[key]"
        self.unknown = False
        for part in loc[:-1] if self.is_key else loc:
            self._step(part)
        if self.is_key:
            self.annotation = _key_of(self.annotation_of_parent)

    def _step(self, part: int | str) -> None:
        self.annotation_of_parent = self.annotation
        for one in alternatives(self.annotation):
            inner = get_args(one)
            if isinstance(one, type) and issubclass(one, BaseModel):
                match = next((f for name, f in one.model_fields.items() if part in (f.alias, name)), None)
                if match is not None:
                    self.section, self.info = one, match
                    self.annotation = annotated(match)
                    self.parts.append(part)
                    return
            elif get_origin(one) in (dict, Mapping) or (get_origin(one) or one) is dict:
                self.annotation = inner[1] if len(inner) > 1 else Any
                self.info = None
                self.parts.append(part)
                return
            elif isinstance(part, int) and get_origin(one) in (tuple, list, set, frozenset):
                self.annotation = inner[0] if inner else Any
                self.info = None
                self.parts.append(part)
                return
        models = [one for one in alternatives(self.annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
        if models and isinstance(part, str) and not re.search(r"[\[\](){}]|^(str|int|float|bool|function)", part):
            # A key that the section does not have.
            self.section, self.info, self.annotation, self.unknown = models[0], None, None, True
            self.parts.append(part)
        # Anything else names an alternative of a union, which is not part of the document.

    def path(self, prefix: str) -> str:
        """The path in YAML: section.key[0].key, after the prefix."""
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.parts)
        return (prefix + text.lstrip(".")).rstrip(":.") if prefix else text.lstrip(".")

    @property
    def as_item(self) -> str:
        """The text before a value at this place: its key; empty for an item of a list."""
        return "" if self.parts and isinstance(self.parts[-1], int) else f"{self.key}: "

    @property
    def key(self) -> str:
        """The key in YAML; for an item, that of its list."""
        names = [part for part in self.parts if isinstance(part, str)]
        if not names:
            return "it"
        return f"{self.prefix}{names[0]}" if len(names) == 1 and self.prefix.endswith(":") else names[-1]


def annotated(info: FieldInfo) -> Any:  # noqa: ANN401 - a type
    """The type of a field with its annotations."""
    return Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation


def alternatives(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - a type
    """The types of a union, or the type itself, without annotations."""
    if get_origin(annotation) is Annotated:
        yield from alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in (dict, tuple, list, set, frozenset, Literal) or not get_args(annotation):
        yield annotation
    else:
        for one in get_args(annotation):
            yield from alternatives(one)


def _key_of(annotation: Any) -> Any:  # noqa: ANN401 - a type
    for one in alternatives(annotation):
        if (get_origin(one) or one) is dict and get_args(one):
            return get_args(one)[0]
    return str


def places(model: type[BaseModel], key: str) -> list[str]:
    """Every path at which a document of the model may have a key of this name."""
    return list(_paths(model, key))


def _paths(model: type[BaseModel], key: str, above: str = "", seen: tuple[type, ...] = ()) -> Iterator[str]:
    """Every path at which a model has a key of this name."""
    if model in seen:
        return
    for name, info in model.model_fields.items():
        path = f"{above}.{info.alias or name}".lstrip(".")
        if (info.alias or name) == key:
            yield path
        for one in alternatives(info.annotation):
            for inner, step in (
                (one, ""),
                *((arg, "[]" if get_origin(one) is tuple else ".<name>") for arg in get_args(one)),
            ):
                for leaf in alternatives(inner):
                    if isinstance(leaf, type) and issubclass(leaf, BaseModel):
                        yield from _paths(leaf, key, path + step, (*seen, model))
