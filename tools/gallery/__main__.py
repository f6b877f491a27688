"""`python -m tools.gallery [STACK]`: draw every dashboard of a running stack into docs/gallery, with an index."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dashboards.cloudwatch import UID as CLOUDWATCH
from dashboards.registry import Entry, dashboards, folders
from dashboards.sentry import UID as SENTRY
from observability.core.errors import ConfigError
from observability.core.types import seconds
from observability.operations.home import Home
from observability.pictures.theme import facts
from observability.settings.load import ROOT, StackConfig
from tools.gallery.index import index
from tools.gallery.page import draw
from tools.gallery.source import Source
from tools.gallery.view import View

FOLDER: Final = ROOT / "docs" / "gallery"


def main() -> None:
    """Read the arguments and draw; a ConfigError is two lines and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m tools.gallery", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("stack", nargs="?", default="dev", help="the stack, running on this machine")
    parser.add_argument("--only", metavar="UID", nargs="*", default=[], help="draw these dashboards alone")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to")
    parser.add_argument("--at", type=float, default=time.time() // 60 * 60, help="end of the time shown, Unix seconds")
    given = parser.parse_args()
    try:
        config = Home.find().config(given.stack).without({})
        entries = drawable(config)
        chosen = [entry for entry in entries if not given.only or entry.uid in given.only]
        pictures(config, chosen, given.out, given.at)
    except ConfigError as error:
        sys.stderr.write(f"{error.what}\n{error.fix}\n")
        sys.exit(2)
    if all((given.out / f"{entry.uid}.png").is_file() for entry in entries):
        tidy(config, entries, given.out)


def drawable(config: StackConfig) -> list[Entry]:
    """The dashboards whose data the stack itself has."""
    return [entry for entry in dashboards(config) if entry.uid not in (CLOUDWATCH, SENTRY)]


def pictures(config: StackConfig, entries: Sequence[Entry], out: Path, at: float) -> None:
    """Draw dashboards at a time in Unix seconds; ConfigError if the stack does not respond."""
    settings, titles = config.settings, folders(config)
    host = settings.bind_address
    source = Source(prometheus=f"http://{host}:{settings.prometheus.port}", loki=f"http://{host}:{settings.loki.port}")
    out.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        document = json.loads(entry.text)
        view = View.of(document, at, seconds(settings.prometheus.scrape_interval))
        drawn = draw(document, titles[entry.folder], source, view)
        (out / f"{entry.uid}.png").write_bytes(drawn.png)
        empty = f", empty: {', '.join(drawn.empty)}" if drawn.empty else ""
        sys.stdout.write(f"{entry.uid:<28} {len(drawn.png) / 1000:4.0f} kB, {drawn.panels} panels{empty}\n")


def tidy(config: StackConfig, entries: Sequence[Entry], out: Path) -> None:
    """Remove the pictures of dashboards that no longer exist, and write the index of the others."""
    known = {entry.uid for entry in entries}
    for picture in out.glob("*.png"):
        if picture.stem not in known:
            picture.unlink()
    said = {uid: facts(out / f"{uid}.png") for uid in known}
    (out / "README.md").write_text(index(entries, folders(config), said), encoding="utf-8")


if __name__ == "__main__":
    main()
