"""Over 200 lines of each format through the pinned collector into the pinned Loki: stored as their tables say."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import pytest

from observability.core import http
from observability.logs.sources import LABEL_FORMAT
from tests.servers.collector_run import Container, collector, entries, loki_server, write
from tests.servers.corpus import (
    Line,
    json_lines,
    klog,
    logfmt,
    nginx_access,
    nginx_error,
    plain,
    postgres,
    redis,
    syslog,
)
from tests.servers.log_table import config, own
from tests.servers.test_collector_loki import Line as Stored
from tests.servers.test_collector_loki import stored
from tests.waits import until


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """The lines of one format, as one container writes them; `huge` is written last."""

    name: str
    format: str
    lines: Sequence[Line]
    huge: str

    @property
    def container(self) -> Container:
        labels = {LABEL_FORMAT: self.format} if self.format else {}
        return Container(name=f"corpus-{self.name}", labels=labels)


CORPORA: Final = (
    Corpus(name="json", format="json", lines=tuple(json_lines.lines()), huge=json_lines.HUGE_LINE),
    Corpus(name="logfmt", format="logfmt", lines=tuple(logfmt.lines()), huge=logfmt.HUGE_LINE),
    Corpus(name="klog", format="klog", lines=tuple(klog.lines()), huge=klog.HUGE_LINE),
    Corpus(name="access", format="nginx", lines=tuple(nginx_access.lines()), huge=nginx_access.HUGE_LINE),
    Corpus(name="error", format="nginx", lines=tuple(nginx_error.lines()), huge=nginx_error.HUGE_LINE),
    Corpus(name="postgresql", format="postgres", lines=tuple(postgres.lines()), huge=postgres.HUGE_LINE),
    Corpus(name="redis", format="redis", lines=tuple(redis.lines()), huge=redis.HUGE_LINE),
    Corpus(name="syslog-5424", format="syslog", lines=tuple(syslog.new()), huge=syslog.HUGE_5424),
    Corpus(name="syslog-3164", format="syslog", lines=tuple(syslog.old()), huge=syslog.HUGE_3164),
    Corpus(name="plain", format="", lines=tuple(plain.lines()), huge=plain.HUGE_LINE),
)

each_corpus = pytest.mark.parametrize("corpus", CORPORA, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Loki that has stored every corpus."""
    root = tmp_path_factory.mktemp("corpus")
    now = time.time_ns()
    for corpus in CORPORA:
        number = 0
        for line in (*(one.written for one in corpus.lines), corpus.huge):
            for text in line.split("\n"):
                number += 1
                write(root, corpus.container, entries(f"{text}\n", "stdout", now - 60 * 10**9 + number * 10**6))
    with loki_server(config(), root) as found, collector(config(), root, [one.container for one in CORPORA], to=found):
        for corpus in CORPORA:
            until(partial(complete, found, corpus), pause=3)
        yield found


def complete(address: str, corpus: Corpus) -> bool:
    found = stored(address, corpus.container.name)
    return sum(len(one.body) for one in found) >= sum(len(line.stored) for line in corpus.lines) + len(corpus.huge)


def of_lines(found: Sequence[Stored], corpus: Corpus) -> list[Stored]:
    """What is stored of the lines before the huge one; its pieces are in no order, as they are of several streams."""
    return [one for one in found if "partial" not in one.metadata and not corpus.huge.endswith(one.body)]


@each_corpus
def test_a_corpus_has_200_lines_and_secrets_in_them(corpus: Corpus) -> None:
    assert len(corpus.lines) >= 200
    assert sum(one.written != one.stored for one in corpus.lines) >= 20


@each_corpus
def test_every_line_is_stored_as_its_table_says(corpus: Corpus, address: str) -> None:
    found = of_lines(stored(address, corpus.container.name), corpus)
    wrong = [
        (right.written[:100], shown(one), (right.stored[:100], right.level, dict(right.metadata)))
        for one, right in zip(found, corpus.lines, strict=False)
        if (one.body, one.labels["level"], metadata(one)) != (right.stored, right.level, dict(right.metadata))
    ]
    assert wrong == []
    assert len(found) == len(corpus.lines)


def metadata(one: Stored) -> dict[str, str]:
    return {
        name: value
        for name, value in own(one.metadata, one.labels["level"]).items()
        if name not in ("image", "stream")
    }


def shown(one: Stored) -> tuple[str, str, dict[str, str]]:
    return one.body[:100], one.labels["level"], metadata(one)


@each_corpus
def test_a_line_of_a_megabyte_is_stored_whole_in_pieces(corpus: Corpus, address: str) -> None:
    found = stored(address, corpus.container.name)
    lines = of_lines(found, corpus)
    first, *more = sorted((one for one in found if one not in lines), key=lambda one: corpus.huge.find(one.body[:100]))
    assert "".join(one.body for one in (first, *more)) == corpus.huge
    assert [one.metadata.get("partial") for one in (first, *more)] == ["true"] * len(more) + [None]


def test_no_line_was_refused(address: str) -> None:
    page = http.get(f"{address}/metrics", timeout=30).text
    assert not [line for line in page.splitlines() if line.startswith("loki_discarded_samples_total{")]
