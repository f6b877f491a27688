"""Tempo, a store of traces that somebody else runs: its rules are kept for a stack that scrapes it."""

from typing import Final

from observability.parts.model import NEVER, Part, Server

PART: Final = Part[None, Server](
    name="tempo", title="A store of traces.", profiles=NEVER, job="tempo", rules=("tempo",)
)
