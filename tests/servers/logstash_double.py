"""A double of Logstash: reads the text of a pipeline, and does with events what its filters and its output would.

It knows what the pipelines of this repository are written in, and refuses anything else: the inputs tcp and http, the
filters mutate (remove_field, replace), split and json, conditions with `==` and `or`, and the output elasticsearch.
"""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

Event = dict[str, Any]

_TOKEN: Final = re.compile(r'\s*(?:#[^\n]*\n\s*)*("(?:[^"\\])*"|=>|==|[{}]|(?:\[@?\w+\])+|[\[\],]|[\w.]+)')


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A plugin and its settings."""

    name: str
    settings: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The branches of an `if`: field and value of each comparison, one of which must hold, and what is done then."""

    branches: list[tuple[list[tuple[str, str]], list[Any]]]
    otherwise: list[Any] = field(default_factory=list)


class Pipeline:
    """A pipeline by its text."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text)]
        self.sections: dict[str, list[Any]] = {}
        while self._tokens:
            name = self._take()
            self._expect("{")
            self.sections[name] = self._body()

    def input(self, name: str) -> dict[str, Any]:
        """The settings of an input."""
        (found,) = [one for one in self.sections["input"] if one.name == name]
        settings: dict[str, Any] = found.settings
        return settings

    def line(self, text: str) -> list[tuple[str, Event]]:
        """What a line by TCP becomes: index and document."""
        try:
            event = json.loads(text)
        except ValueError:
            event = {"message": text, "tags": ["_jsonparsefailure"]}
        return self.run(event, "tcp")

    def run(self, event: Event, name: str) -> list[tuple[str, Event]]:
        """What an event of an input becomes: index and document."""
        start = {"@timestamp": datetime.now(UTC).isoformat(), **copy.deepcopy(event)}
        for reference, value in self.input(name)["add_field"].items():
            _put(start, reference, value)
        return [self._stored(one) for one in self._all([start], self.sections["filter"])]

    def _stored(self, event: Event) -> tuple[str, Event]:
        (output,) = self.sections["output"]
        assert output.name == "elasticsearch"
        day = datetime.fromisoformat(event["@timestamp"]).astimezone(UTC)
        index = output.settings["index"].replace("%{+YYYY.MM.dd}", day.strftime("%Y.%m.%d"))
        index = re.sub(r"%\{([^}]+)\}", lambda found: str(_get(event, found[1])), index)
        # What is below @metadata is no part of the document.
        return index, {key: value for key, value in event.items() if key != "@metadata"}

    def _all(self, events: list[Event], steps: list[Any]) -> list[Event]:
        for step in steps:
            events = [made for event in events for made in self._one(event, step)]
        return events

    def _one(self, event: Event, step: Plugin | Choice) -> list[Event]:
        if isinstance(step, Choice):
            for comparisons, inner in step.branches:
                if any(_get(event, reference) == value for reference, value in comparisons):
                    return self._all([event], inner)
            return self._all([event], step.otherwise)
        return _FILTERS[step.name](event, step.settings)

    def _take(self) -> str:
        return self._tokens.pop(0)

    def _expect(self, *wanted: str) -> None:
        found = self._take()
        assert found in wanted, f"{found} where {wanted} was expected"

    def _body(self) -> list[Any]:
        """Plugins and choices up to the closing brace."""
        found: list[Any] = []
        while (name := self._take()) != "}":
            if name == "if":
                found.append(self._choice())
            else:
                self._expect("{")
                found.append(Plugin(name=name, settings=self._settings()))
        return found

    def _choice(self) -> Choice:
        branches = [(self._comparisons(), self._body())]
        while self._tokens[0] == "else":
            self._take()
            if self._take() == "{":
                return Choice(branches=branches, otherwise=self._body())
            branches.append((self._comparisons(), self._body()))
        return Choice(branches=branches)

    def _comparisons(self) -> list[tuple[str, str]]:
        found, last = [], "or"
        while last == "or":
            reference = self._take()
            self._expect("==")
            found.append((reference, self._take().strip('"')))
            last = self._take()
        assert last == "{"
        return found

    def _settings(self) -> dict[str, Any]:
        found = {}
        while (name := self._take()) != "}":
            self._expect("=>")
            found[name.strip('"')] = self._value()
        return found

    def _value(self) -> Any:  # noqa: ANN401 - a text, a list or a hash
        first = self._take()
        if first == "{":
            return self._settings()
        if first != "[":
            return first.strip('"')
        found = [self._value()]
        while self._take() == ",":
            found.append(self._value())
        return found


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        assert match, f"not understood: {text[place : place + 60]!r}"
        yield match[1]
        place = match.end()


def _path(reference: str) -> list[str]:
    return re.findall(r"\[([^\]]+)\]", reference) or [reference]


def _get(event: Event, reference: str) -> Any:  # noqa: ANN401 - any value of JSON
    found: Any = event
    for key in _path(reference):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _put(event: Event, reference: str, value: Any) -> None:  # noqa: ANN401 - as above
    *folders, last = _path(reference)
    for key in folders:
        event = event.setdefault(key, {})
    event[last] = value


def _mutate(event: Event, settings: dict[str, Any]) -> list[Event]:
    assert settings.keys() <= {"remove_field", "replace"}
    for reference, value in settings.get("replace", {}).items():
        _put(event, reference, value)
    for name in settings.get("remove_field", []):
        event.pop(name, None)
    return [event]


def _split(event: Event, settings: dict[str, Any]) -> list[Event]:
    found = _get(event, settings["field"])
    assert isinstance(found, list)
    made = []
    for one in found:
        other = copy.deepcopy(event)
        _put(other, settings["field"], one)
        made.append(other)
    return made


def _json(event: Event, settings: dict[str, Any]) -> list[Event]:
    # Its fields are added to those of the event, and its time becomes that of the event.
    event.update(json.loads(_get(event, settings["source"])))
    return [event]


_FILTERS: Final = {"mutate": _mutate, "split": _split, "json": _json}
