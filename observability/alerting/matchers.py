"""Conditions on the labels of an alert, parsed and evaluated as Alertmanager does.

Alertmanager has two parsers and uses the older one's result where that one accepts the text; so does this module.
A name without an operator at the beginning is an alert's name, as with `amtool`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from observability.core.errors import ConfigError
from observability.core.expressions import ExpressionError, compiled, matches

Operator = Literal["=", "!=", "=~", "!~"]

_FIX: Final = 'write pairs like severity=critical,component=database, or system="shop"'

_RESERVED: Final = r"\s{}!=~,\\\"'`"
"""Characters that must be quoted in Alertmanager's newer syntax."""

_BARE: Final = re.compile(rf'\s*(?P<open>\{{?)\s*(?P<name>"[^"\\]+"|[^{_RESERVED}]+)\s*(?=,|\}}?\s*$)')
_OLD: Final = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL)
_NEW: Final = re.compile(
    rf'\s*(?P<label>"(?:[^"\\]|\\.)*"|[^{_RESERVED}]+)\s*(?P<operator>=~|!=|!~|=)\s*'
    rf'(?P<value>"(?:[^"\\]|\\.)*"|[^{_RESERVED}]+)\s*(?:,|$)'
)
_SECOND_PAIR: Final = re.compile(r"\s[a-zA-Z_]\w*\s*(=~|!=|!~|=)|^[=~]")
_GO_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[abfnrtv\\\"]|.)")
_GO_PLAIN: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """A condition on one label; an absent label is empty, a regular expression matches the whole value."""

    label: str
    value: str
    operator: Operator = "="

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        label = f'"{self.label}"' if re.search(f"[{_RESERVED}]", self.label) else self.label
        return f'{label}{self.operator}"{escaped}"'

    @property
    def negative(self) -> bool:
        """Whether it matches all values except some."""
        return self.operator.startswith("!")

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels matches."""
        return self.holds_of(labels.get(self.label, ""))

    def holds_of(self, value: str) -> bool:
        """Whether a label of this value matches."""
        equal = value == self.value if self.operator in ("=", "!=") else matches(self.value, value)
        return equal is not self.negative


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers of `alertname=~"High.*",system!=shop` or `HighErrorRate,system=shop`; ConfigError with the fix."""
    text = _named(text.strip())
    try:
        found = tuple(_old(text))
    except _SyntaxError as error:
        found = _new(text, error)
    if not found:
        raise ConfigError("no label is given", "write pairs like alertname=HighErrorRate,system=shop")
    for matcher in found:
        _check(matcher)
    return found


def parse_labels(text: str) -> dict[str, str]:
    """The labels of `severity=critical,component=database`; ConfigError where they are not labels."""
    labels: dict[str, str] = {}
    for matcher in parse_matchers(text):
        if matcher.operator != "=":
            raise ConfigError(
                f"{matcher}: an alert's label has one value",
                f"write {matcher.label}=VALUE; {matcher.operator} is for silences",
            )
        if matcher.label in labels:
            raise ConfigError(f"the label {matcher.label} is given twice", "give each label once")
        labels[matcher.label] = matcher.value
    return labels


class _SyntaxError(Exception):
    """The error of the older parser."""


def _named(text: str) -> str:
    """The text with the label `alertname` in front of a name without an operator."""
    bare = _BARE.match(text)
    if bare is None:
        return text
    name = bare["name"] if bare["name"].startswith('"') else f'"{bare["name"]}"'
    return f"{bare['open']}alertname={name}{text[bare.end() :]}"


def _old(text: str) -> Iterator[Matcher]:
    """The matchers by the older parser: it keeps a backslash that escapes nothing."""
    for token in _tokens(text[1:].removesuffix("}") if text.startswith("{") else text):
        match = _OLD.fullmatch(token)
        if match is None:
            raise _SyntaxError(f"{token.strip()!r} is not a pair of a label and its value")
        raw = match[3]
        if not raw.startswith('"') and _SECOND_PAIR.search(raw):
            # Alertmanager would read all of it as one value.
            raise ConfigError(
                f"{token.strip()!r} is not a pair of a label and its value",
                f"{_FIX}; a value with = in it stands in quotes",
            )
        yield Matcher(label=match[1], value=_old_value(token, raw), operator=cast(Operator, match[2]))


def _tokens(text: str) -> list[str]:
    """The text split at commas outside of quotes."""
    found, token = [], ""
    quoted = escaped = False
    for character in text:
        if character == "," and not quoted:
            found.append(token)
            token = ""
            continue
        if character == '"' and not escaped:
            quoted = not quoted
        escaped = character == "\\" and not escaped
        token += character
    return [*found, token] if token.strip() else found


def _old_value(token: str, raw: str) -> str:
    quoted, rest = raw.startswith('"'), raw.removeprefix('"')
    value, at = "", 0
    while at < len(rest):
        character, following = rest[at], rest[at + 1 : at + 2]
        if character == "\\" and following:
            value += {"n": "\n", '"': '"', "\\": "\\"}.get(following, f"\\{following}")
            at += 2
            continue
        if character == '"':
            if not quoted or following:
                break
            return value
        value += character
        at += 1
    if quoted or at < len(rest):
        raise _SyntaxError(f"{token.strip()}: a quotation mark is not closed, or does not enclose the value")
    return value


def _new(text: str, refused: _SyntaxError) -> tuple[Matcher, ...]:
    """The matchers by the newer parser, which accepts any label name; ConfigError where it refuses the text too."""
    inner = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    found, at = [], 0
    while inner[at:].strip():
        match = _NEW.match(inner, at)
        if match is None:
            raise ConfigError(str(refused), _FIX)
        label, value = _unquoted(match["label"], refused), _unquoted(match["value"], refused)
        found.append(Matcher(label=label, value=value, operator=cast(Operator, match["operator"])))
        at = match.end()
    return tuple(found)


def _unquoted(token: str, refused: _SyntaxError) -> str:
    """A token without its quotes and with Go's escapes resolved."""
    if not token.startswith('"'):
        return token

    def plain(escape: re.Match[str]) -> str:
        code = escape[1]
        if code in _GO_PLAIN:
            return _GO_PLAIN[code]
        if len(code) == 1:
            raise ConfigError(str(refused), _FIX)
        return chr(int(code, 8) if code.isdigit() and len(code) == 3 else int(code[1:], 16))

    return _GO_ESCAPE.sub(plain, token[1:-1])


def _check(matcher: Matcher) -> None:
    if not matcher.label:
        raise ConfigError(f"{matcher}: the name of the label is empty", "write a name, like system")
    if matcher.operator in ("=~", "!~"):
        try:
            compiled(matcher.value)
        except ExpressionError as error:
            raise ConfigError(
                f"{matcher.label}{matcher.operator}{matcher.value}: not a regular expression of RE2: {error}",
                "correct it there, or use = for a plain value",
            ) from error
