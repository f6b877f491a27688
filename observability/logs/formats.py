"""The formats of log lines, as data: what is read from a line, when it counts as unreadable, and its level.

`observability/logs/statements.py` turns them into statements of the OpenTelemetry Collector. Expressions are RE2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from observability.settings.logs import LogFormat

Path = tuple[str, ...]
"""Keys from the outermost object of a JSON line inwards."""


@dataclass(frozen=True, kw_only=True)
class Json:
    """Fields of a JSON object: name → where it may be; the first place that has a value is used."""

    fields: Mapping[str, tuple[Path, ...]]


@dataclass(frozen=True, kw_only=True)
class Regex:
    """The named groups of an expression; a line that does not match yields none."""

    expression: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Set a field to the value of the first case whose field matches the expression."""

    target: str
    cases: tuple[tuple[str, str, str], ...]
    """Value, field, expression."""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A field with the time of a line, for lines that nobody received at a known time: those of files and syslog."""

    field: str
    layout: str = ""
    """In the notation of strptime; empty: RFC 3339 and the like. In front of one with `%Y` first stands the year in
    which the line was read, if `yearless`."""
    yearless: bool = False
    zoned: bool = True
    """Whether it names its zone. If not it is taken as UTC; where that cannot be, the line is not marked."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """How the lines of one format are read."""

    extract: tuple[Json | Regex, ...] = ()
    choices: tuple[Choice, ...] = ()
    required: tuple[str, ...] = ()
    """A line in which none of these fields was found is unreadable; empty: no line can be."""
    metadata: tuple[str, ...] = ()
    """Fields that become structured metadata."""
    time: str = ""
    """Field with the line's own time; empty: the time at which Docker received the line is used."""
    stamps: tuple[Stamp, ...] = ()
    """Where the time is in lines of files and syslog, besides `time`."""
    unlevelled: str = ""
    """A field that is missing where the line names no level; its words are then looked at, as in plain text."""


LEVELS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "debug": (
            *("debug", "trace", "verbose", "debug1", "debug2", "debug3", "debug4", "debug5", ".", "-"),
            *("d", "d1", "d2", "d3", "d4", "d5", "fine", "finer", "finest", "10", "20"),
        ),
        "info": (
            *("info", "notice", "log", "information", "statement", "detail", "hint", "context", "*"),
            *("i", "informational", "config", "30"),
        ),
        "warning": ("warning", "warn", "#", "w", "wrn", "40"),
        "error": ("error", "err", "e", "eror", "severe", "50"),
        "critical": ("critical", "crit", "fatal", "panic", "alert", "emerg", "emergency", "dpanic", "f", "60"),
    }
)
"""The canonical word for each program's names of a level, in lower case. Includes PostgreSQL's LOG, Redis' marks, the
letters of klog and MongoDB, the words of java.util.logging and the numbers of pino and bunyan."""

UNKNOWN: Final = "unknown"
"""Level of a line that names none."""

DETECTED: Final = "detected"
"""Format of a container without other information: each line is parsed by its shape."""

PLAIN: Final[LogFormat] = "plain"

NGINX_ACCESS: Final = (
    r"^(?P<client>\S+) \S+ \S+ \[(?P<access>[^\]]+)\] "
    r'"(?P<method>[A-Z]+) (?P<path>\S+)[^"]*" (?P<status>\d{3}) '
)
NGINX_ERROR: Final = r"^(?P<error>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?P<level>[a-z]+)\] "
POSTGRES: Final = (
    r"^(?P<read>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \S+) \[\d+\].*?"
    r"(?P<level>DEBUG\d?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT):\s"
)
POSTGRES_CONTINUED: Final = r"^(?P<read>\t)"
"""A statement of several lines continues after a tab."""
REDIS: Final = r"^\d+:(?P<role>[XCSM]) (?P<clock>\d+ \w+ \d+ \d\d:\d\d:\d\d\.\d+) (?P<level>[.*#-]) "
LOGFMT: Final = r"(?:^|\s)(?:level|lvl)=\"?(?P<level>[A-Za-z]+)"
KLOG: Final = r"^(?P<level>[IWEF])(?P<read>\d{4} \d\d:\d\d:\d\d\.\d+) +\d+ (?P<source>[^\s:]+:\d+)\] "

