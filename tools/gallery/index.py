"""The page that lists the pictures: one line per dashboard, made from the dashboards and the pictures' metadata."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from dashboards.registry import Entry

HEAD: Final = """\
# Gallery

Every dashboard of the dev stack, as `make gallery` drew it from the data of a running one: the demo plays the five
systems. The pictures are made by this project's own renderer (`gallery/`), which asks Prometheus and Loki what Grafana
would ask and follows its layout, units and colours. They are not screenshots of Grafana: what one points at, filters
and unfolds there stands still here, and rows that Grafana shows folded at first are unfolded.

A panel is empty where nothing fails, where the stack was too young to have what it asks for, or where the part that
tells of it did not run. The generated lines below say how many of a dashboard's panels were.

![Overview](obs-overview.png)
"""


def index(entries: Sequence[Entry], folders: Mapping[str, str], facts: Mapping[str, Mapping[str, str]]) -> str:
    """The page's text; `facts` is the metadata of each picture, by the dashboard's uid."""
    parts = [HEAD]
    for uid, title in folders.items():
        parts.append(
            f"\n## {title}\n\n| dashboard | what it answers | panels | empty | drawn |\n|---|---|---|---|---|\n"
        )
        for entry in (entry for entry in entries if entry.folder == uid):
            document, said = json.loads(entry.text), facts[entry.uid]
            parts.append(
                f"| [{document['title']}]({entry.uid}.png) | {document['description']}"
                f" | {said['Panels']} | {said['Empty']} | {said['Drawn']} |\n"
            )
    return "".join(parts)
