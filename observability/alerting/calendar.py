"""The on-call schedule as an iCalendar file (RFC 5545).

The same shifts always give the same file: an event is identified by its team and its start, and its timestamp is
the start. Times are in UTC, so that they do not depend on a calendar's time zone data.
"""

from collections.abc import Iterable, Mapping

from icalendar import Calendar, Event, vCalAddress

from observability.alerting.on_call import Shift
from observability.core.naming import PROJECT
from observability.settings.on_call import Person


def calendar(stack: str, people: Mapping[str, Person], shifts: Iterable[tuple[str, Shift]]) -> bytes:
    """The file with these shifts, each with its team."""
    made = Calendar()
    made.add("prodid", f"-//{PROJECT}//on call//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", f"On call, {stack}")
    for team, shift in shifts:
        made.add_component(_event(stack, team, people[shift.person], shift))
    written: bytes = made.to_ical(sorted=False)
    return written


def _event(stack: str, team: str, person: Person, shift: Shift) -> Event:
    event = Event()
    event.add("uid", f"{shift.start:%Y%m%dT%H%M%SZ}-{team}@{stack}.{PROJECT}")
    event.add("dtstamp", shift.start)
    event.add("dtstart", shift.start)
    event.add("dtend", shift.end)
    event.add("summary", f"{person.name} on call for {team}")
    reach = [f"mail: {person.email}", *([f"phone: {person.phone}"] if person.phone else [])]
    event.add("description", "\n".join([*reach, f"by: onCall.schedules.{team}.{shift.why}"]))
    attendee = vCalAddress(f"mailto:{person.email}")
    attendee.params["CN"] = person.name
    event.add("attendee", attendee, encode=False)
    event.add("transp", "TRANSPARENT")
    return event
