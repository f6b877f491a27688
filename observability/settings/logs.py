"""Settings of a system's log lines: whose lines they are, which files and syslog messages, and what is dropped."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from observability.core.expressions import ExpressionError, compiled
from observability.core.section import Section

LogFormat = Literal["json", "nginx", "postgres", "redis", "grafana", "logfmt", "syslog", "klog", "plain"]
"""The formats by name; `observability.logs.formats` says how each is read."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9*][A-Za-z0-9_.*-]*$")]
"""A name in which `*` stands for any characters."""

TOO_WIDE: Final = frozenset(
    map(PurePosixPath, ("/", "/dev", "/etc", "/home", "/proc", "/root", "/run", "/sys", "/var"))
)
"""Folders that the collector must not see as a whole."""

RESERVED: Final = frozenset(
    {
        *("container", "service", "stack", "system", "team", "level", "host", "image", "compose_project"),
        *("format", "source", "listener", "reason", "stream", "filename", "partial", "parse_error", "own_time"),
        *("correlation_id", "trace_id", "context", "user", "session", "method", "status", "path", "client", "audit"),
        *("hostname", "program", "error_kind", "fingerprint"),
    }
)
"""Labels and structured metadata that lines have from elsewhere."""

WILD: Final = frozenset("*?[{")
"""Characters that make a part of a path a pattern."""


def fixed_folder(path: str) -> str:
    """The folder of a path, or the last one before its first pattern."""
    parts = PurePosixPath(path).parts
    first = next((at for at, part in enumerate(parts) if WILD & set(part)), len(parts) - 1)
    return str(PurePosixPath(*parts[:first]))


def _path(value: str) -> str:
    path = PurePosixPath(value)
    if not path.is_absolute() or value.endswith("/"):
        raise ValueError("is no absolute path of a file; write one like /var/log/shop/*.log")
    if ".." in path.parts or any(part.startswith("~") for part in path.parts):
        raise ValueError("must not contain .. or ~; write the path itself")
    if set(value) & set("{}[]`$\\") or any(ord(one) < 32 for one in value):
        raise ValueError("has a character that no path here may have; of patterns there are *, ** and ?")
    folder = PurePosixPath(fixed_folder(value))
    if folder in TOO_WIDE:
        raise ValueError(f"would show the collector all of {folder}; put the files into a folder of their own")
    return str(path)


def _expression(value: str) -> str:
    try:
        compiled(value)
    except ExpressionError as error:
        raise ValueError(f"is no expression of RE2: {error}") from None
    if compiled(f"(?s:.*)(?:{value})(?s:.*)").search("") is not None:
        raise ValueError("matches every line; write what only these lines contain")
    return value


def _metadata(found: dict[str, str]) -> dict[str, str]:
    for name, value in found.items():
        if name in RESERVED:
            raise ValueError(f"{name} is read from the lines themselves; give it another name")
        if "EXPR(" in value:
            raise ValueError(f"{name} contains EXPR(, which the collector would evaluate; write it otherwise")
    return found


def _once(found: "tuple[FileSource, ...]") -> "tuple[FileSource, ...]":
    taken = set[tuple[str | None, str]]()
    for index, one in enumerate(found):
        if (one.host, one.path) in taken:
            raise ValueError(f"two entries have the path {one.path!r}; remove entry {index}")
        taken.add((one.host, one.path))
    return found


HostPath = Annotated[str, AfterValidator(_path), Field(examples=["/var/log/shop/*.log"])]
"""Absolute path of files on a host; `*` and `?` stand for characters of a name, `**` for folders."""

Host = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=63)]
"""Name of a host in the section `hosts`."""


MetadataName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
MetadataValue = Annotated[str, Field(max_length=200)]


class Drop(Section):
    """Lines that are not stored. They are counted, by their reason."""

    reason: str = Field(
        description="Name in the counter of dropped lines.",
        pattern=r"^[a-z][a-z0-9_-]{0,39}$",
        examples=["health-checks"],
    )
    match: Annotated[str, AfterValidator(_expression)] = Field(
        description="Expression (RE2) that matches a part of each such line, without its colours.",
        min_length=1,
        max_length=1000,
    )


class FileSource(Section):
    """Files on a host, whose lines are the system's."""

    path: HostPath = Field(description="Absolute path on the host; `*`, `?` and `**` are patterns.")
    service: str | None = Field(
        None,
        description="Value of the label `service`; none: the file's name without its endings.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
    )
    format: LogFormat | None = Field(
        None, description="Format of the lines; none: by the name of the service, else of each line by its shape."
    )
    host: Host | None = Field(None, description="Host on which the files are; none: the stack's own Docker host.")
    metadata: Annotated[dict[MetadataName, MetadataValue], AfterValidator(_metadata)] = Field(
        {}, description="Structured metadata of every line.", max_length=10
    )
    start_at: Literal["beginning", "end"] = Field(
        "end",
        description="Where reading starts in files that exist when the collector starts for the first time; later "
        "files are read from their beginning.",
    )
    encoding: Literal["utf-8", "utf-16le", "utf-16be", "iso-8859-1", "windows-1252"] = Field(
        "utf-8", description="Encoding of the files."
    )
    drop: tuple[Drop, ...] = Field((), description="Lines of these files that are not stored.")

    @property
    def folder(self) -> str:
        """The folder that the collector sees: that of the files, or the last one before the first pattern."""
        return fixed_folder(self.path)

    def covers(self, path: str) -> bool:
        """Whether a path is one of these files."""
        pattern = re.escape(self.path).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
        return re.fullmatch(pattern, path) is not None

    @property
    def named(self) -> str:
        """Value of the label `service`."""
        if self.service is not None:
            return self.service
        stem = PurePosixPath(self.path).name.partition(".")[0].strip("*?-_.")
        return stem or PurePosixPath(self.folder).name


class SyslogSource(Section):
    """Syslog messages that are the system's; all that is stated must fit."""

    hostnames: tuple[Name, ...] = Field((), description="Host names in the message.")
    programs: tuple[Name, ...] = Field((), description="Programs in the message (APP-NAME, or the tag).")
    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = Field(
        (), description="Ports of `collector.syslog` at which they arrive."
    )


class LogSettings(Section):
    """Whose log lines are the system's, and which of them are not stored."""

    containers: tuple[Name, ...] = Field(
        (), description="Names of containers of the Docker host, of whatever origin; `*` stands for any characters."
    )
    projects: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")], ...] = Field(
        (), description="Names of Compose projects, all of whose containers belong to the system."
    )
    files: Annotated[tuple[FileSource, ...], AfterValidator(_once)] = Field((), description="Files on hosts.")
    syslog: tuple[SyslogSource, ...] = Field(
        (), description="Messages that arrive at `collector.syslog`; others belong to the system `unassigned`."
    )
    drop: tuple[Drop, ...] = Field((), description="Lines of the system that are not stored.")
