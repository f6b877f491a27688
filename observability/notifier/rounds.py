"""One round of the notifier: read Alertmanager's alerts, gather evidence for those that fire, send them with it.

Alertmanager keeps the annotations of the last sender. So what the notifier sends has the alert's own labels
and times, and is sent again after each message of Prometheus, which has no evidence. Only the standard library.
"""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from observability.alerting.causes import Active, Observed, causes
from observability.core.alert import NO_PROBLEM, PICTURE, UPDATE, UPDATE_SENT
from observability.notifier.client import Client, request
from observability.notifier.evidence import Facts, NoAnswerError, Observer
from observability.notifier.panels import Pictures
from observability.notifier.texts import OWN, annotations, with_own
from observability.notifier.updates import Document, Updates, again, matched

BUDGET: Final = 4.0
"""Seconds in which evidence is gathered; Alertmanager waits 10 s (`group_wait`) before the first message."""

AGAIN: Final = 15.0
"""Seconds after which the evidence of a new alert is gathered again: some causes show later than their effects."""

SETTLED: Final = 120.0
"""Seconds after which an alert is no longer new."""

RARELY: Final = 60.0
"""Seconds after which the evidence of an older alert is gathered again."""

TOGETHER: Final = 8
"""For how many systems evidence is gathered at the same time."""

LOOK: Final = 5.0
"""Seconds between two looks at the values of alerts."""

LEFT: Final = timedelta(seconds=10)
"""An alert that ends sooner than this gets no evidence."""


@dataclass
class Known:
    """The state of an alert that fires: its evidence, when it was seen first and gathered last (time.monotonic)."""

    seen: float
    gathered: float = -RARELY
    own: dict[str, str] = field(default_factory=dict)
    """The notifier's annotations."""
    drawing: "Future[str | None] | None" = None

    def due(self, now: float) -> bool:
        """Whether evidence is to be gathered."""
        return now - self.gathered >= (AGAIN if now - self.seen < SETTLED else RARELY)


@dataclass
class Counts:
    """What `/metrics` shows."""

    rounds: int = 0
    sent: int = 0
    updates: int = 0
    pictures: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    last: float = 0.0

    def failed(self, server: str) -> None:
        """Count a request to a server that gave no answer."""
        self.failures[server] = self.failures.get(server, 0) + 1


