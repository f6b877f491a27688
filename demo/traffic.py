"""The shop's own customers: a few requests per second through the proxy, in a realistic mix, by hour of the day."""

import http.client
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final

from demo.api import PREVIEW
from demo.chance import load
from demo.conditions import Conditions, How
from demo.seed import FIRST_PRODUCTS, FIRST_USERS
from demo.spans import Spans
from demo.systems import SHOP

ANSWER_SECONDS: Final = 10.0
CLIENTS: Final = 32

Request = tuple[str, str, Mapping[str, object] | None]
"""Method, path and JSON body."""

_log = logging.getLogger("traffic")
_random = random.Random()  # noqa: S311 - no secret


class Traffic:
    """Sends `rate` requests per second to the proxy at the busiest hour, fewer at others, until the demo ends."""

    def __init__(self, host: str, port: int, rate: float, how: How, ended: threading.Event, spans: Spans) -> None:
        self._spans = spans
        self._host = host
        self._port = port
        self._rate = rate
        self._how = how
        self._unseen = ""
        self._ended = ended
        self._unreachable = False
        self._clients = ThreadPoolExecutor(CLIENTS, thread_name_prefix="client")

    def run(self) -> None:
        """Send until the end, at random intervals."""
        bad_due = regular_due = time.monotonic()
        while not self._ended.wait(max(0.0, min(bad_due, regular_due) - time.monotonic())):
            now = time.monotonic()
            how = self._how()
            if now >= regular_due:
                self._clients.submit(self._send, random_request(how))
                regular_due = now + _random.expovariate(self._rate * load(time.time()) * (1 + how.crawler))
            if now >= bad_due:
                if how.bad_orders:
                    self._clients.submit(self._send, bad_order())
                if how.unseen not in ("", self._unseen):
                    self._unseen = how.unseen
                    self._clients.submit(self._send, ("GET", PREVIEW, None))
                bad_due = now + (1 / how.bad_orders if how.bad_orders else 1.0)
        self._clients.shutdown(wait=False, cancel_futures=True)

    def _send(self, request: Request) -> None:
        method, path, body = request
        connection = http.client.HTTPConnection(self._host, self._port, timeout=ANSWER_SECONDS)
        said: dict[str, str | int] = {
            "http.request.method": method,
            "server.address": self._host,
            "server.port": self._port,
        }
        try:
            with self._spans.call(method, said) as span:
                connection.request(
                    method,
                    path,
                    body=None if body is None else json.dumps(body),
                    headers={
                        "User-Agent": "demo-traffic",
                        "Content-Type": "application/json",
                        "traceparent": span.traceparent,
                    },
                )
                answer = connection.getresponse()
                answer.read()
                span.attributes["http.response.status_code"] = answer.status
                if answer.status >= HTTPStatus.BAD_REQUEST:
                    span.error = str(answer.status)
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


def random_request(how: Conditions) -> Request:
    """The next request of one customer, or of the crawler."""
    # Most requests are for a few products.
    product = min(FIRST_PRODUCTS, 1 + int(_random.expovariate(0.1)))
    user, other = (_random.randint(1, max(1, round(FIRST_USERS * how.users))) for _ in range(2))
    crawls = _random.random() < how.crawler / (1 + how.crawler)
    weights = [
        0 if crawls and route.method != "GET" else route.weight * (how.orders if route.template == _ORDERS else 1)
        for route in SHOP.routes
    ]
    (route,) = _random.choices(SHOP.routes, weights)
    return _REQUESTS[route.method, route.template](product, user, other)


def bad_order() -> Request:
    """An order that is always rejected."""
    return "POST", _ORDERS, {"user_id": 1, "product_id": 1, "quantity": 0}


def _token() -> str:
    return f"{_random.getrandbits(64):016x}"


def _order(product: int, user: int, _: int) -> Request:
    quantity = _random.choice((1, 1, 1, 2, 3))
    return "POST", _ORDERS, {"user_id": user, "product_id": product, "quantity": quantity}


def _message(_: int, user: int, other: int) -> Request:
    body = {"sender_id": user, "recipient_id": 1 + other % 25, "body": "Is it still there?"}
    return "POST", "/api/messages", body


def _newcomer(*_: int) -> Request:
    token = _token()
    return "POST", "/api/users", {"email": f"{token}@example.com", "name": f"Newcomer {token[:4]}"}


def _find(*_: int) -> Request:
    price = _random.randint(500, 9900) / 100
    return "POST", "/api/products", {"name": f"Find {_token()[:4]}", "price_usd": price}


_ORDERS: Final = "/api/orders"
_REQUESTS: Final[Mapping[tuple[str, str], Callable[[int, int, int], Request]]] = {
    ("GET", "/api/products/{id}"): lambda product, _, __: ("GET", f"/api/products/{product}", None),
    ("GET", "/api/products"): lambda *_: ("GET", "/api/products", None),
    ("GET", "/api/users/{id}"): lambda _, user, __: ("GET", f"/api/users/{user}", None),
    ("GET", "/api/users/{id}/messages"): lambda _, user, __: ("GET", f"/api/users/{1 + user % 25}/messages", None),
    ("POST", _ORDERS): _order,
    ("POST", "/api/messages"): _message,
    ("POST", "/api/users"): _newcomer,
    ("POST", "/api/products"): _find,
    ("GET", "unmatched"): lambda *_: ("GET", f"/api/catalogue/{_token()}", None),
}
"""What a customer sends for each route of the mix: of a product, a user and another user."""
