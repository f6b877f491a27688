"""The incidents of a stack: opened, described by notes, closed. Every change is a record that is only ever added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.operations.journal import Journal

DUE: Final = timedelta(hours=48)
"""How long after its end an incident's post-mortem is written."""

REVIEWED: Final = ("P1", "P2")
"""Priorities of incidents that need a post-mortem."""


def utc(at: datetime) -> str:
    """A time to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def lasted(length: timedelta) -> str:
    """A length of time, in minutes or in hours and minutes."""
    minutes = round(length.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened: `what` is its kind, like alert, silence, start, configuration, note."""

    at: datetime
    what: str
    text: str
    by: str = ""

    def document(self) -> dict[str, str]:
        """The event as JSON."""
        return {"at": self.at.isoformat(), "what": self.what, "text": self.text, "by": self.by}

    @classmethod
    def read(cls, document: Mapping[str, str]) -> "Event":
        """From JSON."""
        return cls(
            at=datetime.fromisoformat(document["at"]),
            what=document["what"],
            text=document["text"],
            by=document.get("by", ""),
        )


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One incident. `since` is when it began, `opened` when somebody opened it; `end` None: it is open.

    `events` are its own: opening, notes, priorities, end. `seen` is what the stack knew when it was closed; None: that
    was not recorded, as a server did not answer.
    """

    id: str
    title: str
    priority: str
    opened: datetime
    since: datetime
    systems: tuple[str, ...] = ()
    alert: str = ""
    end: datetime | None = None
    events: tuple[Event, ...] = ()
    seen: tuple[Event, ...] | None = None
    post_mortem: str = ""
    public: bool = False
    updates: tuple[Event, ...] = ()
    """What was said about it in public; the title is public too, its other events are not."""

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.end is None

    def state(self, now: datetime) -> str:
        """Open, or what is known of its post-mortem."""
        if self.end is None:
            return "open"
        if self.post_mortem:
            return f"closed, {self.post_mortem}"
        if self.priority not in REVIEWED:
            return "closed"
        due = self.end + DUE
        return f"closed, post-mortem {'overdue since' if due < now else 'due'} {utc(due)}"


def incidents(journal: Journal) -> list[Incident]:
    """Every incident, the oldest first."""
    found: dict[str, Incident] = {}
    for record in journal.records():
        before = found.get(str(record.get("id")))
        after = _changed(before, record)
        if after is not None:
            found[after.id] = after
    return list(found.values())


def overdue(journal: Journal, now: datetime) -> list[Incident]:
    """The incidents whose post-mortem should have been written by now."""
    return [
        one
        for one in incidents(journal)
        if one.end is not None and one.priority in REVIEWED and not one.post_mortem and one.end + DUE < now
    ]


def _changed(one: Incident | None, record: Mapping[str, Any]) -> Incident | None:
    """An incident after one more record; None where there is none that it could change."""
    kind, by = record.get("kind"), str(record.get("by", ""))
    at = datetime.fromisoformat(str(record["at"]))
    if kind == "open":
        return Incident(
            id=record["id"],
            title=record["title"],
            priority=record["priority"],
            opened=at,
            since=datetime.fromisoformat(record["since"]),
            systems=tuple(record.get("systems") or ()),
            alert=record.get("alert", ""),
            events=(Event(at=at, what="open", text=f"{record['priority']}: {record['title']}", by=by),),
        )
    if one is None:
        return None
    text = str(record.get("text", ""))
    if kind == "note":
        return replace(one, events=(*one.events, Event(at=at, what="note", text=text, by=by)))
    if kind == "priority":
        words = f"{one.priority} becomes {record['priority']}"
        return replace(
            one, priority=record["priority"], events=(*one.events, Event(at=at, what="priority", text=words, by=by))
        )
    if kind == "close":
        end = Event(at=at, what="close", text=text or "resolved", by=by)
        return replace(one, end=at, events=(*one.events, end))
    if kind == "seen":
        return replace(one, seen=tuple(map(Event.read, record["events"])))
    if kind == "public":
        said = Event(at=at, what="public", text=text, by=by)
        return replace(one, public=True, updates=(*one.updates, said), events=(*one.events, said))
    if kind == "post-mortem":
        return replace(one, post_mortem=f"post-mortem {text}")
    return one


@dataclass(frozen=True, kw_only=True)
class Incidents:
    """The incidents of one stack, to be changed. Two processes that change them at the same time take turns."""

    journal: Journal
    stack: str
    by: str
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def all(self) -> list[Incident]:
        """Every incident, the oldest first."""
        return incidents(self.journal)

    def find(self, given: str | None, *, only_open: bool = False) -> Incident:
        """The incident of this id, or the only open one; ConfigError where it is not clear which.

        Without `only_open`, where none is open, it is the one that ended last.
        """
        every = self.all()
        if given is not None:
            found = next((one for one in every if one.id == given), None)
            if found is None:
                raise ConfigError(
                    f"{self.stack} has no incident {given!r}",
                    f"{nearest(given, [one.id for one in every])}./obs incident list {self.stack} shows them",
                )
            if only_open and found.end is not None:
                raise ConfigError(
                    f"incident {found.id} is closed since {utc(found.end)}",
                    f'open another one: ./obs incident open "{found.title}" {self.stack}',
                )
            return found
        running = [one for one in every if one.is_open]
        if len(running) == 1:
            return running[0]
        if running:
            raise ConfigError(
                f"{len(running)} incidents of {self.stack} are open: {', '.join(one.id for one in running)}",
                "name one of them by its id",
            )
        ended = [one for one in every if one.end is not None]
        if ended and not only_open:
            return max(ended, key=lambda one: one.end or one.opened)
        raise ConfigError(
            f"no incident of {self.stack} is open",
            f"name one by its id, as in ./obs incident list {self.stack}, or open one: ./obs incident open TITLE",
        )

    def open(
        self, title: str, priority: str, since: datetime, systems: Sequence[str] = (), alert: str = ""
    ) -> Incident:
        """Open an incident. Its id is the day and a number."""
        with self.journal.locked() as file:
            day = f"{self.now:%Y-%m-%d}"
            count = sum(one.id.startswith(f"{day}-") for one in self.all())
            record = {
                **self._record("open", f"{day}-{count + 1}", self.now),
                "title": title,
                "priority": priority,
                "since": since.isoformat(),
                "systems": list(systems),
                "alert": alert,
            }
            self.journal.write(file, record)
        return self.find(record["id"])

    def note(self, given: str | None, text: str, at: datetime, priority: str | None = None) -> Incident:
        """Add a note, or another priority, or both, to an incident that is open or closed."""
        with self.journal.locked() as file:
            one = self.find(given, only_open=given is None)
            if at < one.since - timedelta(days=7):
                raise ConfigError(f"{utc(at)} is long before incident {one.id}", "correct --at")
            if text:
                self.journal.write(file, {**self._record("note", one.id, at), "text": text})
            if priority is not None and priority != one.priority:
                self.journal.write(file, {**self._record("priority", one.id, at), "priority": priority})
        return self.find(one.id)

    def close(self, given: str | None, text: str, at: datetime) -> Incident:
        """End an incident."""
        with self.journal.locked() as file:
            one = self.find(given, only_open=True)
            if at < one.since:
                raise ConfigError(
                    f"{utc(at)} is before incident {one.id} began, {utc(one.since)}",
                    "correct --at",
                )
            self.journal.write(file, {**self._record("close", one.id, at), "text": text})
        return self.find(one.id)

    def publish(self, given: str | None, text: str, at: datetime) -> Incident:
        """Add a public statement, which shows the incident on the status page."""
        with self.journal.locked() as file:
            one = self.find(given, only_open=given is None)
            self.journal.write(file, {**self._record("public", one.id, at), "text": text})
        return self.find(one.id)

    def resolve(self, given: str | None, text: str, at: datetime) -> Incident:
        """End an incident with a public statement."""
        one = self.close(given, text, at)
        return self.publish(one.id, text, at)

    def keep(self, one: Incident, seen: Sequence[Event]) -> None:
        """Store what the stack knew of a closed incident: its servers forget it."""
        self.journal.append({**self._record("seen", one.id, self.now), "events": [event.document() for event in seen]})

    def written(self, one: Incident, where: str) -> None:
        """Store that its post-mortem was drafted, and where."""
        self.journal.append({**self._record("post-mortem", one.id, self.now), "text": where})

    def _record(self, kind: str, name: str, at: datetime) -> dict[str, Any]:
        return {"id": name, "kind": kind, "at": at.isoformat(), "by": self.by}
