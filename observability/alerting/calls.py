"""Calls between services as spans show them: the edges of the service graph, as evidence for a cause.

Pure functions, only the standard library: the notifier has them.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

FAILING: Final = 0.05
"""Share of failed calls from which an edge may be the cause of an alert."""

SLOWER: Final = 2.0
"""How many times as long as an hour before the slow calls of an edge take, for it to be the cause of an alert."""

SLOW: Final = 0.1
"""Seconds; a 95th percentile below this is not slow."""

SHOWN: Final = 2
"""How many calls of one system are named as evidence."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """Calls of one service to another, a database or an external API, around the time of an alert."""

    system: str
    client: str
    server: str
    server_system: str = ""
    """System of the called service; empty for a database and for what sends no spans here."""
    kind: str = "service"
    rate: float = 0.0
    """Calls a second."""
    failed: float = 0.0
    """Share of them that failed."""
    slowest: float = math.nan
    """95th percentile in seconds, now and an hour before."""
    before: float = math.nan

    @property
    def failing(self) -> bool:
        """Whether enough of them fail to cause an alert."""
        return self.failed >= FAILING

    @property
    def slower(self) -> bool:
        """Whether they take far longer than before."""
        return self.slowest >= SLOW and self.slowest >= SLOWER * self.before

    @property
    def address(self) -> str:
        """The address of a database, without its kind."""
        return self.server.rpartition(" ")[2]

    @property
    def words(self) -> str:
        """What spans show of them, in a sentence."""
        figures = [f"{_percent(self.failed)} of {self.rate:.3g} calls a second fail"] if self.failed else []
        if self.slower:
            figures.append(f"p95 {_time(self.slowest)}, an hour before {_time(self.before)}")
        return f"seen in spans: {self.client} calls {self.server}" + "".join(f", {figure}" for figure in figures)


def called(systems: Iterable[str], calls: Sequence[Call]) -> tuple[str, ...]:
    """All systems that these call in spans, directly or indirectly, after those of them that follow the first."""
    first, *others = systems
    found = dict.fromkeys(others)
    todo = [first, *others]
    while todo:
        system = todo.pop()
        for call in calls:
            other = call.server_system
            if call.system == system and other and other not in found and other != first:
                found[other] = None
                todo.append(other)
    return tuple(found)


def shown(calls: Sequence[Call], system: str) -> tuple[str, ...]:
    """The calls of a system by others, as evidence that these depend on it."""
    into = [one for one in calls if one.server_system == system and one.system != system]
    return tuple(one.words for one in sorted(into, key=lambda one: -one.rate)[:SHOWN])


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"


def _time(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