_PRIORITY: Final = r"<(?P<priority>\d{1,3})>"
"""Eight times the facility plus the severity, 0 to 7."""
_TAG: Final = r" (?P<program>[^\s:\[\]]+)(?:\[[^\]]*\])?:"
_BSD: Final = r"(?:(?P<clock>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)|(?P<iso>\d{4}-\d\d-\d\dT\S+)) (?P<hostname>\S+)"

SYSLOG_5424: Final = rf"^{_PRIORITY}1 (?:-|(?P<iso>\S+)) (?:-|(?P<hostname>\S+)) (?:-|(?P<program>\S+)) "
SYSLOG_3164: Final = rf"^{_PRIORITY}{_BSD}(?:{_TAG})?"
SYSLOG_FILE: Final = rf"^{_BSD}{_TAG}"
"""RFC 3164 as syslog daemons write it to files: without the priority."""
SYSLOG_BARE: Final = rf"^{_PRIORITY}"
"""What small devices send: a priority, and any text."""

GRAFANA_REQUEST: Final = (
    r"\buname=(?P<user>\S*) .*msg=\"Request Completed\" method=(?P<method>[A-Z]+) "
    r"path=(?P<path>\S+) status=(?P<status>\d{3}) remote_addr=(?P<client>\S+)"
)
GRAFANA_LOGIN: Final = r'msg="Successful Login" User=(?P<user>\S+)'
GRAFANA_SIGNED: Final = (
    r"(?P<signed>method=POST path=/login |path=/login/[a-z_]+ |path=/logout |"
    r'msg="Successful Login")'
)
_CHANGED: Final = "|".join(
    (
        *("access-control", "admin", "alertmanager/grafana", "annotations", "auth", "dashboards", "folders", "orgs?"),
        *("library-elements", "playlists", "plugins", "preferences", "ruler", "serviceaccounts", "snapshots", "teams"),
        *("user/password", "users", "v1/provisioning", "datasources(?:/uid/[^/ ]+|/\\d+)? "),
    )
)
GRAFANA_CHANGED: Final = (
    rf"method=(?P<changed>POST|PUT|PATCH|DELETE) path=/(?:api/(?:{_CHANGED})|"
    r"apis/(?:dashboard|folder|iam|notifications|playlist|preferences|rules)\.)"
)
"""Parts of Grafana's API where a request that is not a GET changes something; queries are also sent as POST."""


def _severity(*numbers: int) -> str:
    """Expression of the priorities of these severities, of all 24 facilities."""
    return f"^(?:{'|'.join(str(8 * facility + number) for facility in range(24) for number in numbers)})$"


FINGERPRINT: Final = "fingerprint"
"""Field in which a JSON line says which error it is about, the same for each occurrence."""

SYSTEM: Final = "system"
"""Field in which a JSON line names the system that it is about."""

_FIELDS: Final[Mapping[str, tuple[Path, ...]]] = MappingProxyType(
    {
        # The last: Elastic's schema, flat and nested, and MongoDB.
        "level": (("level",), ("severity",), ("lvl",), ("levelname",), ("log.level",), ("log", "level"), ("s",)),
        "time": (("timestamp",), ("@timestamp",), ("time",), ("ts",), ("t", "$date")),
        "message": (("message",), ("msg",), ("event",)),
        "context": (("context",),),
        "correlation_id": (("correlation_id",), ("correlationId",), ("request_id",), ("requestId",)),
        "trace_id": (("trace_id",), ("traceId",), ("trace.id",), ("trace", "id")),
        "user": (("user_id",), ("userId",), ("user", "id"), ("user",)),
        "session": (("session_id",), ("sessionId",)),
        FINGERPRINT: (("fingerprint",), ("error", "fingerprint")),
        SYSTEM: (("system",),),
    }
)

