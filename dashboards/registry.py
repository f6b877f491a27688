"""Every dashboard there is, and the JSON that Grafana is given."""

import json
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from config.load import StackConfig
from dashboards.overview import overview

FOLDER: Final = "observability"
"""uid of the folder that holds the dashboards of the stack itself."""

FOLDER_TITLES: Final = {FOLDER: "Observability"}
"""Every folder by its uid."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One dashboard: the folder it lies in, its uid, and itself as JSON."""

    folder: str
    uid: str
    text: str


def dashboards(config: StackConfig) -> tuple[Entry, ...]:
    """The dashboards of a stack; none where it has no Grafana."""
    if config.grafana_url is None:
        return ()
    made = [(FOLDER, overview(config))]
    return tuple(
        Entry(
            folder=folder,
            uid=str(dashboard.uid),
            text=json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True) + "\n",
        )
        for folder, dashboard in made
    )


def files(config: StackConfig) -> dict[str, str]:
    """Grafana's files as `synth` writes them: path → text."""
    return {f"dashboards/{entry.folder}/{entry.uid}.json": entry.text for entry in dashboards(config)}
