"""The one kind of error a user is shown: what is wrong, and how to mend it."""


class ConfigError(Exception):
    """Wrong use or a bad setting: `obs` prints both lines and exits 2; nothing has been changed by then."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}\n{mend}")
        self.what = what
        self.mend = mend