@dataclass
class Rounds:
    """The notifier's state from round to round."""

    facts: Facts
    client: Client
    updates: Updates
    counts: Counts = field(default_factory=Counts)
    known: dict[str, Known] = field(default_factory=dict)
    """By the alert's fingerprint."""
    looked: float = -LOOK
    pictures: Pictures | None = None
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(TOGETHER))
    pen: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    """Draws one picture at a time."""

    def run(self) -> None:
        """One round."""
        firing = self._firing()
        if firing:
            self._round(firing)
        self.counts.rounds += 1
        self.counts.last = time.time()

    def _round(self, firing: dict[str, list[Document]]) -> None:
        alerts, now = _all(firing), time.monotonic()
        self.known = {name: self.known.get(name) or Known(seen=now) for name in alerts}
        due = {name: one for name, one in alerts.items() if self.known[name].due(now)}
        levels = any(self.updates.of(one["labels"]) for one in alerts.values()) and now - self.looked >= LOOK
        active: list[Active] = []
        if due or levels:
            observer = self._observer(now + BUDGET)
            self.looked = now
            try:
                active = observer.alerts()
            except NoAnswerError:
                self.counts.failed("prometheus")
            self._draw(due, active)
            self._gather(observer, due, active, now + BUDGET)
            # They were read before the evidence was gathered, and may have ended since.
            firing = self._firing()
        self._collect_pictures()
        alerts = _all(firing)
        own = {name: one.own for name, one in self.known.items()}
        updates = self.updates.bodies(alerts, matched(alerts, active), own, now) if firing else []
        for address, some in firing.items():
            self._send(address, [*(body for one in some if (body := self._with_evidence(one))), *updates])
        self.counts.updates = self.updates.sent

    def _observer(self, deadline: float) -> Observer:
        return Observer(facts=self.facts, ask=partial(self.client.ask, deadline=deadline), missing=[])

    def _firing(self) -> dict[str, list[Document]]:
        """The alerts that each Alertmanager has and does not mute, by its address."""
        found: dict[str, list[Document]] = {}
        for address in self.client.servers["alertmanager"]:
            alone = Client({"alertmanager": [address]})
            try:
                asked = {"silenced": "false", "inhibited": "false"}
                alerts = alone.ask("alertmanager", "/api/v2/alerts", asked, time.monotonic() + BUDGET)
            except NoAnswerError:
                self.counts.failed("alertmanager")
                continue
            found[address] = [one for one in alerts if _real(one["labels"])]
        return found

    def _gather(
        self, observer: Observer, due: Mapping[str, Document], active: Sequence[Active], deadline: float
    ) -> None:
        """Gather the evidence of these alerts, as far as it is there in time."""
        for name in due:
            self.known[name].gathered = time.monotonic()
        groups: dict[tuple[str, int], list[tuple[str, Active]]] = {}
        for name, alert in matched(due, active).items():
            key = (alert.labels["system"], int(alert.since.timestamp()) // 300)
            groups.setdefault(key, []).append((name, alert))
        tasks = {}
        for group in groups.values():
            _, first = min(group, key=lambda one: one[1].since)
            tasks[self.pool.submit(observer.observed, first, active)] = group
        done, _ = wait(tasks, timeout=max(0.0, deadline - time.monotonic()))
        for task in done:
            for name, alert in tasks[task]:
                known = self.known[name]
                drawn = {PICTURE: known.own[PICTURE]} if PICTURE in known.own else {}
                known.own = {**self._evidence(alert, task.result()), **drawn}
        for sentence in observer.missing:
            self.counts.failed(sentence.partition(" ")[0])

    def _draw(self, due: Mapping[str, Document], active: Sequence[Active]) -> None:
        """Begin to draw the panels of new alerts."""
        if self.pictures is None:
            return
        for name, alert in matched(due, active).items():
            if self.known[name].drawing is None:
                notes, since = due[name]["annotations"], alert.since.timestamp()
                self.known[name].drawing = self.pen.submit(self.pictures.of, notes, since, self._ask)

    def _collect_pictures(self) -> None:
        for known in self.known.values():
            if known.drawing is not None and known.drawing.done() and PICTURE not in known.own:
                try:
                    address = known.drawing.result()
                except (NoAnswerError, OSError):
                    self.counts.failed("prometheus")
                    # Not again: the message has been sent by now.
                    known.drawing = Future()
                    continue
                if address is not None:
                    known.own[PICTURE] = address
                    self.counts.pictures += 1

    def _ask(self, kind: str, path: str, params: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
        return self.client.ask(kind, path, params, time.monotonic() + BUDGET)

    def _evidence(self, alert: Active, observed: Observed) -> dict[str, str]:
        depends = self.facts.depends.get(alert.labels["system"], ())
        return annotations(causes(alert, observed, depends), observed.lines)

    def _with_evidence(self, alert: Document) -> Document | None:
        """The alert with its evidence; None where it has that already, has none, or is about to end."""
        own = self.known[alert["fingerprint"]].own if alert["fingerprint"] in self.known else {}
        has = {name: text for name, text in alert["annotations"].items() if name in OWN}
        if not own or has == own or datetime.fromisoformat(alert["endsAt"]) - datetime.now(UTC) < LEFT:
            return None
        return again(alert, with_own(alert["annotations"], own))

    def _send(self, address: str, bodies: Sequence[Document]) -> None:
        if not bodies:
            return
        try:
            request(f"{address}/api/v2/alerts", time.monotonic() + BUDGET, bodies)
            self.counts.sent += len(bodies)
        except NoAnswerError:
            self.counts.failed("alertmanager")


def _real(labels: Mapping[str, str]) -> bool:
    return labels.get("alertname") not in NO_PROBLEM and not labels.keys() & {UPDATE, UPDATE_SENT}


def _all(firing: Mapping[str, Sequence[Document]]) -> dict[str, Document]:
    """The alerts of all servers, by fingerprint."""
    return {one["fingerprint"]: one for alerts in firing.values() for one in alerts}
