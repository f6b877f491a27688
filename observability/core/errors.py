"""The only kind of error that a user sees: the problem and its fix."""

from collections.abc import Callable, Iterable

MOST = 10
"""Maximum number of problems shown at once."""


class ConfigError(Exception):
    """Wrong use or a bad setting: `obs` prints both lines and exits 2; nothing has been changed by then.

    `others` are more problems of the same file: each is printed after the first, ten in all.
    """

    def __init__(self, what: str, fix: str, others: Iterable["ConfigError"] = ()) -> None:
        self.what = what
        self.fix = fix
        self.others = tuple(others)
        super().__init__("\n".join(self.lines))

    @property
    def all(self) -> tuple["ConfigError", ...]:
        """This problem and the others, each by itself."""
        return (ConfigError(self.what, self.fix), *self.others) if self.others else (self,)

    @property
    def lines(self) -> tuple[str, ...]:
        """The printed text: the problem and then its fix, for each problem."""
        shown = [(self.what, self.fix), *((one.what, one.fix) for one in self.others)]
        found = [line for pair in shown[:MOST] for line in pair]
        if len(shown) > MOST:
            found.append(f"and {len(shown) - MOST} more problems, shown once these are fixed")
        return tuple(found)


def together(problems: Iterable[tuple[str, str]]) -> ConfigError | None:
    """One error of all these (problem, fix) pairs; None where there are none."""
    found = [ConfigError(what, fix) for what, fix in dict.fromkeys(problems)]
    return ConfigError(found[0].what, found[0].fix, found[1:]) if found else None


def all_of(*checks: Callable[[], object]) -> None:
    """Run every check; ConfigError with the problems of all that fail."""
    found: list[tuple[str, str]] = []
    for check in checks:
        try:
            check()
        except ConfigError as error:
            found += [(one.what, one.fix) for one in error.all]
    failed = together(found)
    if failed:
        raise failed
