"""The rows of `verify`: the result of one check each."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["passed", "failed", "left out", "warning"]
"""The result of a check. A part that is left out was not checked; a warning is an error in prod."""


def verdict(ok: bool) -> Verdict:
    """The verdict of a check that passes or fails."""
    return "passed" if ok else "failed"


@dataclass(frozen=True, kw_only=True)
class Row:
    """The result of one check: what was observed, and what to do.

    `repair` names the declared resources that `up` replaces to correct it. `passing`: it reports something that needs
    time to pass after the cause is corrected, or that is a watched system's own; `up` shows it and does not fail.
    """

    check: str
    verdict: Verdict
    detail: str
    fix: str = ""
    repair: tuple[str, ...] = ()
    passing: bool = False

    @classmethod
    def of(cls, check: str, detail: str, *, ok: bool, fix: str = "", repair: tuple[str, ...] = ()) -> "Row":
        """A check that passes or fails; what is done about a failure."""
        return cls(check=check, verdict=verdict(ok), detail=detail, fix="" if ok else fix, repair=() if ok else repair)

    @property
    def text(self) -> str:
        """The observation and what to do, on one line."""
        return f"{self.detail}: {self.fix}" if self.fix else self.detail
