"""The JSON schemas of `Pulumi.<stack>.yaml` and of `systems/*.yaml`, for editors; `make schema` writes both."""

import json
from pathlib import Path
from typing import Any, Final

from observability.core.naming import PROJECT
from observability.settings.model import settings_model
from observability.settings.secrets import PATTERN, stated_secrets
from observability.systems import schema as systems_schema

PATH: Final = Path(__file__).with_name("schema.json")
"""Path of the committed schema."""


def text() -> str:
    """The committed form of the schema."""
    settings = settings_model().model_json_schema(by_alias=True, mode="validation")
    keys: dict[str, Any] = {f"{PROJECT}:{name}": field for name, field in settings["properties"].items()}
    keys |= {
        f"{PROJECT}:{name}": _secret(spec.description) for name, spec in stated_secrets().items() if not spec.transient
    }
    patterns = {
        f"^{PROJECT}:{PATTERN}(Password|Token|Key|Url|User)$": _secret(
            "Secret of a system, a data store, a receiver or an exporter."
        ),
        f"^(?!{PROJECT}:).+:": {},
    }
    schema = {
        "$comment": "Generated from observability/settings/model.py by `make schema`; changes here are lost.",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Pulumi.<stack>.yaml of {PROJECT}",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": keys,
                "patternProperties": patterns,
                "additionalProperties": False,
            }
        },
        "$defs": settings["$defs"],
    }
    return json.dumps(schema, indent=2) + "\n"


def _secret(description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": {"secure": {"type": "string"}},
        "required": ["secure"],
        "additionalProperties": False,
    }


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
    systems_schema.PATH.write_text(systems_schema.text(), encoding="utf-8")
