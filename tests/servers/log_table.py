"""The table of `log_cases.py` as files of Docker, and as what is right for each line."""

from collections.abc import Mapping

from observability.logs.sources import LABEL_FORMAT
from observability.logs.statements import KIND
from observability.settings.load import StackConfig
from tests.servers.collector_run import Container, dated, entries
from tests.servers.log_case import Case, Stored
from tests.unit.conftest import stack_config


def config() -> StackConfig:
    """A stack with systems that select containers by project and by name."""
    return stack_config(
        "staging",
        {"systems": {"depot": {"logs": {"projects": ["depot"]}}, "academy": {"logs": {"containers": ["academy-*"]}}}},
    )


def container(case: Case) -> Container:
    labels = {**case.docker, **({LABEL_FORMAT: case.format} if case.format else {})}
    # Ports must not make more readers of one container.
    return Container(name=case.name, labels=labels, ports=(80, 443))


def times(case: Case, now: int) -> list[int]:
    """When Docker received each line."""
    return [now - int(case.age * 10**9) + number * 10**6 for number in range(len(case.written))]


def file_of(case: Case, now: int) -> str:
    """What Docker writes to the container's file."""
    if case.raw:
        return "".join(f"{text}\n" for text in case.written)
    found = []
    for one, at in zip(case.written, times(case, now), strict=True):
        text, stream = (one, "stdout") if isinstance(one, str) else one
        text = dated(text, at)
        found.append(entries(text[:-1] if text.endswith("\0") else f"{text}\n", stream, at))
    return "".join(found)


def own(metadata: Mapping[str, str], level: str) -> dict[str, str]:
    """Structured metadata without the kind of an error, which every error has and no other line."""
    assert (KIND in metadata) == (level in ("error", "critical")), (level, metadata)
    return {name: value for name, value in metadata.items() if name != KIND}


def expected(one: Stored, case: Case, number: int, now: int) -> Stored:
    """The case's line with the times in place of `NOW…`."""
    at = times(case, now)[min(number, len(case.written) - 1)]
    return Stored(
        body=dated(one.body, at),
        level=one.level,
        metadata={name: dated(value, at) for name, value in one.metadata.items()},
        stream=one.stream,
        labels=one.labels,
    )
