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
from observability.logs import inputs
from observability.logs.loki import OLDEST
from observability.logs.redaction import Secret
from observability.logs.sources import FORMAT, LABEL_TEAM, Relabel, exposed
from observability.settings.load import StackConfig
from observability.settings.logs import Drop, SyslogSource

PARSE_ERROR: Final = "parse_error"
"""Structured metadata of a line that is not as it should be: the format in which it could not be read, `time` where
its own time is not possible, `docker` where the line of Docker's file is broken."""

PARTIAL: Final = "partial"
"""Structured metadata of a piece of a line that was too long to be joined, or did not end."""

STREAM: Final = "stream"
"""Structured metadata: stdout or stderr."""

FILE: Final = "filename"
"""Structured metadata: path of the file that the line is from."""

REASON: Final = "reason"
"""Why a line is dropped. It is counted and not stored."""

TOO_OLD: Final = "too-old"
"""Reason of lines that Loki would reject: the past of containers and files that are read for the first time."""

KIND: Final = "error_kind"
"""Structured metadata of lines of the levels error and critical: one of 1024 values, the same for lines with the same
fingerprint, or else for lines that differ in numbers, names of files, addresses and quoted texts alone."""

KIND_OF: Final = 1000
"""Bytes of a message that decide its kind."""

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


CONTAINER: Final = "container"
"""Label of a container's lines; those of files and syslog have none."""


def parsing(config: StackConfig) -> Iterator[str]:
    """Statements that read a line: level, time, identifiers, the system that it names, whether it is broken, and
    whether it is dropped.
    """
    teams = config.teams
    file = attribute(inputs.PATH)
    yield "set(log.body, String(log.body)) where not IsString(log.body)"
    broken = f"{attribute('log.iostream')} == nil and {label(CONTAINER)} != nil"
    yield f'set({attribute(PARSE_ERROR)}, "docker") where {broken}'
    yield f"set({attribute(STREAM)}, {attribute('log.iostream')}) where {attribute('log.iostream')} != nil"
    yield f"set({attribute(FILE)}, {file}) where {file} != nil"
    yield f'set({attribute(PARTIAL)}, "true") where {file} != nil and Len(log.body) >= {inputs.PIECE}'
    yield f"keep_keys(log.attributes, [{', '.join(map(text, (STREAM, PARTIAL, PARSE_ERROR, FILE)))}])"
    yield from _time_of_arrival()
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
    yield from _kind()
    for system, own in config.settings.systems.items():
        for selected in own.logs.syslog:
            yield f"set({attribute('system')}, {text(system)}) where {_selects(selected)}"
    for system in teams:
        yield f"set({attribute('system')}, {text(system)}) where {cached(f.SYSTEM)} == {text(system)}"
    yield from _teams("log.attributes", teams)
    yield from _drops(config)
    yield f"truncate_all(log.attributes, {KEPT})"
    yield "set(log.observed_time_unix_nano, 0)"


def redacting(secrets: Iterable[Secret]) -> Iterator[str]:
    """Statements that replace secrets in the stored line and in everything that was read from it."""
    for secret in secrets:
        arguments = f"{text(secret.expression)}, {text(secret.replacement)}"
        yield f"replace_pattern(log.body, {arguments})"
        yield f'replace_all_patterns(log.attributes, "value", {arguments})'


def _kind() -> Iterator[str]:
    """The kind of an error: a short hash of its message without what differs from one occurrence to the next."""
    kind, message = cached("kind"), cached("message")
    error = f'({attribute("level")} == "error" or {attribute("level")} == "critical")'
    yield f"set({kind}, {cached('text')}) where {error}"
    yield f'set({kind}, {message}) where {kind} != nil and IsString({message}) and {message} != ""'
    yield f"set({kind}, Substring({kind}, 0, {KIND_OF})) where {kind} != nil and Len({kind}) > {KIND_OF}"
    for expression, replacement in f.VARYING:
        yield f"replace_pattern({kind}, {text(expression)}, {text(replacement)}) where {kind} != nil"
    # An application that says which error it is knows better.
    said = attribute(f.FINGERPRINT)
    yield f"set({kind}, {said}) where {kind} != nil and {said} != nil"
    yield f"set({attribute(KIND)}, Substring(SHA256({kind}), 0, 3)) where {kind} != nil"
    # Of the last digit two bits.
    for digits, replacement in (("048c", "0"), ("159d", "1"), ("26ae", "2"), ("37bf", "3")):
        yield f"replace_pattern({attribute(KIND)}, {text(f'[{digits}]$')}, {text(replacement)}) where {kind} != nil"


def _teams(attributes: str, teams: Mapping[str, str]) -> Iterator[str]:
    for team in sorted(set(teams.values())):
        names = "|".join(re.escape(name) for name, own in teams.items() if own == team)
        mine = matches(f'{attributes}["system"]', f"^(?:{names})$")
        yield f'set({attributes}["team"], {text(team)}) where {mine}'


def _selects(selected: SyslogSource) -> str:
    """Condition that a message by network is one of these."""
    found = [f"{label(inputs.LISTENER)} != nil"]
    for values, path in (
        (map(wild, selected.hostnames), cached("hostname")),
        (map(wild, selected.programs), cached("program")),
        (map(str, selected.ports), label(inputs.LISTENER)),
    ):
        if alternatives := "|".join(values):
            found.append(matches(path, f"^(?:{alternatives})$"))
    return " and ".join(found)


def wild(name: str) -> str:
    """The expression of a name in which `*` stands for any characters."""
    return re.escape(name).replace(r"\*", ".*")


