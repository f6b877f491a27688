"""Problems that only the samples or consecutive responses show: timestamps, duplicates, several workers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from observability.systems.exposed import Exposed, find
from observability.systems.exposition import Page

AHEAD: Final = 10 * 60_000
"""Milliseconds; a sample further in the future is dropped (`maxAheadTime` in Prometheus' scrape)."""

BEHIND: Final = 60 * 60_000
"""Milliseconds; a sample older than half a block, which is two hours, is dropped (`minValidTime` in its storage)."""

LOOKBACK: Final = 5 * 60_000
"""Milliseconds; rules and panels do not see a sample older than this (`--query.lookback-delta`)."""

SECONDS: Final = 10**11
"""A time below this, read as milliseconds, is before March 1973: it is in seconds."""

MILLISECONDS: Final = 10**14
"""A time above this, read as milliseconds, is after the year 5138: a wrong unit, in either format."""


def times(live: Exposed, at: int | None) -> Iterator[str]:
    """The samples of a series that Prometheus drops because of their timestamps; `at` is that of the scrape."""
    stamped = [sample.time for sample in live.samples if sample.time is not None]
    if not stamped:
        return
    oldest, newest, whole = min(stamped), max(stamped), len(stamped) == len(live.samples)
    share = "every sample" if whole else f"{len(stamped)} of {len(live.samples)} samples"
    if newest < SECONDS:
        yield (
            f"carries times in seconds, and the text format has milliseconds: {newest} is {_date(newest)}. "
            f"Prometheus drops {share} as too old; leave the times out"
        )
    elif oldest > MILLISECONDS:
        yield (
            f"carries the time {newest} ms, which is beyond the year 5138 (the text format has milliseconds, "
            f"OpenMetrics seconds). Prometheus drops {share} as too far in the future; leave the times out"
        )
    elif at is None:
        return
    elif oldest > at + AHEAD:
        yield f"carries times that are {_ago(oldest - at)} ahead: Prometheus drops {share}; correct the clock"
    elif newest < at - BEHIND:
        yield f"carries times that are {_ago(at - newest)} old: Prometheus drops {share} as too old"
    elif newest < at - LOOKBACK:
        yield f"carries times that are {_ago(at - newest)} old: rules see no sample older than 5 minutes"


def duplicates(live: Exposed) -> Iterator[str]:
    """Series that one response contains more than once: the first sample is stored, the others are dropped."""
    seen: set[object] = set()
    twice = 0
    example = ""
    for sample in live.samples:
        key = (*sample.series, sample.time)
        if key in seen:
            twice += 1
            labels = ",".join(f'{label}="{value}"' for label, value in sample.labels)
            example = example or f"{sample.name}{{{labels}}} (line {sample.line})"
        seen.add(key)
    if twice:
        more = f" and {twice - 1} more" if twice > 1 else ""
        yield f"is sent twice with the same labels, and Prometheus drops the second sample: {example}{more}"


def falls(name: str, live: Exposed, later: Sequence[Mapping[str, Exposed]]) -> Iterator[str]:
    """A counter that is lower in a later response although the process did not restart."""
    if live.kind not in ("counter", "histogram"):
        return
    before = _values(live)
    for page in later:
        now = find(page, name)
        if now is None:
            continue
        after = _values(now)
        for key in sorted(before.keys() & after.keys()):
            if after[key] < before[key]:
                labels = ",".join(f'{label}="{value}"' for label, value in key[1])
                yield (
                    f"falls from {before[key]:g} to {after[key]:g} between two answers ({key[0]}{{{labels}}}): "
                    "several processes answer in turn, each with counters of its own, and every change counts as a "
                    "restart. Add their figures up (the client library's multiprocess or cluster mode), or scrape "
                    "each at an address of its own"
                )
                return
        before = before | after


def _values(live: Exposed) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {sample.series: sample.value for sample in live.samples if not sample.name.endswith("_sum")}


def changes(pages: Sequence[Page]) -> Iterator[str]:
    """Signs that several processes respond: the start time changes, or series appear and disappear."""
    starts = [
        next((sample.value for sample in page.samples if sample.name == "process_start_time_seconds"), None)
        for page in pages
    ]
    known = [start for start in starts if start is not None]
    if len(set(known)) > 1:
        if known == sorted(known) and len(set(known)) == 2:
            yield "the process started anew between two answers, or two processes answer; check once more"
        else:
            yield f"{len(set(known))} processes answer in turn (process_start_time_seconds changes to and fro)"
        return
    series = [{sample.series for sample in page.samples} for page in pages]
    gone = {one for before, after in pairwise(series) for one in before - after}
    if gone:
        name = min(gone)[0]
        yield f"{len(gone)} series are in one answer and not in the next, like {name}: do several processes answer?"


def _date(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d")


def _ago(milliseconds: int) -> str:
    minutes = milliseconds / 60_000
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
