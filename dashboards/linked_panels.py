"""The panels that alerts link to, for the pictures in messages."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from dashboards.datasources import PROMETHEUS
from dashboards.queries import panels
from dashboards.registry import dashboards
from observability.settings.load import StackConfig

_LINK: Final = re.compile(r"viewPanel=(\d+)")


def linked(config: StackConfig, rules: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The graphs that these rule files link to: title, queries, looks; by `<dashboard>/<panel>`.

    Only those on Prometheus' data, and none in a stack without pictures: to make all dashboards takes time.
    """
    if config.settings.part("notifier").pictures is None:
        return {}
    wanted = {int(number) for text in rules.values() for number in _LINK.findall(text)}
    found = {}
    for entry in dashboards(config):
        for panel in panels(json.loads(entry.text)):
            drawn = panel["type"] == "timeseries" and panel["id"] in wanted
            if drawn and all(target["datasource"]["uid"] == PROMETHEUS for target in panel["targets"]):
                found[f"{entry.uid}/{panel['id']}"] = {
                    "title": panel["title"],
                    "targets": [
                        {name: target[name] for name in ("expr", "refId", "legendFormat") if name in target}
                        for target in panel["targets"]
                        if not target.get("instant")
                    ],
                    "fieldConfig": panel.get("fieldConfig") or {},
                }
    return found
