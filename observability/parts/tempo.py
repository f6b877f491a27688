"""Tempo, a trace store that is not part of the stack: its rules are loaded in a stack that scrapes it."""

from typing import Final

from observability.parts.model import NEVER, Part, Server

PART: Final = Part[None, Server](
    name="tempo", title="A store of traces.", profiles=NEVER, job="tempo", rules=("tempo",)
)
