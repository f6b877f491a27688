"""Statements of the OpenTelemetry Collector's transform processor (OTTL), made from the formats, rules and secrets.

Values that are read from a line stand in the record's cache until they are known to be wanted; the body is only
changed to remove secrets. Statements that fail, as `ParseJSON` does on a broken line, leave their target as it was:
the processor's error mode must be `silent`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from observability.logs import formats as f
from observability.logs.redaction import SECRETS
from observability.logs.sources import FORMAT, LABEL_TEAM, Relabel, exposed

PARSE_ERROR: Final = "parse_error"
"""Structured metadata of a line that is not as it should be: the format in which it could not be read, `time` where
its own time is not possible, `docker` where the line of Docker's file is broken."""

PARTIAL: Final = "partial"
"""Structured metadata of a piece of a line that was too long to be joined, or did not end."""

STREAM: Final = "stream"
"""Structured metadata: stdout or stderr."""

OWN_TIME: Final = "own_time"
"""Structured metadata: the time that a line names, where it could not be used."""

KEPT: Final = 2048
"""Bytes of a value in structured metadata; Loki rejects a line with more than 64 KiB of it."""

KEPT_LABEL: Final = 256
"""Bytes of a label's value; Loki rejects a line with a longer one than 2048."""

_BEHIND: Final = 30 * 60 * 10**9
_AHEAD: Final = 5 * 60 * 10**9
"""Nanoseconds by which a line's own time may differ from Docker's. Loki accepts lines of a stream up to one hour
(half of `max_chunk_age`) behind its newest, and 10 minutes ahead of its clock (`creation_grace_period`)."""

_CLOCK_SET: Final = 1577836800 * 10**9
"""2020-01-01: an earlier time is of a clock that was not set."""


def text(value: str) -> str:
    """A string of OTTL; its escapes are those of JSON."""
    return json.dumps(value)


def attribute(name: str) -> str:
    """Path of an attribute of a line."""
    return f"log.attributes[{text(name)}]"


def label(name: str) -> str:
    """Path of an attribute of the container that a line is from."""
    return f"resource.attributes[{text(name)}]"


def cached(*names: str) -> str:
    """Path of a value in the record's cache."""
    return "log.cache" + "".join(f"[{text(name)}]" for name in names)


def matches(path: str, expression: str) -> str:
    """Condition that a value matches an expression of RE2."""
    return f"IsMatch({path}, {text(expression)})"


def selection(rules: Iterable[Relabel], teams: Mapping[str, str]) -> Iterator[str]:
    """Statements that name the stream of a container, by the rules of `sources.relabels`."""
    for rule in rules:
        whole = f"^(?:{rule.expression})$"
        found = matches(label(rule.source), whole)
        if rule.value == "$1":
            yield f"set({label(rule.target)}, {label(rule.source)}) where {found}"
            yield f'replace_pattern({label(rule.target)}, {text(whole)}, "$1") where {found}'
        else:
            yield f"set({label(rule.target)}, {text(rule.value)}) where {found}"
    yield from _teams("resource.attributes", teams)
    said = label(exposed(LABEL_TEAM))
    known = "|".join(re.escape(team) for team in sorted(set(teams.values())))
    yield f"set({label('team')}, {said}) where {matches(said, f'^(?:{known})$')}"


def parsing(teams: Mapping[str, str]) -> Iterator[str]:
    """Statements that read a line: level, time, identifiers, the system that it names, and whether it is broken."""
    yield "set(log.body, String(log.body)) where not IsString(log.body)"
    yield f'set({attribute(PARSE_ERROR)}, "docker") where {attribute("log.iostream")} == nil'
    yield f"set({attribute(STREAM)}, {attribute('log.iostream')}) where {attribute('log.iostream')} != nil"
    yield f"keep_keys(log.attributes, [{', '.join(map(text, (STREAM, PARTIAL, PARSE_ERROR)))}])"
    yield from _time_of_docker()
    # Colours and other control sequences hide the borders of words.
    yield f"set({cached('text')}, log.body)"
    coloured = matches("log.body", r"\x1b")
    escape = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])"
    yield f'replace_pattern({cached("text")}, {text(escape)}, "") where {coloured}'
    yield from _format()
    for name, one in f.FORMATS.items():
        yield from _extract(name, one)
    yield from _level()
    yield from _time_of_line()
    yield from _metadata()
    known = {name: name for name in teams}
    for name in known:
        yield f"set({attribute('system')}, {text(name)}) where {cached(f.SYSTEM)} == {text(name)}"
    yield from _teams("log.attributes", teams)
    yield f"truncate_all(log.attributes, {KEPT})"
    yield "set(log.observed_time_unix_nano, 0)"


def redacting() -> Iterator[str]:
    """Statements that replace secrets in the stored line and in everything that was read from it."""
    for secret in SECRETS:
        arguments = f"{text(secret.expression)}, {text(secret.replacement)}"
        yield f"replace_pattern(log.body, {arguments})"
        yield f'replace_all_patterns(log.attributes, "value", {arguments})'


def _teams(attributes: str, teams: Mapping[str, str]) -> Iterator[str]:
    for team in sorted(set(teams.values())):
        names = "|".join(re.escape(name) for name, own in teams.items() if own == team)
        mine = matches(f'{attributes}["system"]', f"^(?:{names})$")
        yield f'set({attributes}["team"], {text(team)}) where {mine}'


