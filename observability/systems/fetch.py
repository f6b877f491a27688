"""Request a system's metrics as the Prometheus of this stack does: the same headers, the same name escaping."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import time
from typing import Final

import httpx

from observability.core import http
from observability.core.errors import ConfigError
from observability.parts.images import PINS

ACCEPT: Final = (
    "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.7,"
    "application/openmetrics-text;version=0.0.1;q=0.6,"
    "text/plain;version=1.0.0;escaping=underscores;q=0.5,"
    "text/plain;version=0.0.4;q=0.4,*/*;q=0.3"
)
"""What Prometheus 3.15 accepts for a job with `metric_name_escaping_scheme: underscores` (`acceptHeader`)."""

TIMEOUT: Final = 10.0
"""Seconds; Prometheus' own default for a scrape."""

LARGEST: Final = 256 * 2**20
"""Maximum number of bytes of a response that are read, so that an endless one ends."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One response, decompressed. `at` is when it was received, in milliseconds since 1970."""

    body: bytes
    content_type: str | None
    at: int
    seconds: float
    """Its duration."""


def headers() -> dict[str, str]:
    """The headers of a scrape."""
    version = PINS["prometheus"].rpartition(":v")[2]
    return {
        "Accept": ACCEPT,
        "Accept-Encoding": "gzip",
        "User-Agent": f"Prometheus/{version}",
        "X-Prometheus-Scrape-Timeout-Seconds": f"{TIMEOUT:g}",
    }


def fetch(url: str, times: int) -> Iterator[Answer]:
    """Consecutive responses, each over a new connection: several workers behind an address take turns.

    ConfigError where there is no response, or its status is not 200.
    """
    one_each = httpx.Limits(max_keepalive_connections=0)
    with http.client(headers=headers(), timeout=TIMEOUT, follow_redirects=True, limits=one_each) as client:
        for _ in range(times):
            try:
                yield _answer(client, url)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise ConfigError(
                    f"{url} does not answer: {(str(error).splitlines() or [type(error).__name__])[0]}",
                    "start the system and correct the address; behind a login, save the answer and name the file",
                ) from None


def _answer(client: httpx.Client, url: str) -> Answer:
    begun = time()
    with client.stream("GET", url) as response:
        if response.status_code != httpx.codes.OK:
            raise ConfigError(
                f"{url} answers with the status {response.status_code}, and Prometheus wants 200",
                _FIXES.get(response.status_code, "correct the address, or see the system's own log"),
            )
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding not in ("gzip", "identity", ""):
            raise ConfigError(
                f"{url} answers in {encoding}, and Prometheus asks for gzip",
                "compress the answer with gzip, or not at all",
            )
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > LARGEST:
                raise ConfigError(
                    f"{url} answers with more than {LARGEST // 2**20} MiB",
                    "name the page of the metrics; if this is it, it has far too many series",
                )
        return Answer(
            body=bytes(body),
            content_type=response.headers.get("Content-Type"),
            at=int(time() * 1000),
            seconds=time() - begun,
        )


_FIXES: Final = {
    401: "give the credentials: save the answer with curl -u or -H and name the file",
    403: "give the credentials: save the answer with curl -u or -H and name the file",
    404: "correct the path: usual ones are /metrics, /actuator/prometheus, /api/metrics",
    405: "the page must answer GET",
    406: "let it answer with text/plain whatever Accept says",
    503: "wait until the system is ready",
}
