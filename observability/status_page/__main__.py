"""`python3 -m observability.status_page FILE`: write the page by this configuration, and again when it changes.

`--check FILE` only reads it. `/healthz` and `/metrics` are served on the file's `port`.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from observability.core import program
from observability.status_page.client import asker
from observability.status_page.model import STALE, Settings
from observability.status_page.writer import Counts, Writer, filled

STUCK: Final = STALE.total_seconds()
"""Seconds without a published page after which `/healthz` fails: by then it is stale."""


class StatusPage(program.Program):
    """The page by one configuration file, whose folder has the files that the command may name."""

    def __init__(self, path: Path, document: dict[str, Any], counts: Counts, started: float) -> None:
        pages = Path(document["pages"])
        places = {"folder": str(pages), **{name: str(path.parent / file) for name, file in document["files"].items()}}
        self.every = document["every"]
        self._counts = counts
        self._started = started
        self._writer = Writer(
            settings=Settings.read(document),
            ask=asker(document["prometheus"]),
            folder=Path(document["folder"]),
            pages=pages,
            command=filled(document["command"], places),
            counts=counts,
        )

    def round(self) -> None:
        """Write and publish the page."""
        self._writer.round()

    def trouble(self) -> str | None:
        """The page was not checked and published a short while ago, nor has the process just started."""
        return None if healthy(self._counts, self._started, time.time()) else "not checked or not published"

    def metrics(self) -> Iterator[str]:
        """The lines of `/metrics`."""
        return metrics(self._counts, self._started)


def healthy(counts: Counts, started: float, now: float) -> bool:
    """Whether the page was checked and published a short while ago, or the process has just started."""
    return now - max(min(counts.last_checked, counts.last_published), started) < STUCK


def metrics(counts: Counts, started: float) -> Iterator[str]:
    """The lines of `/metrics`."""
    values = {
        "rounds_total": ("counter", "Times that the page was written.", counts.rounds),
        "unanswered_rounds_total": ("counter", "Rounds without an answer of Prometheus.", counts.unanswered),
        "published_total": ("counter", "Runs of the command that succeeded.", counts.published),
        "unpublished_total": ("counter", "Runs of the command that failed.", counts.unpublished),
        "last_check_timestamp_seconds": ("gauge", "Last answer of Prometheus.", counts.last_checked),
        "last_publication_timestamp_seconds": ("gauge", "Last publication.", counts.last_published),
    }
    yield from program.exposition({f"status_page_{name}": value for name, value in values.items()})
    yield from program.exposition({"process_start_time_seconds": ("gauge", "Start of the process.", started)})


def main(arguments: list[str]) -> None:
    """Run until the process is ended."""
    counts, started = Counts(), time.time()
    program.main(arguments, lambda path, document: StatusPage(path, document, counts, started))


if __name__ == "__main__":
    main(sys.argv[1:])