FORMATS: Final[Mapping[LogFormat, Format]] = MappingProxyType(
    {
        "json": Format(
            extract=(Json(fields=_FIELDS),),
            required=("message",),
            metadata=("correlation_id", "trace_id", "context", "user", "session", FINGERPRINT),
            time="time",
        ),
        "nginx": Format(
            extract=(Regex(expression=NGINX_ACCESS), Regex(expression=NGINX_ERROR)),
            choices=(
                Choice(
                    target="level",
                    cases=(("error", "status", "^5"), ("warning", "status", "^4"), ("info", "status", "^[123]")),
                ),
            ),
            required=("access", "error"),
            metadata=("method", "status"),
            stamps=(
                Stamp(field="access", layout="%d/%b/%Y:%H:%M:%S %z"),
                Stamp(field="error", layout="%Y/%m/%d %H:%M:%S", zoned=False),
            ),
        ),
        "postgres": Format(
            extract=(Regex(expression=POSTGRES), Regex(expression=POSTGRES_CONTINUED)),
            required=("read",),
            # It names its zone, which may be a word that means several.
            stamps=(Stamp(field="read", zoned=False),),
        ),
        "redis": Format(
            extract=(Regex(expression=REDIS),),
            required=("role",),
            stamps=(Stamp(field="clock", layout="%d %b %Y %H:%M:%S", zoned=False),),
        ),
        # Sign-ins and changes with their user, as far as Grafana's own log shows them: `audit` is sign-in or change.
        "grafana": Format(
            extract=tuple(
                Regex(expression=one)
                for one in (LOGFMT, GRAFANA_REQUEST, GRAFANA_LOGIN, GRAFANA_SIGNED, GRAFANA_CHANGED)
            ),
            choices=(Choice(target="audit", cases=(("change", "changed", "."), ("sign-in", "signed", "."))),),
            required=("level",),
            metadata=("audit", "user", "method", "path", "status", "client"),
        ),
        "logfmt": Format(
            extract=(
                Regex(expression=LOGFMT),
                Regex(expression=r"(?:^|\s)(?:msg|message)=\"(?P<message>(?:[^\"\\]|\\.)*)\""),
                Regex(expression=r"(?:^|\s)trace_?[iI][dD]=\"?(?P<trace_id>\w+)"),
                Regex(expression=r"(?:^|\s)(?:correlation|request)_?[iI][dD]=\"?(?P<correlation_id>[\w-]+)"),
            ),
            required=("level",),
            metadata=("trace_id", "correlation_id"),
        ),
        "syslog": Format(
            extract=tuple(Regex(expression=one) for one in (SYSLOG_BARE, SYSLOG_3164, SYSLOG_FILE, SYSLOG_5424)),
            choices=(
                Choice(
                    target="level",
                    cases=(
                        ("critical", "priority", _severity(0, 1, 2)),
                        ("error", "priority", _severity(3)),
                        ("warning", "priority", _severity(4)),
                        ("info", "priority", _severity(5, 6)),
                        ("debug", "priority", _severity(7)),
                    ),
                ),
            ),
            required=("priority", "hostname"),
            metadata=("hostname", "program"),
            stamps=(
                Stamp(field="iso"),
                Stamp(field="clock", layout="%Y %b %e %H:%M:%S", yearless=True, zoned=False),
            ),
            unlevelled="priority",
        ),
        "klog": Format(
            extract=(Regex(expression=KLOG),),
            required=("read",),
            metadata=("source",),
            stamps=(Stamp(field="read", layout="%Y %m%d %H:%M:%S", yearless=True, zoned=False),),
        ),
        # No parser: no line can fail to parse, so none is marked.
        PLAIN: Format(),
    }
)
"""The formats by name: values of the Docker label `obs.logs`."""

