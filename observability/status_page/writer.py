"""Rounds of the page: ask Prometheus, write the files, run the command that publishes them."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from observability.status_page import html
from observability.status_page.client import Ask, NoAnswerError, measured
from observability.status_page.documents import FEED, PAGE, STATUS, feed, status
from observability.status_page.files import write
from observability.status_page.history import History
from observability.status_page.model import Declared, Page, Row, Settings, state

DECLARED: Final = "declared.json"
"""What people declared, which `obs` writes to the folder of the data."""

_LAST: Final = "state.json"
_HISTORY: Final = "history.json"

BUDGET: Final = timedelta(seconds=5)
"""How long a round may go on counting earlier days."""

COUNT_EVERY: Final = timedelta(minutes=1)
"""How often the history is brought up to date; its points are as far apart."""

PUBLISH_SECONDS: Final = 60.0
"""How long the command may run."""


def _to_stderr(text: str) -> None:
    sys.stderr.write(f"{text}\n")


@dataclass
class Counts:
    """What the process counts."""

    rounds: int = 0
    unanswered: int = 0
    published: int = 0
    unpublished: int = 0
    last_checked: float = 0
    last_published: float = 0


@dataclass
class Writer:
    """The page. The files to publish are in `pages`, everything else in `folder`.

    `command` is run after each round in which the files changed; it publishes what is in `pages`.
    """

    settings: Settings
    ask: Ask
    folder: Path
    pages: Path
    command: Sequence[str] = ()
    counts: Counts = field(default_factory=Counts)
    say: Callable[[str], None] = _to_stderr
    """Reports a problem, which is never published."""
    declared: Callable[[], Declared] | None = None
    """What people declared; None: the file DECLARED of the folder."""
    counted: datetime | None = None
    pending: bool = True
    """Whether the files are not published as they are."""
    _read: Declared = field(default_factory=Declared)

    def round(self, now: datetime | None = None) -> Page:
        """Check, write and publish once. OSError where the files cannot be written."""
        now = now or datetime.now(UTC)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.pages.mkdir(parents=True, exist_ok=True)
        declared = self.declared() if self.declared is not None else self._declared()
        last = _last(self.folder / _LAST)
        states: dict[str, dict[str, Any]] = last["components"]
        checked = datetime.fromisoformat(last["checked"]) if last["checked"] else None
        try:
            found = {one.id: measured(self.ask, one, now) for one in self.settings.components}
        except NoAnswerError as error:
            self.counts.unanswered += 1
            self.say(f"Prometheus does not answer: {error}")
            found = {one.id: states.get(one.id, {}).get("measured", "unknown") for one in self.settings.components}
        else:
            checked = now
            self.counts.last_checked = now.timestamp()
        history = self._history()
        if checked == now:
            self._count(history, declared, now)
        rows, kept = [], {}
        for one in self.settings.components:
            shown = state(one, found[one.id], declared, now)
            before = states.get(one.id, {})
            since = before["since"] if before.get("state") == shown else now.isoformat()
            kept[one.id] = {"measured": found[one.id], "state": shown, "since": since}
            days = tuple(history.last(one.id, now.date()))
            rows.append(Row(component=one, state=shown, since=datetime.fromisoformat(since), days=days))
        page = Page(settings=self.settings, written=now, checked=checked, rows=tuple(rows), declared=declared)
        record = {"checked": checked.isoformat() if checked else None, "components": kept}
        write(self.folder / _LAST, json.dumps(record, indent=1) + "\n")
        self._publish(page, now)
        self.counts.rounds += 1
        return page

    def _count(self, history: History, declared: Declared, now: datetime) -> None:
        """Bring the history up to date; earlier days for as long as the round may take."""
        if self.counted is not None and now - self.counted < COUNT_EVERY:
            return
        begun, more = datetime.now(UTC), True
        try:
            while more and datetime.now(UTC) - begun < BUDGET:
                counted = [
                    history.advance(self.ask, one, declared.maintenance, now, self.settings.back)
                    for one in self.settings.components
                ]
                more = any(counted)
            if not more:
                self.counted = now
        except NoAnswerError as error:
            self.say(f"the history is behind: {error}")
        history.store(now.date())

    def _history(self) -> History:
        path = self.folder / _HISTORY
        try:
            return History.read(path)
        except ValueError as error:
            # Its days would be lost if the file were replaced.
            path.replace(path.with_name(f"{_HISTORY}.damaged"))
            self.say(f"{error}; it is kept as {_HISTORY}.damaged, and a new one is begun")
            return History(path)

    def _declared(self) -> Declared:
        """The file; what was read before where it is being written."""
        path = self.folder / DECLARED
        try:
            if path.is_file():
                self._read = Declared.read(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError) as error:
            self.say(f"{DECLARED} cannot be read: {error!r}")
        return self._read

    def _publish(self, page: Page, now: datetime) -> None:
        texts = {PAGE: html.page(page), STATUS: status(page), FEED: feed(page)}
        changed = [name for name, text in texts.items() if _text(self.pages / name) != text]
        # The page is the last: it asks for the others.
        for name in sorted(changed, key=lambda name: name == PAGE):
            write(self.pages / name, texts[name])
        self.pending = bool(changed) or self.pending
        if not self.command:
            self.counts.last_published = now.timestamp()
            return
        if not self.pending:
            return
        if problem := run(self.command):
            self.counts.unpublished += 1
            self.say(f"the page was not published: {problem}")
        else:
            self.pending = False
            self.counts.published += 1
            self.counts.last_published = now.timestamp()


def run(command: Sequence[str]) -> str:
    """What is wrong with the run of the command; empty where it published the page."""
    try:
        done = subprocess.run(
            list(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=PUBLISH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {PUBLISH_SECONDS:.0f} s"
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    if done.returncode == 0:
        return ""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return f"{command[0]} ended with exit code {done.returncode}{f': {said[-1]}' if said else ''}"


def filled(command: Sequence[str], places: dict[str, str]) -> tuple[str, ...]:
    """The command with its placeholders, like {folder}, replaced."""
    found = []
    for word in command:
        for name, value in places.items():
            word = word.replace(f"{{{name}}}", value)
        found.append(word)
    return tuple(found)


def _last(path: Path) -> dict[str, Any]:
    """The states of the round before; none where there was none."""
    empty: dict[str, Any] = {"checked": None, "components": {}}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return empty
    return found if isinstance(found, dict) and found.keys() == empty.keys() else empty


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
