"""Operations of the service: users, products, orders and messages, in the database and through the cache."""

from pathlib import Path
from typing import Final

from demo.cache import Cache
from demo.conditions import How
from demo.database import Database, Row
from demo.errors import NotFoundError
from demo.metrics import Metrics
from demo.seed import FIRST_PRODUCTS, FIRST_USERS

KEPT: Final = "7 days"
"""How long rows are kept that were created after the first ones."""

ITEM_SECONDS: Final = 6 * 3600
LIST_SECONDS: Final = 60
"""How long the cache keeps a single object, and a list of objects."""

_PRODUCT: Final = "SELECT id, name, price_usd FROM products"
_USER: Final = "SELECT id, name, created_at FROM users"
_SCHEMA: Final = Path(__file__).with_name("schema.sql")


class Store:
    """The shop's data. Every method raises UnavailableError if the database is down."""

    def __init__(self, database: Database, cache: Cache, metrics: Metrics, how: How) -> None:
        self._database = database
        self._cache = cache
        self._metrics = metrics
        self._how = how

    def prepare(self) -> None:
        """Create missing tables and first rows."""
        with self._database.transaction() as session:
            # Two instances that start at the same time must not do this at the same time.
            session.query("prepare", "SELECT pg_advisory_xact_lock(3999)")
            session.query("prepare", _SCHEMA.read_text(encoding="utf-8"))

    def warm(self) -> None:
        """Fill the cache with the first rows, so that a new cache does not begin with only misses."""
        with self._database.transaction() as session:
            products = session.query("warm", f"{_PRODUCT} WHERE id <= %s", (FIRST_PRODUCTS,))
            users = session.query("warm", f"{_USER} WHERE id <= %s", (FIRST_USERS,))
        for kind, rows in (("product", products), ("user", users)):
            for row in rows:
                self._cache.put(f"{kind}:{row['id']}", ITEM_SECONDS, row)

    def prune(self) -> None:
        """Delete what is older than a week, so that the demo never fills a disk."""
        with self._database.transaction() as session:
            for table, kept in (("messages", 0), ("orders", 0), ("users", FIRST_USERS), ("products", FIRST_PRODUCTS)):
                session.query(
                    "prune",
                    f"DELETE FROM {table} WHERE created_at < now() - %s::interval AND id > %s",  # noqa: S608 - own names
                    (KEPT, kept),
                )

    def report(self) -> Row:
        """Report the sales of the last hour."""
        slow = self._how().slow_queries
        sold = "SELECT count(*) AS orders, sum(amount_usd) AS usd, pg_sleep(%s)::text FROM orders"
        return self._one("report", f"{sold} WHERE created_at > now() - interval '1 hour'", slow[1] if slow else 0)

    def products(self) -> list[Row]:
        """The fifty products that sell best."""

        def load() -> list[Row]:
            return self._all("list_products", "SELECT id, name, price_usd FROM products ORDER BY sold DESC LIMIT 50")

        products: list[Row] = self._cache.fetch("products", LIST_SECONDS, load)
        return products

    def product(self, product_id: int) -> Row:
        """One product."""

        def load() -> Row:
            return self._one("get_product", f"{_PRODUCT} WHERE id = %s", product_id)

        product: Row = self._cache.fetch(f"product:{product_id}", ITEM_SECONDS, load)
        return product

    def create_product(self, name: str, price_usd: float) -> Row:
        """Create a product."""
        with self._database.transaction() as session:
            made = session.query(
                "create_product",
                "INSERT INTO products (name, price_usd) VALUES (%s, %s) RETURNING id, name, price_usd",
                (name, price_usd),
            )
        self._metrics.inc("products_created_total")
        return made[0]

    def register(self, email: str, name: str) -> Row:
        """Register a user."""
        with self._database.transaction() as session:
            made = session.query(
                "create_user",
                "INSERT INTO users (email, name) VALUES (%s, %s) RETURNING id, email, name",
                (email, name),
            )
        self._metrics.inc("user_registrations_total")
        self._metrics.saw_user(made[0]["id"])
        return made[0]

    def user(self, user_id: int) -> Row:
        """One user."""

        def load() -> Row:
            return self._one("get_user", f"{_USER} WHERE id = %s", user_id)

        user: Row = self._cache.fetch(f"user:{user_id}", ITEM_SECONDS, load)
        self._metrics.saw_user(user_id)
        return user

    def place_order(self, user_id: int, product_id: int, quantity: int) -> Row:
        """Order a product at its current price."""
        with self._database.transaction() as session:
            _require(session.query("get_user", "SELECT id FROM users WHERE id = %s", (user_id,)))
            product = _require(
                session.query(
                    "update_product",
                    "UPDATE products SET sold = sold + %s WHERE id = %s RETURNING price_usd",
                    (quantity, product_id),
                )
            )
            order = session.query(
                "create_order",
                "INSERT INTO orders (user_id, product_id, quantity, amount_usd) VALUES (%s, %s, %s, %s)"
                " RETURNING id, user_id, product_id, quantity, amount_usd, created_at",
                (user_id, product_id, quantity, round(product["price_usd"] * quantity * self._how().order_value, 2)),
            )[0]
        self._metrics.inc("orders_created_total")
        self._metrics.inc("order_total_amount", order["amount_usd"])
        self._metrics.saw_user(user_id)
        return order

    def order(self, order_id: int) -> Row:
        """One order."""
        return self._one(
            "get_order", "SELECT id, user_id, product_id, quantity, amount_usd FROM orders WHERE id = %s", order_id
        )

    def send_message(self, sender_id: int, recipient_id: int, body: str) -> Row:
        """Send a message from one user to another."""
        with self._database.transaction() as session:
            made = session.query(
                "create_message",
                "INSERT INTO messages (sender_id, recipient_id, body) VALUES (%s, %s, %s) RETURNING id, created_at",
                (sender_id, recipient_id, body),
            )
        self._metrics.inc("messages_sent_total")
        self._metrics.saw_user(sender_id)
        self._cache.forget(f"messages:{recipient_id}")
        return made[0]

    def messages(self, user_id: int) -> list[Row]:
        """The twenty newest messages to a user."""

        def load() -> list[Row]:
            return self._all(
                "list_messages",
                "SELECT id, sender_id, body, created_at FROM messages WHERE recipient_id = %s"
                " ORDER BY id DESC LIMIT 20",
                user_id,
            )

        messages: list[Row] = self._cache.fetch(f"messages:{user_id}", ITEM_SECONDS, load)
        self._metrics.saw_user(user_id)
        return messages

    def _all(self, operation: str, sql: str, *values: object) -> list[Row]:
        with self._database.transaction() as session:
            return session.query(operation, sql, values)

    def _one(self, operation: str, sql: str, *values: object) -> Row:
        return _require(self._all(operation, sql, *values))


def _require(rows: list[Row]) -> Row:
    if not rows:
        raise NotFoundError("there is no such thing")
    return rows[0]
