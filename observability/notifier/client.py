"""Requests to the stack's servers, each with a deadline. Only the standard library."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, Final

from observability.notifier.evidence import NoAnswerError

TIMEOUT: Final = 2.0
"""Seconds that a server may be silent."""

PAUSE: Final = 10.0
"""Seconds for which a server is not asked again after it gave no answer."""

LARGEST: Final = 16_000_000
"""Bytes of the largest response that is read."""

_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without a proxy: all servers are on the stack's network."""


class Client:
    """The servers by kind, each the addresses of its replicas; a kind answers if one of its replicas does."""

    def __init__(self, servers: Mapping[str, Sequence[str]]) -> None:
        self.servers = servers
        self._silent: dict[str, float] = {}

    def ask(self, kind: str, path: str, params: Mapping[str, str], deadline: float) -> Any:  # noqa: ANN401 - any JSON
        """The JSON of a GET; NoAnswerError after `deadline` (of time.monotonic) at the latest."""
        query = f"?{urllib.parse.urlencode(params)}" if params else ""
        problem: Exception = NoAnswerError("it gave no answer a moment ago")
        for address in self.servers.get(kind, ()):
            if self._silent.get(address, 0) > time.monotonic():
                continue
            try:
                return json.loads(request(f"{address}{path}{query}", deadline))
            except (NoAnswerError, ValueError) as error:
                problem = error
                self._silent[address] = time.monotonic() + PAUSE
        raise NoAnswerError(str(problem))


def request(url: str, deadline: float, body: object = None) -> bytes:
    """The response to a GET, or to a POST of a JSON body; NoAnswerError where there is none in time."""
    data = None if body is None else json.dumps(body).encode()
    wanted = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - from the settings
    left = deadline - time.monotonic()
    if left <= 0:
        raise NoAnswerError("no time left")
    try:
        with _OPENER.open(wanted, timeout=min(TIMEOUT, left)) as answer:
            found = bytearray()
            # A timeout is that of one read; a server may send a little at a time.
            while part := answer.read1(65536):
                found += part
                if time.monotonic() > deadline or len(found) > LARGEST:
                    raise NoAnswerError("its answer is too slow or too large")
            return bytes(found)
    except (OSError, urllib.error.URLError) as error:
        raise NoAnswerError(str(error)) from error
