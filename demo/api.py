"""The routes of the API: which method and path does what."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from demo.errors import BadRequestError

if TYPE_CHECKING:
    # The routes work with any store; this one needs the PostgreSQL and Redis clients, which the tests do not have.
    from demo.store import Store

Body = Mapping[str, Any]
Action = Callable[["Store", int, Body], object]
"""Serves a request from the store: takes the id in its path (0 if none) and its JSON body; returns the response."""

PREVIEW: Final = "/api/preview"
"""A route of a future release."""

LARGEST_ID: Final = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Route:
    """One method and path template; `{id}` in it is a number."""

    method: str
    template: str
    action: Action
    status: HTTPStatus = HTTPStatus.OK

    def match(self, method: str, path: str) -> int | None:
        """The id in the path, 0 if there is none; None if the request is not for this route."""
        found = re.fullmatch(self.template.replace("{id}", r"(\d{1,19})"), path)
        if method != self.method or found is None:
            return None
        return int(found[1]) if found.groups() else 0


def find(method: str, path: str) -> tuple[Route, int] | None:
    """The route of a request and the id in its path."""
    for route in ROUTES:
        if (number := route.match(method, path)) is not None and number <= LARGEST_ID:
            return route, number
    return None


def _text(body: Body, name: str, longest: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or "\x00" in value:
        raise BadRequestError(f"{name} must be text of 1 to {longest} characters")
    return value


def _number(body: Body, name: str, highest: int = LARGEST_ID) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= highest:
        raise BadRequestError(f"{name} must be a whole number from 1 to {highest}")
    return value


def _price(body: Body) -> float:
    value = body.get("price_usd")
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0.01 <= value <= 1_000_000:
        raise BadRequestError("price_usd must be a number from 0.01 to 1000000")
    return float(value)


def _place_order(store: "Store", _: int, body: Body) -> object:
    quantity = _number(body, "quantity", 1000)
    return store.place_order(_number(body, "user_id"), _number(body, "product_id"), quantity)


def _send_message(store: "Store", _: int, body: Body) -> object:
    text = _text(body, "body", 2000)
    return store.send_message(_number(body, "sender_id"), _number(body, "recipient_id"), text)


def _register(store: "Store", _: int, body: Body) -> object:
    return store.register(_text(body, "email", 254), _text(body, "name", 100))


def _create_product(store: "Store", _: int, body: Body) -> object:
    return store.create_product(_text(body, "name", 100), _price(body))


_MADE: Final = HTTPStatus.CREATED

ROUTES: Final = (
    Route(method="GET", template="/api/products", action=lambda store, _, __: store.products()),
    Route(method="GET", template="/api/products/{id}", action=lambda store, number, _: store.product(number)),
    Route(method="POST", template="/api/products", action=_create_product, status=_MADE),
    Route(method="POST", template="/api/users", action=_register, status=_MADE),
    Route(method="GET", template="/api/users/{id}", action=lambda store, number, _: store.user(number)),
    Route(method="GET", template="/api/users/{id}/messages", action=lambda store, number, _: store.messages(number)),
    Route(method="POST", template="/api/messages", action=_send_message, status=_MADE),
    Route(method="POST", template="/api/orders", action=_place_order, status=_MADE),
    Route(method="GET", template="/api/orders/{id}", action=lambda store, number, _: store.order(number)),
)
"""Every route of the API."""
