"""Conditions on the labels of an alert, as Alertmanager has them, and how a person writes them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from observability.core.errors import ConfigError

Operator = Literal["=", "!=", "=~", "!~"]

_FORM: Final = re.compile(
    r"""\s*(?P<label>[^\s=!~,{}"]*)\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>"(?:[^"\\]|\\.)*"|[^",{}=]*?)\s*(?:,|$)"""
)
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """A condition on one label; an absent label is empty, a regular expression stands for the whole value."""

    label: str
    value: str
    operator: Operator = "="

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.operator}"{escaped}"'

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels fulfils it."""
        return self.holds_of(labels.get(self.label, ""))

    def holds_of(self, value: str) -> bool:
        """Whether a label of this value fulfils it."""
        equal = (
            value == self.value
            if self.operator in ("=", "!=")
            else re.fullmatch(self.value, value, re.DOTALL) is not None
        )
        return equal is not self.operator.startswith("!")


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """What `alertname=~"High.*",system!=erpgo` says; quotes and braces around it may be left out."""
    found = tuple(_pairs(text))
    if not found:
        raise ConfigError("no label is given", "write pairs like alertname=HighErrorRate,system=erpgo")
    return found


def parse_labels(text: str) -> dict[str, str]:
    """The labels that `severity=critical,component=database` names; ConfigError where that is not what it says."""
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


def _pairs(text: str) -> Iterator[Matcher]:
    rest = text.strip()
    if rest.startswith("{") and rest.endswith("}"):
        rest = rest[1:-1]
    while rest.strip():
        match = _FORM.match(rest)
        if match is None:
            raise _malformed(rest)
        yield _matcher(match)
        rest = rest[match.end() :]


def _matcher(match: re.Match[str]) -> Matcher:
    label, operator, value = match["label"], match["operator"], match["value"]
    if _NAME.fullmatch(label) is None:
        raise ConfigError(
            f"{match[0].strip(' ,')}: {label!r} is not the name of a label", "write letters, digits and _, like system"
        )
    if value.startswith('"'):
        value = _ESCAPED.sub(lambda escaped: "\n" if escaped[1] == "n" else escaped[1], value[1:-1])
    if operator in ("=~", "!~"):
        try:
            re.compile(value)
        except re.error as error:
            raise ConfigError(
                f"{label}{operator}{value}: not a regular expression: {error}", "mend it, or use = for a plain value"
            ) from error
    found: Operator = "=" if operator == "=" else "!=" if operator == "!=" else "=~" if operator == "=~" else "!~"
    return Matcher(label=label, value=value, operator=found)


def _malformed(rest: str) -> ConfigError:
    near = rest.strip().split(",")[0]
    if '"' in near:
        return ConfigError(f"{rest.strip()}: a quotation mark is not closed, or does not enclose the value", _MEND)
    return ConfigError(f"{near!r} is not a pair of a label and its value", _MEND)


_MEND: Final = 'write pairs like severity=critical,component=database, or system="erpgo"'
