"""The JSON schema of `systems/<name>.yaml`, for editors; `python -m observability.settings.schema` writes it."""

import json
from pathlib import Path
from typing import Final

from observability.systems.model import System
from observability.systems.resolve import SPECS
from observability.systems.threshold_spec import ThresholdSpec

PATH: Final = Path(__file__).resolve().parents[2] / "systems" / "schema.json"
"""Path of the committed schema."""


def _described(spec: ThresholdSpec) -> str:
    """Description of a threshold: its meaning, severities, unit, and its default with the reason."""
    default = ", ".join(f"{severity} {value:g}" for severity, value in spec.default.items())
    reason = f" Default: {default}. {spec.reason}" if default else ""
    return f"{spec.description} {', '.join(spec.severities)}; {spec.unit}.{reason}".rstrip()


def text() -> str:
    """The committed form of the schema."""
    system = System.model_json_schema(by_alias=True, mode="validation")
    # The name is the file's.
    del system["properties"]["name"]
    system["required"].remove("name")
    thresholds = system["properties"]["thresholds"]
    values = thresholds.pop("additionalProperties")
    thresholds["additionalProperties"] = False
    thresholds["properties"] = {name: {**values, "description": _described(spec)} for name, spec in SPECS.items()}
    schema = {
        "$comment": "Generated from observability/systems/model.py by `make schema`; changes here are lost.",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **system,
        "title": "systems/<name>.yaml",
    }
    return json.dumps(schema, indent=2) + "\n"
