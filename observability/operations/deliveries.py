"""Whether a message was delivered, by Alertmanager's counters and its log.

A counter distinguishes a receiver's integrations by kind only, so those of one kind have a common result; the log
says which of them failed, and why.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from observability.settings.notifications import Receiver

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]
"""Alertmanager's metrics: value by name and labels."""

_NO_ANSWER: Final = ("context deadline exceeded", "contextDeadlineExceeded")
"""Alertmanager's reasons for a server that did not respond."""

Verdict = Literal["ok", "FAIL", "muted", "later"]

LONGEST: Final = 300
"""Maximum characters of a server's response that are shown; some respond with a whole page."""

_FIELD: Final = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')
_ESCAPED: Final = re.compile(r"\\(.)")
_GIVEN_UP: Final = re.compile(
    r"(?P<receiver>[\w-]+)/(?P<integration>\w+\[\d+\]): notify retry canceled(?: due to unrecoverable error)? "
    r"after (?P<attempts>\d+) attempts: (?P<text>.*)"
)


@dataclass(frozen=True, kw_only=True)
class Post:
    """One integration that must be notified: its receiver in the settings, and its position in Alertmanager."""

    name: str
    """The receiver, as the settings name it."""
    receiver: str
    """Alertmanager's receiver that contains it."""
    integration: str
    index: int

    @property
    def place(self) -> tuple[str, str]:
        """Its name in Alertmanager's log: receiver and integration."""
        return self.receiver, f"{self.integration}[{self.index}]"


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The attempts of one kind of integration of one receiver since the test began."""

    accepted: int
    refused: int
    """Attempts, including retries."""
    given_up: int
    reasons: tuple[str, ...] = ()

    @property
    def through(self) -> int:
        """Messages that were delivered or have finally failed."""
        return self.accepted + self.given_up


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A server's error."""

    text: str
    attempts: int


@dataclass(kw_only=True)
class Watch:
    """The observations of a test so far."""

    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    took: dict[tuple[str, str], float] = field(default_factory=dict)
    """Seconds until all messages of a kind of integration were delivered or had finally failed."""
    muted: dict[str, str] = field(default_factory=dict)
    """What mutes the alert, by Alertmanager's receiver."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """The result at one receiver."""

    post: Post
    verdict: Verdict
    detail: str


def posts(receiver: str, members: Mapping[str, Receiver]) -> tuple[Post, ...]:
    """The integrations of one of Alertmanager's receivers, numbered within their kind as it numbers them."""
    count: dict[str, int] = {}
    found = []
    for name, member in members.items():
        integration = member.channel.counter
        index = count.get(integration, 0)
        count[integration] = index + 1
        found.append(Post(name=name, receiver=receiver, integration=integration, index=index))
    return tuple(found)


def kinds(members: Sequence[Post]) -> dict[tuple[str, str], list[Post]]:
    """The integrations that one counter counts together."""
    found: dict[tuple[str, str], list[Post]] = {}
    for post in members:
        found.setdefault((post.receiver, post.integration), []).append(post)
    return found


def tally(before: Samples, now: Samples, receiver: str, integration: str) -> Tally:
    """The increase of the counters of an integration."""

    def gained(name: str, reason: str | None = None) -> int:
        labels = {"receiver_name": receiver, "integration": integration} | ({"reason": reason} if reason else {})
        key = (f"alertmanager_{name}", frozenset(labels.items()))
        value, earlier = now.get(key, 0), before.get(key, 0)
        # A reload of the configuration resets them.
        return round(value - earlier if value >= earlier else value)

    refused = gained("notification_requests_failed_total")
    own = {("receiver_name", receiver), ("integration", integration)}
    reasons = {
        reason: gained("notifications_failed_total", reason)
        for name, labels in now
        if name == "alertmanager_notifications_failed_total" and own <= labels
        for label, reason in labels
        if label == "reason"
    }
    return Tally(
        accepted=gained("notification_requests_total") - refused,
        refused=refused,
        given_up=sum(reasons.values()),
        reasons=tuple(sorted(reason for reason, count in reasons.items() if count)),
    )


