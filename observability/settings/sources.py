"""Settings of where secrets are read from, for stacks whose secrets are kept in another store."""

from collections.abc import Collection
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.core.section import Section
from observability.settings.custom import Variable


class SecretSource(Section):
    """Where one secret is read from at each `up`, on the machine on which `obs` runs."""

    file: str | None = Field(None, description="Absolute path of a file with its value.", pattern=r"^/")
    env: Variable | None = Field(None, description="Environment variable with its value.")
    command: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        (),
        description="Program and arguments that print its value; no shell is used.",
        examples=[["vault", "kv", "get", "-field=url", "secret/monitoring/slack"]],
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [key for key in ("file", "env", "command") if getattr(self, key)]
        if len(given) != 1:
            stated = f"has {' and '.join(given)}" if given else "has none of file, env and command"
            raise ValueError(f"{stated}; state one of them")
        return self


def check(source: str, sources: Collection[str], known: Collection[str]) -> None:
    """ConfigError where a secret of this name is unknown; `source` is the prefix of errors."""
    for name in sources:
        if name not in known:
            raise ConfigError(
                f"{source}secretSources.{name}: there is no secret of this name",
                f"{nearest(name, known)}./obs secret list shows all",
            )
