"""The service's own customers: a few requests a second through the proxy, in a believable mix."""

import http.client
import json
import logging
import random
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from demo.faults import Faults
from demo.seed import FIRST_PRODUCTS, FIRST_USERS

ANSWER_SECONDS: Final = 10.0
CLIENTS: Final = 32
BURST_RATE: Final = 30.0
"""Requests a second that the fault `log-burst` adds."""

Request = tuple[str, str, Mapping[str, object] | None]
"""Method, path and JSON body."""

_log = logging.getLogger("traffic")
_random = random.Random()  # noqa: S311 - no secret


class Traffic:
    """Sends `rate` requests a second to the proxy until it is stopped."""

    def __init__(self, host: str, port: int, rate: float, faults: Faults) -> None:
        self._host = host
        self._port = port
        self._rate = rate
        self._faults = faults
        self._stopped = threading.Event()
        self._unreachable = False
        self._clients = ThreadPoolExecutor(CLIENTS, thread_name_prefix="client")

    def run(self) -> None:
        """Send until stopped; customers come at random, not by the clock."""
        burst_due = regular_due = time.monotonic()
        while not self._stopped.wait(max(0.0, min(burst_due, regular_due) - time.monotonic())):
            now = time.monotonic()
            if now >= regular_due:
                self._clients.submit(self._send, random_request())
                regular_due = now + _random.expovariate(self._rate)
            if now >= burst_due:
                burst = self._faults.on("log-burst")
                if burst:
                    self._clients.submit(self._send, bad_order())
                burst_due = now + (1 / BURST_RATE if burst else 1.0)

    def stop(self) -> None:
        """Send no more."""
        self._stopped.set()
        self._clients.shutdown(wait=False, cancel_futures=True)

    def _send(self, request: Request) -> None:
        method, path, body = request
        connection = http.client.HTTPConnection(self._host, self._port, timeout=ANSWER_SECONDS)
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={"User-Agent": "demo-traffic", "Content-Type": "application/json"},
            )
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            if not self._unreachable:
                _log.warning("the proxy does not answer: %s", error)
            self._unreachable = True
        else:
            if self._unreachable:
                _log.warning("the proxy answers again")
            self._unreachable = False
        finally:
            connection.close()


def random_request() -> Request:
    """What one customer does next."""
    user, other = (_random.randint(1, FIRST_USERS) for _ in range(2))
    # Few products are looked at most of the time.
    product = min(FIRST_PRODUCTS, 1 + int(_random.expovariate(0.1)))
    token = f"{_random.getrandbits(64):016x}"
    mix: dict[int, Request] = {
        38: ("GET", f"/api/products/{product}", None),
        20: ("GET", "/api/products", None),
        12: ("GET", f"/api/users/{user}", None),
        10: ("GET", f"/api/users/{1 + user % 25}/messages", None),
        8: (
            "POST",
            "/api/orders",
            {"user_id": user, "product_id": product, "quantity": _random.choice((1, 1, 1, 2, 3))},
        ),
        7: (
            "POST",
            "/api/messages",
            {"sender_id": user, "recipient_id": 1 + other % 25, "body": "Is it still there?"},
        ),
        3: ("POST", "/api/users", {"email": f"{token}@example.com", "name": f"Newcomer {token[:4]}"}),
        1: ("POST", "/api/products", {"name": f"Find {token[:4]}", "price_usd": _random.randint(500, 9900) / 100}),
        # A link that is out of date.
        2: ("GET", f"/api/catalogue/{token}", None),
    }
    return _random.choices(list(mix.values()), weights=list(mix))[0]


def bad_order() -> Request:
    """An order that is always refused."""
    return "POST", "/api/orders", {"user_id": 1, "product_id": 1, "quantity": 0}
