"""What a silence mutes, by the rules and by the firing alerts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from observability.alerting.alerts import Alerts
from observability.alerting.inhibition import CAUSE_LABEL
from observability.alerting.matchers import Matcher
from observability.operations.alertmanager import Document


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What a silence mutes: firing alerts, rules that can fire, and alerts that those firing alerts mute."""

    firing: tuple[Document, ...]
    names: tuple[str, ...]
    muted: tuple[tuple[Document, Document], ...]
    """A firing alert that the silence mutes, and an alert outside the silence that it mutes by inhibition."""


def reach(wanted: Collection[Matcher], known: Alerts, current: Collection[Document]) -> Reach:
    """What a silence with these matchers mutes, by the rules and by the current alerts of Alertmanager."""

    def silenced(alert: Document) -> bool:
        return all(matcher.holds(alert["labels"]) for matcher in wanted)

    def can_fire(labels: Mapping[str, str]) -> bool:
        # A rule may set other labels from its expression.
        return all(matcher.label not in labels or matcher.holds(labels) for matcher in wanted)

    firing = [alert for alert in current if silenced(alert)]
    by_fingerprint = {alert["fingerprint"]: alert for alert in firing}
    names = [
        name for name, rules in known.items() if any(can_fire({"alertname": name, **one.labels}) for one in rules)
    ]
    muted = [
        (by_fingerprint[source], alert)
        for alert in current
        if not silenced(alert)
        for source in alert["status"]["inhibitedBy"]
        if source in by_fingerprint
    ]
    return Reach(firing=tuple(firing), names=tuple(names), muted=tuple(muted))


def effects(found: Reach) -> tuple[tuple[Matcher, ...], ...]:
    """The matchers of the silences for what the silenced alerts mute: one for each of those alerts."""
    made = {}
    for _, alert in found.muted:
        labels = {name: value for name, value in alert["labels"].items() if name != CAUSE_LABEL}
        made[tuple(sorted(labels.items()))] = tuple(
            Matcher(label=name, value=value) for name, value in sorted(labels.items())
        )
    return tuple(made.values())
