"""How lines are parsed, as data: the format of each service, and the stages that extract values from a line.

Lines are stored unchanged. Few values become labels (`level`, and the `system` that a line names with its `team`,
in addition to those of the container); identifiers become structured metadata. A line that its parser cannot read is
kept, marked `parse_error=<format>`, and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from observability.logs import formats as f

UNPARSED: Final = "lines_unparsed_total"
PREFIX: Final = "obs_collector_"
"""The counter of unreadable lines is `obs_collector_lines_unparsed_total`, with the labels of the stream."""


SAID: Final = "said_system"
"""Labels that a line itself sets about its system."""


@dataclass(frozen=True, kw_only=True)
class Json:
    """Extract fields from a JSON line: name → path."""

    fields: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Regex:
    """Extract the named groups from a line that matches."""

    expression: str


@dataclass(frozen=True, kw_only=True)
class Template:
    """Set a value by a Go template over the extracted values; an empty result removes it."""

    source: str
    template: str


@dataclass(frozen=True, kw_only=True)
class Timestamp:
    """Use a value as the line's time; where it does not parse, the time at which Docker received the line is kept."""

    source: str
    format: str


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Values that become labels."""

    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Values that become structured metadata."""

    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Drop:
    """Labels that are not stored."""

    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Discard:
    """Drop the lines for which a value equals this one."""

    source: str
    value: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Count:
    """Count the lines that have such a value."""

    source: str
    name: str
    description: str


Stage = Json | Regex | Template | Timestamp | Labels | Metadata | Drop | Discard | Count


def _normalised() -> str:
    """Template that returns the canonical level; `unknown` where there is none."""
    return _choice("ToLower (printf `%v` .level)", f.LEVELS, f.UNKNOWN)


def _unless(field: str, name: str) -> Template:
    """Mark the lines in which the parser did not find its required field."""
    return Template(source="parse_error", template=f"{{{{ if not .{field} }}}}{name}{{{{ end }}}}")


HEAD: Final[tuple[Stage, ...]] = (
    Template(source="unselected", template="{{ if .container }}{{ else }}yes{{ end }}"),
    Discard(source="unselected", value="yes", reason="unselected"),
)
"""The first stages of every line. Promtail's Docker discovery reads containers that its relabelling drops all the
same and sends their lines without labels (3.6.3, `getStreamLabels` in targets/docker/target.go)."""


def tail(teams: Mapping[str, str]) -> tuple[Stage, ...]:
    """The last stages of every line, for any format; `teams` is the team of each known system.

    A process may write for several systems. A line that names a known one belongs to that system, any other to that of
    its container: so no line creates a label value that the settings do not know.
    """
    return (
        Metadata(names=("parse_error",)),
        Template(source="level", template=_normalised()),
        Template(
            source="system",
            template=_choice(f"printf `%v` .{SAID}", {name: (name,) for name in teams}, "{{ .system }}"),
        ),
        Template(
            source="team",
            template=_choice(
                "printf `%v` .system",
                {team: [name for name, own in teams.items() if own == team] for team in sorted(set(teams.values()))},
                "",
            ),
        ),
        Labels(names=("system", "team")),
        Drop(names=("format",)),
        Count(source="parse_error", name=UNPARSED, description="Lines kept though their parser could not read them."),
        Labels(names=("level",)),
    )


def _choice(source: str, words: Mapping[str, Sequence[str]], otherwise: str) -> str:
    """Template that returns the key whose words contain the value of `source`, an expression of Go's templates."""
    cases = [
        f"if or {' '.join(f'(eq $value `{word}`)' for word in found)} false }}}}{key}{{{{ "
        for key, found in words.items()
    ]
    return f"{{{{ $value := {source} }}}}{{{{ {'else '.join(cases)}else }}}}{otherwise}{{{{ end }}}}"


_HTTP_LEVEL: Final = Template(
    source="level",
    template=(
        "{{ if .status }}{{ if ge .status `500` }}error{{ else if ge .status `400` }}warning{{ else }}info{{ end }}"
        "{{ else if .level }}{{ .level }}{{ end }}"
    ),
)

FORMATS: Final[Mapping[str, tuple[Stage, ...]]] = MappingProxyType(
    {
        "json": (
            Json(
                fields={
                    name: name for name in ("level", "timestamp", "message", "context", "correlation_id", "trace_id")
                }
                | {SAID: "system"}
            ),
            Timestamp(source="timestamp", format="RFC3339Nano"),
            Metadata(names=("correlation_id", "trace_id", "context")),
            _unless("message", "json"),
        ),
        "nginx": (
            Regex(expression=f.NGINX_ACCESS),
            Regex(expression=f.NGINX_ERROR),
            Template(source="read", template="{{ if .access }}access{{ else if .error }}error{{ end }}"),
            Metadata(names=("method", "status")),
            _HTTP_LEVEL,
            _unless("read", "nginx"),
        ),
        "postgres": (
            Regex(expression=f.POSTGRES),
            Regex(expression=f.POSTGRES_CONTINUED),
            _unless("read", "postgres"),
        ),
        "redis": (
            Regex(expression=f.REDIS),
            _unless("role", "redis"),
        ),
        # Sign-ins and changes with their user, as far as Grafana's own log shows them: `audit` is sign-in or change.
        "grafana": (
            Regex(expression=f.LOGFMT),
            Regex(expression=f.GRAFANA_REQUEST),
            Regex(expression=f.GRAFANA_LOGIN),
            Regex(expression=f.GRAFANA_SIGNED),
            Regex(expression=f.GRAFANA_CHANGED),
            Template(source="audit", template="{{ if .changed }}change{{ else if .signed }}sign-in{{ end }}"),
            Metadata(names=("audit", "user", "method", "path", "status", "client")),
            _unless("level", "grafana"),
        ),
        "logfmt": (
            Regex(expression=f.LOGFMT),
            _unless("level", "logfmt"),
        ),
        # Formats without a parser: no line can fail to parse, so none is marked.
        "plain": (Regex(expression=r"(?i)\b(?P<level>debug|info|warn(?:ing)?|error|fatal|panic)\b"),),
    }
)
"""The stages by format."""

SERVICES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "prometheus": "logfmt",
        "alertmanager(?:-.+)?": "logfmt",
        "loki": "logfmt",
        "collector": "logfmt",
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

_OBJECT: Final = r"^\\s*[{]"


def matches() -> tuple[tuple[str, str], ...]:
    """Format and LogQL selector, in order; every line is parsed by exactly one, unless a parser marked it before."""
    named = tuple((kind, f'{{format="{kind}"}}') for kind in FORMATS)
    detected = (
        ("json", f'{{format="{f.DETECTED}"}} |~ "{_OBJECT}"'),
        ("plain", f'{{format="{f.DETECTED}"}} !~ "{_OBJECT}"'),
    )
    return (*named, *detected)