SHAPES: Final[Mapping[LogFormat, str]] = MappingProxyType(
    {
        "json": r"^\s*\{\s*(?:[\"}]|$)",
        "klog": KLOG,
        # A program's own line may begin with a time, a word and a name too: a level is no host's name.
        "syslog": (
            r"^<\d{1,3}>(?:1 |[A-Z][a-z]{2} [ \d]\d )|"
            r"^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [^\s:\[\]]+(?:\[\d+\])?: |"
            r"^\d{4}-\d\d-\d\dT\S+ [a-z0-9][\w.-]* (?:kernel: |[^\s:\[\]]+\[\d+\]: )"
        ),
        "nginx": f"{NGINX_ACCESS}|{NGINX_ERROR}",
        "postgres": POSTGRES,
        "redis": REDIS,
        "logfmt": LOGFMT.replace("[A-Za-z]+", "[A-Za-z]+\\b"),
    }
)
"""Expression by which a line of the format `detected` is recognised, in order; any other line is plain."""

SERVICES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "prometheus": "logfmt",
        "alertmanager(?:-.+)?": "logfmt",
        "loki": "logfmt",
        "grafana": "grafana",
        "node-exporter": "logfmt",
        "blackbox-exporter": "logfmt",
        "postgres-exporter": "logfmt",
        "redis-exporter": "logfmt",
        "nginx-exporter-.+": "logfmt",
    }
)
"""Format by service of the stack (a regular expression); the lines of any other are detected."""

USUAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "nginx": "(?:.+[-_.])?nginx(?:[-_.].+)?",
        "postgres": "(?:.+[-_.])?(?:postgres|postgresql|pg)(?:[-_.].+)?",
        "redis": "(?:.+[-_.])?redis(?:[-_.].+)?",
    }
)
"""Common names (a regular expression) of the services of a watched system, by their format."""

_WORDS: Final = (
    "trace|debug|info|information|notice|warn|warning|error|err|severe|crit|critical|fatal|panic|alert|emerg|emergency"
)

LEVEL_MARKS: Final = (
    rf"(?:^|[\s\[(<|:=\"'])(?P<level>{_WORDS.upper()})(?:[\s\])>|:,;\"']|$)",
    rf"(?i)[\[(<](?P<level>{_WORDS})[\])>]",
    rf"(?i)^(?P<level>{_WORDS})\s*:",
    r"(?i)\b(?P<level>debug|info|warn(?:ing)?|error|fatal|panic)\b",
)
"""How a line without a parser names its level; the first that matches decides. A word in capitals, in brackets or at
the start of a line is a level; anywhere else it may be part of the text."""

TRACE: Final = (
    r"(?m)^(?:Traceback \(most recent call last\):|panic: |fatal error: |goroutine \d+ \[|Caused by: |"
    r"(?:Exception in thread |[A-Za-z_$][\w.$]*(?:Error|Exception)(?::|$))|thread '.*' panicked at )"
)
"""A stack trace: its line has at least the level error, whatever the line before it that it was joined to says."""

VARYING: Final = (
    # Of a trace the lines that are not indented: what failed, and why.
    (r"\n\s[^\n]*", ""),
    (r"\s+", " "),
    (r'"(?:[^"\\]|\\.)*"|`[^`]*`', "?"),
    (r"(^|[\s=:(\[,])'[^']*'", "$1?"),
    (r"\S+@\S+", "?"),
    (r"[a-z][a-z0-9+.-]*://\S+", "?"),
    (r"(^|[\s=:(\[,])(?:[A-Za-z]:\\|\.{0,2}/)[^\s,;:)\]]*", "$1?"),
    # Numbers, times, addresses and ids: every word with a digit.
    (r"[\w.:+-]*\d[\w.:+-]*", "?"),
    (r"(^.{300}).*", "$1"),
)
"""What differs between two occurrences of one error, and what replaces it, in order."""
