"""The JSON schema of `Pulumi.<stack>.yaml`, for editors; `python -m config.schema` writes it."""

import json
from pathlib import Path
from typing import Any, Final

from config.model import Settings
from config.naming import PROJECT
from config.secrets import SECRETS

PATH: Final = Path(__file__).with_name("schema.json")
"""Where the committed schema lies."""


def text() -> str:
    """The schema as it is committed."""
    settings = Settings.model_json_schema(by_alias=True, mode="validation")
    keys: dict[str, Any] = {f"{PROJECT}:{name}": field for name, field in settings["properties"].items()}
    keys |= {
        f"{PROJECT}:{name}": {
            "type": "object",
            "description": spec.description,
            "properties": {"secure": {"type": "string"}},
            "required": ["secure"],
            "additionalProperties": False,
        }
        for name, spec in SECRETS.items()
    }
    schema = {
        "$comment": "Generated from config/model.py by `make schema`; changes here are lost.",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Pulumi.<stack>.yaml of {PROJECT}",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": keys,
                "patternProperties": {f"^(?!{PROJECT}:).+:": {}},
                "additionalProperties": False,
            }
        },
        "$defs": settings["$defs"],
    }
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
