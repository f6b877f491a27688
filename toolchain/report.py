"""Output while things are obtained: one line for each thing, and progress of long steps."""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

FIRST_WORD: Final = 2.0
"""Seconds after which a step is shown as in progress."""
INTERVAL: Final = 15.0
"""Seconds between two lines about the same step where there is no terminal."""


class Task(Protocol):
    """One long step in progress."""

    def note(self, text: str) -> None:
        """Report the progress of the step."""


class Report(Protocol):
    """Receives lines and progress."""

    def line(self, item: str, text: str) -> None:
        """Report how one thing was obtained, and why that way."""

    def task(self, label: str) -> AbstractContextManager[Task]:
        """Show a step that may take long until the block ends; steps may overlap."""


class _PlainTask:
    """Prints a line at intervals, for logs."""

    def __init__(self, console: Console, label: str) -> None:
        self._console = console
        self._label = label
        self._note = ""
        self._done = threading.Event()
        self._start = time.monotonic()
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()

    def _speak(self) -> None:
        pause = FIRST_WORD
        while not self._done.wait(pause):
            pause = INTERVAL
            said = ", ".join(filter(None, (self._note, f"{time.monotonic() - self._start:.0f} s")))
            self._console.print(f"  {self._label}: {said}", markup=False, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        self._note = text

    def close(self) -> None:
        self._done.set()
        self._thread.join()


class _DrawnTask:
    """One row of a live display."""

    def __init__(self, progress: Progress, label: str) -> None:
        self._progress = progress
        self._label = label
        self._row = progress.add_task(label, total=None)

    def note(self, text: str) -> None:
        self._progress.update(self._row, description=f"{self._label}: {text}")

    def close(self) -> None:
        self._progress.remove_task(self._row)


class ConsoleReport:
    """Rows with a spinner on a terminal, plain lines at intervals elsewhere; on standard error by default."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._guard = threading.Lock()
        self._open = 0
        self._progress: Progress | None = None

    def line(self, item: str, text: str) -> None:
        """Print one line."""
        self.console.print(f"{item:<20} {text}", markup=False, highlight=False, soft_wrap=True)

    @contextlib.contextmanager
    def task(self, label: str) -> Iterator[Task]:
        """Show the step until the block ends."""
        task = self._begin(label)
        try:
            yield task
        finally:
            self._end(task)

    def _begin(self, label: str) -> _PlainTask | _DrawnTask:
        if not self.console.is_terminal:
            return _PlainTask(self.console, label)
        with self._guard:
            self._open += 1
            if self._progress is None:
                columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
                self._progress = Progress(*columns, console=self.console, transient=True)
                self._progress.start()
            return _DrawnTask(self._progress, label)

    def _end(self, task: _PlainTask | _DrawnTask) -> None:
        with self._guard:
            task.close()
            if isinstance(task, _DrawnTask):
                self._open -= 1
                if self._open == 0 and self._progress is not None:
                    self._progress.stop()
                    self._progress = None
