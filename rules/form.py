"""The form of a rule file as Prometheus requires it: an error is reported by its path before anything is generated."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from observability.core.alert import IMPACT, IMPACTS
from observability.core.mistakes import explain
from observability.core.section import Typed
from observability.core.types import seconds

Text = str | int | float | bool
"""A label's value; Prometheus reads any scalar as text."""


def _length(value: str) -> str:
    seconds(value)
    return value


Length = Annotated[str, AfterValidator(_length), Field(examples=["5m"])]
"""A duration, 0s too."""


class _Form(Typed):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Form):
    """An alert or a recording."""

    alert: str | None = Field(None, description="Name of the alert.", min_length=1, examples=["HostIsBusy"])
    record: str | None = Field(None, description="Name of the series.", min_length=1, examples=["job:up:sum"])
    expr: str = Field(description="PromQL.", min_length=1, examples=["up == 0"])
    for_: Length | None = Field(None, alias="for", description="How long it must hold.")
    keep_firing_for: Length | None = Field(None, description="How long it fires on.")
    labels: dict[str, Text] = Field({}, description="Labels that are added.")
    annotations: dict[str, Text] = Field({}, description="Texts that go with an alert.")

    @field_validator("expr", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value

    @field_validator("annotations")
    @classmethod
    def _impact(cls, annotations: dict[str, Text]) -> dict[str, Text]:
        if annotations.get(IMPACT, IMPACTS[0]) not in IMPACTS:
            raise ValueError(f"{IMPACT} is {annotations[IMPACT]!r}; write {' or '.join(IMPACTS)}, or remove it")
        return annotations

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.alert is None) == (self.record is None):
            both = "both alert and record; remove one" if self.alert else "neither alert nor record; add one of them"
            raise ValueError(f"has {both}")
        wrong = [key for key in ("for_", "keep_firing_for", "annotations") if getattr(self, key)]
        if self.record is not None and wrong:
            key = wrong[0].rstrip("_")
            raise ValueError(f"is a recording and has {key}, which only alerts have; remove {key}")
        return self


class Group(_Form):
    """Rules that are evaluated one after the other."""

    name: str = Field(description="Name, unique in the file.", min_length=1, examples=["hosts"])
    interval: Length | None = Field(None, description="How often.")
    query_offset: Length | None = Field(None, description="How far back the rules look.")
    limit: int | None = Field(None, description="Series that a rule may yield.")
    labels: dict[str, Text] = Field({}, description="Labels that every rule adds.")
    rules: tuple[Rule, ...] = Field(description="The rules.", examples=[[]])


class RuleFile(_Form):
    """A file of rules."""

    groups: tuple[Group, ...] = Field(description="The groups.")

    @field_validator("groups")
    @classmethod
    def _names_differ(cls, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        names = [group.name for group in groups]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"two groups are named {twice!r}; rename one of them")
        return groups


def check(source: str, document: dict[str, Any]) -> None:
    """ConfigError with all errors of form of a rule file; `source` is its path as messages show it."""
    try:
        RuleFile.model_validate(document)
    except ValidationError as error:
        raise explain(error, RuleFile, source=source, document=document) from error
