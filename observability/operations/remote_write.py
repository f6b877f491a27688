"""Whether the receivers of remote write take the samples of this stack: a row of `verify` for each."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import docker
from docker.errors import NotFound

from observability.core import naming
from observability.operations.parts import Answer, Get, Retry
from observability.operations.rows import Verdict
from observability.settings.load import StackConfig
from observability.settings.remote_write import RemoteWriteSettings

WINDOW: Final = 120
"""Seconds within which failed and repeated samples are counted; at least two scrapes."""

_PREFIX: Final = "prometheus_remote_storage"
_KINDS: Final = ("samples", "histograms")

_OWN: Final = f'job="prometheus", system="{naming.PLATFORM}", host=""'
"""Labels of the stack's own Prometheus; the agents' have a host."""

_ERROR: Final = re.compile(r'\berr="((?:[^"\\]|\\.)*)"')

_DENIED: Final = re.compile(r"HTTP status 40[13]\b")
"""In an error: the receiver refuses the credential."""

_MOST: Final = 160
"""Characters of an answer that are shown."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """The queue of a receiver: samples that wait, and those of the window by what became of them.

    `accepted_at` is the Unix time at which samples were last accepted, 0: never in the last hour. A request that is
    repeated is in `sent` and in `retried`. `total` is what was sent since the queue exists, `behind` the age, seconds,
    of the newest sample that was answered while others wait, and `answered` whether there was one.
    """

    pending: float
    total: float
    behind: float
    answered: bool
    sent: float
    failed: float
    retried: float
    accepted_at: float

    @property
    def accepted(self) -> float:
        """Samples of the window that the receiver took."""
        return max(self.sent - self.failed - self.retried, 0.0)


def targets(config: StackConfig, client: docker.DockerClient, get: Get, retry: Retry) -> Iterator[Answer]:
    """A row for each receiver of the settings."""
    receivers = config.settings.receivers
    if not receivers:
        return
    found: dict[str, Queue] = {}

    def all_accept() -> bool:
        found.clear()
        found.update(_queues(get))
        return all(one.name in found and _verdict(one, found[one.name])[0] == "passed" for one in receivers)

    retry(all_accept)
    for one in receivers:
        name = f"remote write {one.name}"
        if one.name not in found:
            yield name, "failed", "Prometheus has no such queue; ./obs logs prometheus says why"
            continue
        verdict, why = _verdict(one, found[one.name])
        queue = found[one.name]
        reason = _reason(client, config.stack, one.name) if verdict in ("failed", "warning") else ""
        # Prometheus logs one such error a minute, of whichever receiver: that of another may have been the one.
        denied = _DENIED.search(reason) or (not reason and queue.failed and not queue.accepted)
        secrets = [each for _, _, each in one.secrets] if denied else []
        fixes = (f"replace the credential: ./obs secret set {each} {config.stack}" for each in secrets)
        yield name, verdict, "; ".join(part for part in (why, _figures(queue), reason, *fixes) if part)


def _verdict(one: RemoteWriteSettings, queue: Queue) -> tuple[Verdict, str]:
    if queue.failed and not queue.accepted:
        return "failed", "rejects all samples"
    if queue.failed:
        return "failed", f"rejects {queue.failed / (queue.failed + queue.accepted):.2%} of the samples"
    if not queue.answered and (queue.total or queue.pending):
        return "failed", "has answered no request yet"
    if queue.behind > WINDOW:
        return "failed", f"is {queue.behind:.0f} s behind"
    if queue.retried:
        return "warning", "takes samples only at a repetition"
    if queue.total:
        return "passed", ""
    if one.keep or one.drop:
        return "warning", "nothing was sent: keep and drop leave no sample"
    return "failed", "nothing was sent yet"


def _figures(queue: Queue) -> str:
    counted = [f"{queue.pending:.0f} samples pending", f"{queue.failed:.0f} failed"]
    if queue.retried:
        counted.append(f"{queue.retried:.0f} repeated")
    age = time.time() - queue.accepted_at
    last = f"last accepted {max(age, 0):.0f} s ago" if queue.accepted_at else "none accepted in the last hour"
    return f"{', '.join(counted)} in {WINDOW // 60} min, {last}"


def _queues(get: Get) -> Iterator[tuple[str, Queue]]:
    """The queue of each receiver, by its name."""
    labels = f"{{{_OWN}}}"
    series = {what: _sum(f"{what}{labels}") for what in ("pending", "total", "failed_total", "retried_total")}
    now = {what: _values(get, query) for what, query in series.items()}
    earlier = {
        what: _values(get, _sum(f"{what}{labels} offset {WINDOW}s"))
        for what in ("total", "failed_total", "retried_total")
    }
    accepted = f"({series['total']} - {series['failed_total']} - {series['retried_total']})"
    # The time is 0 where nothing was accepted in the step before.
    earlier_accepted = f"({accepted.replace(labels, f'{labels} offset 15s')} or 0 * {accepted})"
    last = _values(get, f"max_over_time((({accepted} - {earlier_accepted} > bool 0) * time())[1h:15s])")
    answered = f"max by (remote_name) ({_PREFIX}_queue_highest_sent_timestamp_seconds{labels})"
    newest = f"scalar(max({_PREFIX}_highest_timestamp_in_seconds{labels}))"
    sent_at, behind = _values(get, answered), _values(get, f"{newest} - {answered}")
    for name, total in now["total"].items():
        change = {what: _change(now[what].get(name, 0.0), before.get(name)) for what, before in earlier.items()}
        accepts = change["total"] > change["failed_total"] + change["retried_total"]
        yield (
            name,
            Queue(
                pending=now["pending"].get(name, 0.0),
                total=total,
                behind=behind.get(name, 0.0) if now["pending"].get(name) else 0.0,
                answered=bool(sent_at.get(name)),
                sent=change["total"],
                failed=change["failed_total"],
                retried=change["retried_total"],
                # The steps of the range may have missed what was accepted just now.
                accepted_at=last.get(name) or (time.time() if accepts else 0.0),
            ),
        )


def _sum(rest: str) -> str:
    """A series of samples and the same of histograms, added up."""
    return f"sum by (remote_name) ({' + '.join(f'{_PREFIX}_{kind}_{rest}' for kind in _KINDS)})"


def _change(now: float, before: float | None) -> float:
    """By how much a counter rose; it begins at 0 when the receiver's settings change, or Prometheus restarts."""
    return now if before is None or before > now else now - before


def _values(get: Get, query: str) -> dict[str, float]:
    result = get("prometheus", "/api/v1/query", query=query)["data"]["result"]
    return {one["metric"].get("remote_name", ""): float(one["value"][1]) for one in result}


def _reason(client: docker.DockerClient, stack: str, name: str) -> str:
    """The last error of this receiver in Prometheus' log; empty where there is none."""
    try:
        container = client.containers.get(naming.container(stack, "prometheus"))
        text = container.logs(since=int(time.time()) - 2 * WINDOW, tail=500).decode(errors="replace")
    except NotFound:
        return ""
    return last_error(text, name)


def last_error(text: str, name: str) -> str:
    """The last error about a receiver in lines of Prometheus' log; what the receiver itself wrote is cut."""
    for line in reversed(text.splitlines()):
        error = _ERROR.search(line)
        if error and f" remote_name={name} " in line:
            plain = " ".join(error[1].replace('\\"', '"').replace("\\n", " ").split())
            return plain if len(plain) <= _MOST else f"{plain[: _MOST - 1]}…"
    return ""
