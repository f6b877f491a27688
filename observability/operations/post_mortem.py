"""The draft of a post-mortem, in the form that the playbook states, with what is known filled in."""

from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta
from typing import Final

from observability.core.errors import ConfigError
from observability.operations.incidents import DUE, Event, Incident, lasted, utc
from observability.operations.playbook import FORM, PLAYBOOK, sections, table

FILL: Final = "**To fill in:**"
"""Mark of everything that a person has to write."""


def draft(one: Incident, events: Sequence[Event], playbook: str | None, missing: Sequence[str] = ()) -> str:
    """Markdown with a section for each part of the form; `missing` are servers that did not answer.

    ConfigError where the playbook has no form.
    """
    form = list(table(sections(playbook or "").get(FORM, "")))
    if not form:
        raise ConfigError(
            f"{PLAYBOOK} has no section {FORM!r} with a table of its parts",
            "restore the section: a row for each part, its name and its content",
        )
    lines = [f"# Post-mortem: {one.title}", "", *_head(one)]
    if missing:
        lines += ["", f"{FILL} the timeline is incomplete: {'; '.join(missing)}."]
    for name, *rest in form:
        content = rest[0] if rest else ""
        lines += ["", f"## {name}", *_part(name.lower(), content, one, events)]
    return "\n".join(lines) + "\n"


def _head(one: Incident) -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    yield f"| Incident | {_cell(one.id)} |"
    yield f"| Priority | {one.priority} |"
    yield f"| Began | {utc(one.since)} |"
    if one.end is None:
        yield f"| Ended | {FILL} it is still open |"
    else:
        yield f"| Ended | {utc(one.end)}, after {lasted(one.end - one.since)} |"
        yield f"| Due | {utc(one.end + DUE)} |"
    if one.systems:
        yield f"| Systems | {_cell(', '.join(one.systems))} |"


def _part(name: str, content: str, one: Incident, events: Sequence[Event]) -> Iterator[str]:
    """The lines of one part of the form: what is known, and what is to be filled in."""
    if name == "timeline":
        yield from _timeline(events)
        return
    if name == "impact":
        end = f"until {utc(one.end)}, {lasted(one.end - one.since)}" if one.end else "and it has not ended"
        yield f"From {utc(one.since)} {end}."
        yield ""
    elif name == "detection":
        yield _detection(one, events)
        yield ""
    elif name == "cause":
        changes = [
            event
            for event in events
            if event.what in ("start", "configuration", "deployment") and event.at <= one.since
        ]
        if changes:
            yield "What changed in the hour before:"
            yield ""
            yield from (f"- {utc(event.at)}: {event.text}" for event in changes)
            yield ""
    elif name == "actions":
        yield f"{FILL} {content or 'what is done, by whom, until when.'}"
        yield ""
        yield "| action | kind | owner | date | issue |"
        yield "|---|---|---|---|---|"
        yield from ("| | " + kind + " | | | |" for kind in ("prevent", "detect earlier", "limit the impact"))
        return
    yield f"{FILL} {content or 'in a few sentences.'}"


def _timeline(events: Sequence[Event]) -> Iterator[str]:
    yield "| time (UTC) | | what | by |"
    yield "|---|---|---|---|"
    day = ""
    for event in events:
        at = event.at.astimezone(UTC)
        shown = f"{at:%H:%M:%S}" if f"{at:%Y-%m-%d}" == day else f"{at:%Y-%m-%d %H:%M:%S}"
        day = f"{at:%Y-%m-%d}"
        yield f"| {shown} | {event.what} | {_cell(event.text)} | {_cell(event.by)} |"
    yield ""
    yield f"{FILL} messages to users, findings and actions that no note says."


def _detection(one: Incident, events: Sequence[Event]) -> str:
    alerts = [event for event in events if event.what == "alert" and event.text.endswith(" fires")]
    if not alerts:
        return "No alert began to fire in this time."
    first = alerts[0]
    late = first.at - one.since
    when = f"{lasted(late)} after the beginning" if late >= timedelta(0) else f"{lasted(-late)} before it was noticed"
    return f"The first alert was {first.text.removesuffix(' fires')} at {utc(first.at)}, {when}."


def _cell(text: str) -> str:
    """A text in a cell of a table."""
    return " ".join(text.replace("|", "\\|").split())
