"""What every section of the settings has in common."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Section(BaseModel):
    """A part of the settings: immutable, in camelCase in YAML, refusing what it does not know."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True, validate_default=True
    )


class PartSettings(Section):
    """A part of the stack that can be left out."""

    enabled: bool | None = Field(None, description="Whether it runs; none: what the profile says.")