def _drops(config: StackConfig) -> Iterator[str]:
    """The reason for which the settings drop a line; the first that applies."""
    for name, own in config.settings.systems.items():
        said, of_stream = (f"{path('system')} == {text(name)}" for path in (attribute, label))
        yield from _drop(own.logs.drop, f"({said} or {attribute('system')} == nil and {of_stream})")
        for file in own.logs.files:
            if file.drop:
                source = f"{label(inputs.SOURCE)} == {text(inputs.Source(system=name, file=file).receiver)}"
                yield from _drop(file.drop, source)


def _drop(drops: Iterable[Drop], lines: str) -> Iterator[str]:
    for one in drops:
        where = f"{attribute(REASON)} == nil and {lines} and {matches(cached('text'), one.match)}"
        yield f"set({attribute(REASON)}, {text(one.reason)}) where {where}"


def _time_of_arrival() -> Iterator[str]:
    """The time at which Docker received the line; that of reading, where there is none or the clock was wrong."""
    yield f"set(log.time_unix_nano, log.observed_time_unix_nano) where {label(CONTAINER)} == nil"
    impossible = f"(log.time_unix_nano < {_CLOCK_SET} or log.time_unix_nano > log.observed_time_unix_nano + {_AHEAD})"
    yield f'set({attribute(PARSE_ERROR)}, "time") where {attribute(PARSE_ERROR)} == nil and {impossible}'
    yield f"set(log.time_unix_nano, log.observed_time_unix_nano) where {impossible}"
    yield f'set({attribute(REASON)}, {text(TOO_OLD)}) where log.time < Now() - Duration("{OLDEST}")'


def _format() -> Iterator[str]:
    """The format of this line: that of its container, unless its shape says otherwise."""
    said, found = label(FORMAT), cached("format")
    yield f"set({found}, {said})"
    yield f"set({found}, {text(f.PLAIN)}) where {found} == nil or {found} == {text(f.DETECTED)}"
    for shaped, shape in reversed(tuple(f.SHAPES.items())):
        # An object is read as one in any format: many a program writes JSON besides its own format.
        where = f"{said} != {text(f.PLAIN)}" if shaped == "json" else f"{said} == {text(f.DETECTED)}"
        yield f"set({found}, {text(shaped)}) where {where} and {matches(cached('text'), shape)}"


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
    kinds = [f"{cached('format')} == {text(f.PLAIN)}", f"{attribute(PARSE_ERROR)} != nil"]
    for name, one in f.FORMATS.items():
        if one.unlevelled:
            kinds.append(f"{cached('format')} == {text(name)} and {cached(one.unlevelled)} == nil")
    unread = f"({' or '.join(kinds)})"
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
    """The line's own time, where it is near that of its arrival; otherwise that stays, and the line is marked."""
    said, own, stamp, unsure = cached("said"), cached("own"), cached("stamp"), cached("unsure")
    for name, one in f.FORMATS.items():
        here = f"{cached('format')} == {text(name)}"
        if one.time:
            yield f"set({said}, {cached(one.time)}) where {here}"
        for found in one.stamps:
            value = cached(found.field)
            there = f'{label(CONTAINER)} == nil and {value} != nil and {value} != ""'
            yield f"set({said}, {value}) where {here} and {there}"
    yield f"set({stamp}, String({said})) where {said} != nil"
    # One form for the parser: T, no colon in the offset, Z where there is none.
    zone = r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:[.,]\d+)?) ?"
    for tail, value in ((r"$", "Z"), (r"(?:Z|z|UTC)$", "Z"), (r"([+-]\d\d):?(\d\d)$", "${3}${4}")):
        yield f"replace_pattern({stamp}, {text(zone + tail)}, {text('${1}T${2}' + value)}) where IsString({said})"
    yield f'set({own}, UnixNano(Time({stamp}, "%Y-%m-%dT%H:%M:%S%z"))) where IsString({said})'
    for name, one in f.FORMATS.items():
        for found in one.stamps:
            read = f"{cached('format')} == {text(name)}"
            if found.layout:
                year = f'Concat([String(Year(log.observed_time)), {stamp}], " ")'
                value = year if found.yearless else stamp
                parsed = f"UnixNano(Time({value}, {text(found.layout)}))"
                yield f"set({own}, {parsed}) where {read} and {stamp} == {cached(found.field)}"
            if not found.zoned:
                yield f"set({unsure}, true) where {read} and {said} == {cached(found.field)}"
    number = f"{said} != nil and not IsString({said})"
    for above, factor in ((0, 10**9), (10**11, 10**6), (10**14, 10**3), (10**17, 1)):
        yield f"set({own}, Int(Double({said}) * {factor}.0)) where {number} and Double({said}) > {above}.0"
    far = f"({own} == nil or {own} < log.time_unix_nano - {_BEHIND} or {own} > log.time_unix_nano + {_AHEAD})"
    yield f"set({attribute(OWN_TIME)}, {stamp}) where {said} != nil and {far}"
    marked = attribute(PARSE_ERROR)
    yield f'set({marked}, "time") where {attribute(OWN_TIME)} != nil and {marked} == nil and {unsure} == nil'
    yield f"set(log.time_unix_nano, {own}) where {own} != nil and {attribute(OWN_TIME)} == nil"


def _metadata() -> Iterator[str]:
    for name, one in f.FORMATS.items():
        for field in one.metadata:
            value = f"String({cached(field)})"
            yield (
                f"set({attribute(field)}, {value}) "
                f'where {cached("format")} == {text(name)} and {cached(field)} != nil and {cached(field)} != ""'
            )