def names_receivers(samples: Samples) -> bool:
    """Whether the counters have a label for the receiver."""
    return any(
        name == "alertmanager_notifications_total" and "receiver_name" in dict(labels) for name, labels in samples
    )


def refusals(log: str, alertname: str, hidden: Collection[str] = ()) -> dict[tuple[str, str], Refusal]:
    """The last error of each integration to which this alert was sent, by receiver and integration.

    `hidden` are secrets, which are removed from a server's response.
    """
    found: dict[tuple[str, str], Refusal] = {}
    for line in log.splitlines():
        fields = {name: _unquoted(value) for name, value in _FIELD.findall(line)}
        if f'alertname="{alertname}"' not in fields.get("aggrGroup", ""):
            continue
        for place, refusal in _refusals(fields):
            text = refusal.text
            for secret in hidden:
                text = text.replace(secret, "[secret]")
            text = " ".join(text.split())
            # The next flush starts to count again.
            attempts = max(refusal.attempts, found[place].attempts if place in found else 0)
            found[place] = Refusal(text=text if len(text) <= LONGEST else f"{text[:LONGEST]}…", attempts=attempts)
    return found


def muted_by(status: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What mutes an alert, by its status; empty where nothing does.

    `names` are those of alerts, by fingerprint.
    """
    found = [f"silence {silence[:8]}" for silence in status["silencedBy"]]
    found += [f"mute time {name}" for name in status["mutedBy"]]
    found += [f"{names.get(alert, alert)}, which fires" for alert in status["inhibitedBy"]]
    return ", ".join(found)


def judge(members: Sequence[Post], watch: Watch, errors: Mapping[tuple[str, str], Refusal]) -> list[Row]:
    """A row for each receiver; `errors` are the errors of those that failed, by receiver and integration."""
    return [
        _row(post, len(together), watch, errors.get(post.place))
        for together in kinds(members).values()
        for post in together
    ]


def _row(post: Post, together: int, watch: Watch, refusal: Refusal | None) -> Row:
    key = (post.receiver, post.integration)
    found, took = watch.tallies.get(key, Tally(accepted=0, refused=0, given_up=0)), watch.took.get(key)
    if post.receiver in watch.muted:
        return Row(post=post, verdict="muted", detail=f"muted by {watch.muted[post.receiver]}")
    if took is not None and (not found.given_up or (refusal is None and found.given_up < together)):
        again = f", after {refusal.attempts} refusals: {refusal.text}" if refusal else ""
        by = "in" if together == 1 else "within"
        return Row(post=post, verdict="ok", detail=f"delivered {by} {took:.1f} s{again}")
    if refusal is None and not found.refused:
        return Row(post=post, verdict="FAIL", detail="no answer yet; Alertmanager keeps trying")
    text = refusal.text if refusal else ", ".join(found.reasons) or "refused"
    text = f"no answer in time ({text})" if text in _NO_ANSWER else text
    attempts = refusal.attempts if refusal else found.refused
    tried = f"{attempts} attempt{'s' if attempts > 1 else ''}"
    spent = f" in {took:.1f} s" if took is not None else ", still trying"
    return Row(post=post, verdict="FAIL", detail=f"{text} ({tried}{spent})")


def _refusals(fields: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], Refusal]]:
    """The errors in a line of the log: of an attempt that will be repeated, or of the last attempts."""
    error = fields.get("err", "")
    if "receiver" in fields and "integration" in fields:
        place = (fields["receiver"], fields["integration"])
        yield place, Refusal(text=error, attempts=int(fields.get("attempts", "1")))
    for match in _GIVEN_UP.finditer(error):
        place = (match["receiver"], match["integration"])
        yield place, Refusal(text=match["text"], attempts=int(match["attempts"]))


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return _ESCAPED.sub(lambda escaped: {"n": "\n", "t": "\t"}.get(escaped[1], escaped[1]), value[1:-1])
