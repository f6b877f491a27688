"""Updates: an alert that got much worse since its last message is sent to its receivers again.

Alertmanager sends a group again when an alert joins it. So an update is one more alert with the same labels and a new
value of the label `update`, which the templates do not show. Alertmanager would also send the end of that alert; so
another alert mutes it before it ends (`observability/alerting/inhibition.py`). Pure, only the standard library.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from observability.alerting.causes import Active
from observability.core.alert import UPDATE, UPDATE_SENT
from observability.notifier.worse import Level, much_worse, said

SHOWN: Final = 40.0
"""Seconds for which an update is in its group: more than Alertmanager's 10 s between two messages of a group, and the
turns of its replicas."""

MUTED: Final = 3.0
"""Seconds between the alert that mutes an update and the update's end."""

BORROWED: Final = timedelta(seconds=8)
"""How long an alert lasts by what the notifier sends. Alertmanager keeps a later end, so this matters only for an
alert that was resolved at the same moment: it ends before Alertmanager sends the first message of a group (10 s)."""

LIFE: Final = timedelta(minutes=2)
"""How long each of the two alerts lasts if the notifier ends."""

NAME: Final = "UpdateSent"
"""Name of the alert that mutes an update."""

Document = dict[str, Any]
"""An alert in the form of Alertmanager's API."""


@dataclass
class Running:
    """An update that is in its group."""

    body: Document
    since: float
    muted: float | None = None


@dataclass
class Told:
    """The value that an alert's last message told, when, and the updates so far."""

    value: float
    at: float
    first: bool = True
    count: int = 0


@dataclass
class Updates:
    """The updates of all alerts, by fingerprint. Times are those of time.monotonic, in seconds."""

    levels: Mapping[str, Level]
    settle: float
    """Seconds after an alert's first message before it may get worse: figures over five minutes rise for as long."""
    pause: float
    """Seconds between two updates of an alert."""
    told: dict[str, Told] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    sent: int = 0

    def of(self, labels: Mapping[str, str]) -> Level | None:
        """The level of an alert; None where its value is none."""
        return self.levels.get(f"{labels.get('alertname')}/{labels.get('severity')}")

    def bodies(
        self,
        firing: Mapping[str, Document],
        active: Mapping[str, Active],
        own: Mapping[str, Mapping[str, str]],
        now: float,
    ) -> list[Document]:
        """The alerts to send now; `firing`, `active` (of Prometheus) and `own` annotations by fingerprint."""
        self.told = {name: one for name, one in self.told.items() if name in firing}
        return [*self._ended(firing, now), *self._begun(firing, active, own, now)]

    def _begun(
        self,
        firing: Mapping[str, Document],
        active: Mapping[str, Active],
        own: Mapping[str, Mapping[str, str]],
        now: float,
    ) -> Iterator[Document]:
        for name, alert in active.items():
            level = self.of(alert.labels)
            if level is None or name not in firing or name in self.running:
                continue
            told = self.told.setdefault(name, Told(value=alert.value, at=now))
            if now - told.at < (self.settle if told.first else self.pause):
                continue
            if not much_worse(level, told.value, alert.value):
                continue
            count, texts = told.count + 1, {**firing[name]["annotations"], **alert.annotations, **own.get(name, {})}
            update = {**texts, UPDATE: said(level, told.value, alert.value)}
            body = _update(firing[name], update, f"{name}-{count}")
            self.told[name] = Told(value=alert.value, at=now, first=False, count=count)
            self.running[name] = Running(body=body, since=now)
            self.sent += 1
            # The alert itself as well: Alertmanager's may have the texts of some seconds ago.
            yield again(firing[name], texts)
            yield body

    def _ended(self, firing: Mapping[str, Document], now: float) -> Iterator[Document]:
        for name, one in list(self.running.items()):
            if name not in firing or (one.muted is not None and now - one.muted >= MUTED):
                # With its alert, or muted.
                del self.running[name]
                yield {**one.body, "endsAt": _now().isoformat()}
            elif one.muted is None and now - one.since >= SHOWN:
                one.muted = now
                labels = {"alertname": NAME, UPDATE: one.body["labels"][UPDATE], UPDATE_SENT: "yes"}
                yield {"labels": labels, "startsAt": _now().isoformat(), "endsAt": (_now() + LIFE).isoformat()}


def again(alert: Document, annotations: Mapping[str, str]) -> Document:
    """An alert of Alertmanager as it is sent again with other annotations, which changes nothing else of it."""
    end = datetime.fromisoformat(alert["endsAt"]) - timedelta(milliseconds=1)
    return {
        "labels": alert["labels"],
        "annotations": dict(annotations),
        "startsAt": alert["startsAt"],
        "endsAt": min(end, _now() + BORROWED).isoformat(),
        "generatorURL": alert["generatorURL"],
    }


def _update(alert: Document, annotations: Mapping[str, str], number: str) -> Document:
    return {
        **again(alert, annotations),
        "labels": {**alert["labels"], UPDATE: number},
        "endsAt": (_now() + LIFE).isoformat(),
    }


def _now() -> datetime:
    return datetime.now(UTC)


def matched(firing: Mapping[str, Document], active: Sequence[Active]) -> dict[str, Active]:
    """The alert of Prometheus behind each of Alertmanager's, by fingerprint. Sending adds labels.

    Alerts of other origin are left out: Prometheus' have an end of their own, and one that others sent may have none.
    """
    by_name: dict[str, list[Active]] = {}
    for alert in active:
        if alert.firing and "system" in alert.labels:
            by_name.setdefault(alert.name, []).append(alert)
    found = {}
    for name, one in firing.items():
        labels = one["labels"]
        fitting = [other for other in by_name.get(labels["alertname"], ()) if other.labels.items() <= labels.items()]
        if fitting:
            found[name] = max(fitting, key=lambda other: len(other.labels))
    return found
