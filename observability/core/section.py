"""The base class of all sections of the settings."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from observability.core.numbers import guarded


class Typed(BaseModel):
    """A model that makes no number of a boolean, nor a boolean or an address of a number, at any depth."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's own hook
        """The schema of the model, which does not convert booleans to numbers."""
        found: CoreSchema = guarded(handler(source))
        return found


class Section(Typed):
    """A part of the settings: immutable, in camelCase in YAML, refusing what it does not know."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        validate_default=True,
        # Most sections are only built as a part of the whole.
        defer_build=True,
    )


class PartSettings(Section):
    """A part of the stack that can be left out."""

    enabled: bool | None = Field(None, description="Whether it runs; none: what the profile says.")
