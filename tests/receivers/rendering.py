"""Messages rendered by Alertmanager's own code: `amtool template render` in the pinned image."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from observability.alerting import messages
from observability.settings.load import StackConfig
from tests.tools import run_tool

HTML: Final = frozenset(("obs.telegram", "obs.mail"))
"""Templates that Alertmanager renders as HTML, with automatic escaping."""

END: Final = "\x1e"
"""Printed after each text."""

Data = dict[str, Any]
"""The data of a template."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert as it appears in a message."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    resolved: bool = False
    starts: str = "2026-11-21T12:22:30.7Z"
    ends: str = "2026-11-21T12:40:12.7Z"

    @property
    def status(self) -> str:
        """`firing` or `resolved`."""
        return "resolved" if self.resolved else "firing"


def group(*alerts: Alert, address: str = "https://alerts.example.com") -> Data:
    """The alerts of one message, as Alertmanager passes them to a template."""
    return {
        "receiver": "default",
        "status": "resolved" if all(alert.resolved for alert in alerts) else "firing",
        "alerts": [
            {
                "status": alert.status,
                "labels": dict(alert.labels),
                "annotations": dict(alert.annotations),
                "startsAt": alert.starts,
                "endsAt": alert.ends if alert.resolved else "0001-01-01T00:00:00Z",
            }
            for alert in alerts
        ],
        "commonLabels": _common([alert.labels for alert in alerts]),
        "commonAnnotations": _common([alert.annotations for alert in alerts]),
        "externalURL": address,
    }


def render(config: StackConfig, wanted: Sequence[tuple[str, Data]]) -> list[str]:
    """Each text of a receiver that is or contains a template call, rendered with its data."""
    files = dict(messages.files(config))
    runs: dict[tuple[int, str], list[int]] = {}
    for index, (text, data) in enumerate(wanted):
        kind = "html" if any(f'"{name}"' in text for name in HTML) else "text"
        runs.setdefault((id(data), kind), []).append(index)
    lines = ["set -e"]
    for number, ((_, kind), indices) in enumerate(runs.items()):
        files[f"{number}.json"] = json.dumps(wanted[indices[0]][1])
        files[f"{number}.txt"] = "".join(wanted[index][0] + END for index in indices)
        lines.append(
            f"amtool template render --template.glob='templates/*.tmpl' --template.type={kind} "
            f'--template.text="$(cat {number}.txt)" --template.data={number}.json'
        )
    done = run_tool("alertmanager", ["sh", "-c", "\n".join(lines)], files)
    assert done.code == 0, done.output
    texts = done.output.split(END)[:-1]
    order = [index for indices in runs.values() for index in indices]
    return [text for _, text in sorted(zip(order, texts, strict=True))]


def call(name: str) -> str:
    """The text that calls a template."""
    return f'{{{{ template "{name}" . }}}}'


def _common(sets: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *others = sets
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}
