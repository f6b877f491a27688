"""Regular expressions as Prometheus, Loki and Alertmanager read them: RE2's syntax, matched against a whole value."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import re2

_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False

_PERL: Final = {
    "(?=": "RE2 has no look-ahead",
    "(?!": "RE2 has no negative look-ahead",
    "(?<=": "RE2 has no look-behind",
    "(?<!": "RE2 has no negative look-behind",
    "(?>": "RE2 has no atomic groups",
    "(?#": "RE2 has no comments",
    "(?(": "RE2 has no conditions",
}


class ExpressionError(ValueError):
    """A regular expression that RE2 refuses: the reason, and the character position, counted from 1."""

    def __init__(self, reason: str, position: int) -> None:
        self.reason = reason
        self.position = position
        super().__init__(f"{reason} at character {position}")


@lru_cache(maxsize=4096)
def compiled(expression: str) -> Any:  # noqa: ANN401 - re2 has no types
    """The expression, to be matched against a whole value; ExpressionError where RE2 refuses it."""
    try:
        return re2.compile(f"^(?:{expression})$", _OPTIONS)
    except re2.error as error:
        raise _explained(expression, _message(error)) from None


def matches(expression: str, value: str) -> bool:
    """Whether the expression matches the whole value; `.` does not match a line break, as in Alertmanager."""
    return compiled(expression).search(value) is not None


def _message(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def _explained(expression: str, said: str) -> ExpressionError:
    """The error of the expression by itself, as its parentheses are numbered differently inside another one."""
    try:
        re2.compile(expression, _OPTIONS)
    except re2.error as error:
        said = _message(error)
    reason, _, fragment = said.partition(": ")
    if reason == "missing )":
        return ExpressionError("a parenthesis is not closed: it opens", _unclosed(expression))
    if reason == "unexpected )":
        return ExpressionError("a parenthesis closes nothing", _unopened(expression))
    if reason.startswith("trailing"):
        return ExpressionError("a backslash escapes nothing", len(expression))
    if fragment == "(?" or fragment in _PERL:
        return _perl(expression)
    position = next((at for at in _starts(expression) if expression.startswith(fragment, at)), 0)
    if reason == "invalid escape sequence" and re.fullmatch(r"\\[1-9]", fragment):
        return ExpressionError(f"RE2 has no backreferences: {fragment}", position + 1)
    return ExpressionError(f"{reason}: {fragment}" if fragment else reason, position + 1)


def _perl(expression: str) -> ExpressionError:
    for at in _starts(expression):
        for opening in sorted(_PERL, key=len, reverse=True):
            if expression.startswith(opening, at):
                return ExpressionError(f"{_PERL[opening]}: {opening}", at + 1)
    at = next((at for at in _starts(expression) if expression.startswith("(?", at)), 0)
    return ExpressionError("RE2 has no such group: (?", at + 1)


def _starts(expression: str) -> Iterator[int]:
    """Every position that is not the second character of an escape."""
    at = 0
    while at < len(expression):
        yield at
        at += 2 if expression[at] == "\\" else 1


def _parentheses(expression: str) -> Iterator[int]:
    """Positions of the parentheses outside of character classes."""
    in_class = False
    for at in _starts(expression):
        character = expression[at]
        if in_class:
            in_class = character != "]" or expression[at - 1] == "["
        elif character == "[":
            in_class = True
        elif character in "()":
            yield at


def _unclosed(expression: str) -> int:
    open_ones = [0]
    for at in _parentheses(expression):
        if expression[at] == "(":
            open_ones.append(at + 1)
        elif len(open_ones) > 1:
            open_ones.pop()
    return max(open_ones[-1], 1)


def _unopened(expression: str) -> int:
    depth = 0
    for at in _parentheses(expression):
        depth += 1 if expression[at] == "(" else -1
        if depth < 0:
            return at + 1
    return 1