def _time_of_docker() -> Iterator[str]:
    """The time at which Docker received the line; that of reading, where the host's clock was not set or jumped."""
    impossible = f"(log.time_unix_nano < {_CLOCK_SET} or log.time_unix_nano > log.observed_time_unix_nano + {_AHEAD})"
    yield f'set({attribute(PARSE_ERROR)}, "time") where {attribute(PARSE_ERROR)} == nil and {impossible}'
    yield f"set(log.time_unix_nano, log.observed_time_unix_nano) where {impossible}"


def _format() -> Iterator[str]:
    """The format of this line: that of its container, unless its shape says otherwise."""
    said, found = label(FORMAT), cached("format")
    yield f"set({found}, {said})"
    yield f"set({found}, {text(f.PLAIN)}) where {found} == nil or {found} == {text(f.DETECTED)}"
    for kind, shape in reversed(tuple(f.SHAPES.items())):
        # An object is read as one in any format: many a program writes JSON besides its own format.
        where = f"{said} != {text(f.PLAIN)}" if kind == "json" else f"{said} == {text(f.DETECTED)}"
        yield f"set({found}, {text(kind)}) where {where} and {matches(cached('text'), shape)}"


def _extract(name: str, one: f.Format) -> Iterator[str]:
    here = f"{cached('format')} == {text(name)}"
    for parser in one.extract:
        match parser:
            case f.Regex(expression=expression):
                yield (
                    f"merge_maps(log.cache, ExtractPatterns({cached('text')}, {text(expression)}), "
                    f'"upsert") where {here}'
                )
            case f.Json(fields=fields):
                yield f"set({cached('object')}, ParseJSON({cached('text')})) where {here}"
                for field, paths in fields.items():
                    for path in paths:
                        value = cached("object", *path)
                        yield f"set({cached(field)}, {value}) where {cached(field)} == nil and {value} != nil"
    for choice in one.choices:
        for value, field, expression in reversed(choice.cases):
            yield f"set({cached(choice.target)}, {text(value)}) where {here} and {matches(cached(field), expression)}"
    if one.required:
        missing = " and ".join(f"{path} == nil" for path in (attribute(PARSE_ERROR), *map(cached, one.required)))
        yield f"set({attribute(PARSE_ERROR)}, {text(name)}) where {here} and {missing}"


def _level() -> Iterator[str]:
    # A line that was parsed and names no level has none: a word in it would be part of its text.
    unread = f"({cached('format')} == {text(f.PLAIN)} or {attribute(PARSE_ERROR)} != nil)"
    for expression in f.LEVEL_MARKS:
        yield (
            f'merge_maps(log.cache, ExtractPatterns({cached("text")}, {text(expression)}), "upsert") '
            f"where {cached('level')} == nil and {unread}"
        )
    yield f"set({cached('level')}, ToLowerCase(String({cached('level')})))"
    for canonical, words in f.LEVELS.items():
        whole = f"^(?:{'|'.join(re.escape(word) for word in words)})$"
        yield f"set({attribute('level')}, {text(canonical)}) where {matches(cached('level'), whole)}"
    yield f"set({attribute('level')}, {text(f.UNKNOWN)}) where {attribute('level')} == nil"
    low = " or ".join(f"{attribute('level')} == {text(name)}" for name in ("debug", "info", f.UNKNOWN))
    yield f'set({attribute("level")}, "error") where {unread} and ({low}) and {matches(cached("text"), f.TRACE)}'


def _time_of_line() -> Iterator[str]:
    """The line's own time, where it is near Docker's; otherwise Docker's stays, and the line is marked."""
    timed = [name for name, one in f.FORMATS.items() if one.time]
    where = " or ".join(f"{cached('format')} == {text(name)}" for name in timed)
    said, own = cached("said"), cached("own")
    for name in timed:
        yield f"set({said}, {cached(f.FORMATS[name].time)}) where {cached('format')} == {text(name)}"
    yield f"set({cached('stamp')}, String({said})) where {where}"
    # One form for the parser: T, no colon in the offset, Z where there is none.
    stamp = cached("stamp")
    zone = r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:[.,]\d+)?) ?"
    for tail, value in ((r"$", "Z"), (r"(?:Z|z|UTC)$", "Z"), (r"([+-]\d\d):?(\d\d)$", "${3}${4}")):
        yield f"replace_pattern({stamp}, {text(zone + tail)}, {text('${1}T${2}' + value)}) where IsString({said})"
    yield f'set({own}, UnixNano(Time({stamp}, "%Y-%m-%dT%H:%M:%S%z"))) where IsString({said})'
    number = f"{said} != nil and not IsString({said})"
    for above, factor in ((0, 10**9), (10**11, 10**6), (10**14, 10**3), (10**17, 1)):
        yield f"set({own}, Int(Double({said}) * {factor}.0)) where {number} and Double({said}) > {above}.0"
    far = f"({own} == nil or {own} < log.time_unix_nano - {_BEHIND} or {own} > log.time_unix_nano + {_AHEAD})"
    yield f"set({attribute(OWN_TIME)}, {stamp}) where {said} != nil and {far}"
    marked = attribute(PARSE_ERROR)
    yield f'set({marked}, "time") where {attribute(OWN_TIME)} != nil and {marked} == nil'
    yield f"set(log.time_unix_nano, {own}) where {own} != nil and {attribute(OWN_TIME)} == nil"


def _metadata() -> Iterator[str]:
    for name, one in f.FORMATS.items():
        for field in one.metadata:
            value = f"String({cached(field)})"
            yield (
                f"set({attribute(field)}, {value}) "
                f'where {cached("format")} == {text(name)} and {cached(field)} != nil and {cached(field)} != ""'
            )
