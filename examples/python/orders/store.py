"""The database, and the next warehouse."""

from typing import Any, Final

import httpx
from opentelemetry import propagate
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from . import telemetry
from .logs import CORRELATION_HEADER, current_id
from .settings import DATABASE_URL, UPSTREAM_URL

POOL: Final = ConnectionPool(
    DATABASE_URL,
    min_size=1,
    max_size=10,
    timeout=5,
    open=False,
    check=ConnectionPool.check_connection,
    kwargs={"row_factory": dict_row, "connect_timeout": 3, "autocommit": True},
)
_http: Final = httpx.Client(timeout=3)

telemetry.POOL_SIZE.set(POOL.max_size)
telemetry.POOL_USED.set_function(
    lambda: POOL.get_stats().get("pool_size", 0) - POOL.get_stats().get("pool_available", 0)
)


class NotFoundError(Exception):
    """What was asked for does not exist."""


def rows(operation: str, table: str, statement: str, *values: object) -> list[dict[str, Any]]:
    """The rows of a query."""
    with telemetry.query(operation, table), POOL.connection() as connection:
        return connection.execute(statement, values).fetchall()


def ping_database() -> None:
    """Whether the database responds."""
    with POOL.connection(timeout=1) as connection:
        connection.execute("SELECT 1")


def ping_upstream() -> None:
    """Whether the next warehouse responds."""
    _http.get(f"{UPSTREAM_URL}/health/live", timeout=2).raise_for_status()


def stock(sku: str) -> dict[str, Any]:
    """What is here of an article."""
    found = rows("SELECT", "stock", "SELECT sku, quantity FROM stock WHERE sku = %s", sku)
    if not found:
        raise NotFoundError(f"there is no article {sku}")
    return found[0]


def stock_elsewhere(sku: str) -> Any:  # noqa: ANN401 - the other service's document
    """What the next warehouse says; the ids of the request go with it."""
    with telemetry.call("upstream", "GET"):
        headers = {CORRELATION_HEADER: current_id()}
        propagate.inject(headers)
        return _http.get(f"{UPSTREAM_URL}/stock/{sku}", headers=headers).raise_for_status().json()


def place(sku: str, quantity: int) -> int:
    """Place an order; its number."""
    stock(sku)
    statement = "INSERT INTO orders (sku, quantity) VALUES (%s, %s) RETURNING id"
    return int(rows("INSERT", "orders", statement, sku, quantity)[0]["id"])


def order(number: int) -> dict[str, Any]:
    """An order."""
    found = rows("SELECT", "orders", "SELECT id, sku, quantity FROM orders WHERE id = %s", number)
    if not found:
        raise NotFoundError(f"there is no order {number}")
    return found[0]


def report() -> list[dict[str, Any]]:
    """What was ordered of each article: one query, not one for each article."""
    with telemetry.operation("report"):
        return rows(
            "SELECT", "orders", "SELECT sku, sum(quantity)::int AS ordered FROM orders GROUP BY sku ORDER BY sku"
        )
