"""`python3 -m observability.notifier FILE`: run the notifier with this configuration, and again when it changes.

`--check FILE` only reads it. `/healthz` and `/metrics` are served on the file's `port`.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from observability.core import program
from observability.notifier.client import Client
from observability.notifier.evidence import Facts, Store
from observability.notifier.panels import NAME, Pictures
from observability.notifier.rounds import Counts, Rounds
from observability.notifier.updates import Updates
from observability.notifier.worse import Level

EVERY: Final = 1.0
"""Seconds between two rounds. Prometheus sends each alert again every 15 s, then without evidence; a message of that
second lacks it."""

TIDY: Final = 3600.0
"""Seconds between two removals of old pictures."""

STUCK: Final = 60.0
"""Seconds without a round after which `/healthz` fails."""


def facts(document: dict[str, Any]) -> Facts:
    """The facts of a configuration file."""
    return Facts(
        depends={name: tuple(others) for name, others in document["depends"].items()},
        jobs=document["jobs"],
        stores=tuple(
            Store(**{**store, "servers": tuple((system, instance) for system, instance in store["servers"])})
            for store in document["stores"]
        ),
        logs=document["logs"],
        spans=document["spans"],
    )


def configured(document: dict[str, Any], counts: Counts) -> Rounds:
    """The state for a configuration file, with nothing known yet."""
    worse = document["worse"]
    levels = {name: Level(**level) for name, level in worse["levels"].items()}
    return Rounds(
        facts=facts(document["facts"]),
        client=Client(document["servers"]),
        updates=Updates(levels=levels, settle=worse["settle"], pause=worse["pause"]),
        pictures=pictures(document.get("pictures")),
        counts=counts,
    )


def pictures(document: dict[str, Any] | None) -> Pictures | None:
    """Where pictures are drawn to; None where none are."""
    if document is None:
        return None
    # It takes a second, and memory.
    from observability.pictures.panel import picture

    return Pictures(
        folder=Path(document["folder"]),
        url=document["url"],
        panels=document["panels"],
        scrape=document["scrape"],
        draw=picture,
    )


class Notifier(program.Program):
    """The notifier by one configuration."""

    every = EVERY

    def __init__(self, document: dict[str, Any], counts: Counts, started: float) -> None:
        self._counts = counts
        self._started = started
        self._rounds = configured(document, counts)
        self._tidied = 0.0

    def round(self) -> None:
        """Read Alertmanager's alerts and send evidence; remove old pictures."""
        drawn = self._rounds.pictures
        if drawn and time.monotonic() - self._tidied > TIDY:
            drawn.tidy()
            self._tidied = time.monotonic()
        self._rounds.run()

    def trouble(self) -> str | None:
        """There was no round for a while."""
        return None if time.time() - max(self._counts.last, self._started) < STUCK else "no round for a minute"

    def metrics(self) -> Iterator[str]:
        """The lines of `/metrics`."""
        return metrics(self._counts, self._started)

    def page(self, path: str) -> program.Page | None:
        """The picture at a path."""
        drawn = self._rounds.pictures
        return picture_page(drawn.folder, path) if drawn else None


def picture_page(folder: Path, path: str) -> program.Page | None:
    """The picture of a folder at a path, None where there is none."""
    name = path.removeprefix("/pictures/")
    file = folder / name
    if not NAME.fullmatch(name) or not file.is_file():
        return None
    return program.Page(content=file.read_bytes(), kind="image/png")


def metrics(counts: Counts, started: float) -> Iterator[str]:
    """The lines of `/metrics`."""
    yield from program.exposition(
        {
            "notifier_rounds_total": ("counter", "Times that Alertmanager's alerts were read.", counts.rounds),
            "notifier_sent_alerts_total": ("counter", "Alerts that were sent with evidence.", counts.sent),
            "notifier_updates_total": ("counter", "Alerts that were sent again as they got worse.", counts.updates),
            "notifier_pictures_total": ("counter", "Panels that were drawn.", counts.pictures),
            "notifier_last_round_timestamp_seconds": ("gauge", "End of the last round.", counts.last),
            "process_start_time_seconds": ("gauge", "Start of the process.", started),
        }
    )
    name = "notifier_unanswered_requests_total"
    yield from (f"# HELP {name} Requests to a server that gave no usable answer in time.", f"# TYPE {name} counter")
    for service in ("alertmanager", "loki", "prometheus"):
        yield f'{name}{{service="{service}"}} {counts.failures.get(service, 0)}'


def main(arguments: list[str]) -> None:
    """Run until the process is ended."""
    counts, started = Counts(), time.time()
    program.main(arguments, lambda _, document: Notifier(document, counts, started))


if __name__ == "__main__":
    main(sys.argv[1:])
