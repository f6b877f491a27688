"""The settings of `Pulumi.<stack>.yaml` and of `systems/<name>.yaml`, from their JSON schemas."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from observability.core.naming import PROJECT
from observability.settings import schema as stack_schema
from observability.systems import schema as system_schema
from tools.reference.markdown import NONE, code, codes, page, table

Schema = Mapping[str, Any]

_HEAD: Final = ("setting", "value", "default", "meaning")
_THRESHOLDS: Final = "metrics.md#thresholds"


def stack_page() -> str:
    """Every setting of `Pulumi.<stack>.yaml`, and the secrets that do not depend on settings."""
    document = json.loads(stack_schema.text())
    config = document["properties"]["config"]
    secrets = {key: value for key, value in config["properties"].items() if _secret(value)}
    stated = {key: value for key, value in config["properties"].items() if key not in secrets}
    pages = _Page(definitions=document["$defs"])
    blocks = pages.all(f"{PROJECT}:", {key.removeprefix(f"{PROJECT}:"): value for key, value in stated.items()})
    return page(
        "Settings of a stack",
        f"What can stand in `Pulumi.<stack>.yaml` below `config:`. Each name of the first table begins with "
        f"`{PROJECT}:`. `./obs check` refuses every other name, and a value of another form. "
        f"A value of thresholds is described in [metrics.md]({_THRESHOLDS}).",
        *blocks,
        "## Secrets",
        "They are set by `./obs secret set NAME STACK`, or read from `secretSources`; `./obs secret list STACK` lists "
        "those that the settings of a stack need, which include one for each password of a data store, token of a "
        "scrape and address of a receiver.",
        table(
            ("secret", "what it is"),
            (
                (code(key.removeprefix(f"{PROJECT}:")), str(value["description"]))
                for key, value in sorted(secrets.items())
            ),
        ),
    )


def system_page() -> str:
    """Every field of `systems/<name>.yaml`."""
    document = json.loads(system_schema.text())
    properties = dict(document["properties"])
    # They are a table of metrics.md, with their series and reasons.
    properties["thresholds"] = {**properties["thresholds"], "properties": {}, "type": "object"}
    pages = _Page(definitions=document["$defs"])
    return page(
        "Fields of a system's file",
        "What can stand in `systems/<name>.yaml`. [systems.md](../systems.md) explains how to write one; "
        f"`./obs system new NAME` writes one with examples. The thresholds are in [metrics.md]({_THRESHOLDS}).",
        *pages.all("", properties, document.get("required", ())),
    )


def _secret(value: Schema) -> bool:
    return list(value.get("properties", ())) == ["secure"]


@dataclass
class _Page:
    """Tables of a schema: the first for its own properties, then one for each model, at its first position."""

    definitions: Mapping[str, Schema]
    places: dict[str, str] = field(default_factory=dict)
    """Name of each model that is mentioned → the path of its first mention, in the order of mention."""

    def all(self, prefix: str, properties: Mapping[str, Schema], required: Any = ()) -> Iterator[str]:  # noqa: ANN401
        yield f"## {code(prefix + '…')}" if prefix else "## Top level"
        yield self._table("", properties, required)
        done = 0
        while done < len(self.places):
            name, path = list(self.places.items())[done]
            done += 1
            model = self.definitions[name]
            yield f'### <a id="{name}"></a>{code(path)}'
            if text := model.get("description"):
                yield str(text)
            if not model.get("properties"):
                yield f"Value: {self._type(model, path)}."
                continue
            yield self._table(path + ".", model["properties"], model.get("required", ()))

    def _table(self, prefix: str, properties: Mapping[str, Schema], required: Any) -> str:  # noqa: ANN401
        rows = [
            (
                code(name),
                self._type(value, prefix + name),
                "required" if name in required else self._default(value),
                self._meaning(value),
            )
            for name, value in properties.items()
        ]
        return table(_HEAD, rows)

    def _meaning(self, value: Schema) -> str:
        described = value.get("description")
        if described is None and "$ref" in value:
            described = self.definitions[_name(value)].get("description")
        text = str(described or NONE)
        examples = value.get("examples") or next(
            (one["examples"] for one in value.get("anyOf", ()) if "examples" in one), ()
        )
        return f"{text} Examples: {codes(_shown(example) for example in examples)}." if examples else text

    def _default(self, value: Schema) -> str:
        default = value.get("default")
        return NONE if default is None or default in ({}, [], "") else code(_shown(default))

    def _type(self, value: Schema, path: str) -> str:
        if "$ref" in value:
            name = _name(value)
            if "enum" in self.definitions[name]:
                return self._type(self.definitions[name], path)
            self.places.setdefault(name, path)
            return f"[object](#{name})"
        if "anyOf" in value:
            options = [self._type(one, path) for one in value["anyOf"] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(options))
        if "enum" in value:
            return codes((_shown(one) for one in value["enum"]), " or ")
        if "const" in value:
            return code(_shown(value["const"]))
        kind = value.get("type", "any value")
        if kind == "array":
            items = value.get("items")
            return f"list of {self._type(items, path + '[]')}" if items else "list"
        if kind == "object":
            each = [value.get("additionalProperties"), *value.get("patternProperties", {}).values()]
            of = [self._type(one, path + ".<name>") for one in each if isinstance(one, dict) and one]
            if of:
                return f"by name: {' or '.join(dict.fromkeys(of))}"
            return "object"
        return str(kind) + _limits(value)


def _name(value: Schema) -> str:
    return str(value["$ref"]).rpartition("/")[2]


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _limits(value: Schema) -> str:
    """The limits of a number, as text after its type."""
    words = (
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "less than"),
    )
    return "".join(f", {word} {value[key]:.12g}" for key, word in words if key in value)
