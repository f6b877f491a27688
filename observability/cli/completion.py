"""`obs completion`: the script with which a shell completes commands, options and stacks."""

from enum import StrEnum
from typing import Annotated, Final

import typer

COMPLETE_VARIABLE: Final = "_OBS_COMPLETE"
"""Environment variable by which a shell requests completions."""


class Shell(StrEnum):
    """Shells that can complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(help="The shell.")],
) -> None:
    """Print a shell's completion script: eval "$(./obs completion bash)"."""
    from typer._completion_shared import get_completion_script

    typer.echo(get_completion_script(prog_name="obs", complete_var=COMPLETE_VARIABLE, shell=shell.value))


def prepare() -> None:
    """Register typer's completion for a shell that requests it."""
    from typer._completion_classes import completion_init

    completion_init()
