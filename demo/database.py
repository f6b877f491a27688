"""PostgreSQL: a small connection pool that detects closed connections and opens new ones."""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import psycopg2
from psycopg2 import errors
from psycopg2.extras import RealDictCursor

from demo.breaker import Breaker
from demo.conditions import How
from demo.errors import ConflictError, NotFoundError, UnavailableError
from demo.metrics import Metrics
from demo.spans import Spans

CONNECT_SECONDS: Final = 2
STATEMENT_MS: Final = 5000
WAIT_SECONDS: Final = 2.0
"""How long a request waits for a free connection."""

CLOSED_PORT: Final = 1
"""Port used for the database while the fault `database-gone` is on: nothing listens on it."""

Row = dict[str, Any]

_log = logging.getLogger("database")


@dataclass(frozen=True, kw_only=True)
class DatabaseAddress:
    """Address and user of the database; the password is read again for every connection."""

    host: str
    port: int
    name: str
    user: str
    password_file: Path

    @property
    def attributes(self) -> dict[str, str | int]:
        """Attributes of the span of a call of it."""
        return {
            "db.system.name": "postgresql",
            "db.namespace": self.name,
            "server.address": self.host,
            "server.port": self.port,
        }


class Session:
    """One transaction."""

    def __init__(self, connection: Any, metrics: Metrics, spans: Spans, server: Mapping[str, str | int]) -> None:  # noqa: ANN401 - psycopg2 has no types
        self._connection = connection
        self._metrics = metrics
        self._spans = spans
        self._server = server

    def query(self, operation: str, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows of a statement, as plain JSON values; measured under the operation's name."""
        said = {**self._server, "db.operation.name": sql.split(None, 1)[0].upper(), "db.query.summary": operation}
        with self._spans.call(operation, said), self._metrics.query(operation):
            return self.run(sql, values)

    def run(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """The same, without measuring."""
        with self._connection.cursor(cursor_factory=RealDictCursor) as cursor:
            # Without values a percent sign is literal.
            cursor.execute(sql, values or None)
            found = cursor.fetchall() if cursor.description else []
        return [{name: _plain(value) for name, value in row.items()} for row in found]


class Database:
    """The pool. A request takes one connection; at most `size` are open."""

    def __init__(self, address: DatabaseAddress, how: How, metrics: Metrics, spans: Spans, size: int = 10) -> None:
        self._address = address
        self._spans = spans
        self._how = how
        self._metrics = metrics
        self._idle: list[Any] = []
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(size)
        self._breaker = Breaker("database", (psycopg2.OperationalError, OSError))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction that is committed at the end of the block, or rolled back if it fails.

        UnavailableError if the database is down or too slow; NotFoundError if a row refers to a missing one,
        ConflictError if it already exists.
        """
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise UnavailableError(f"database: no connection was free for {WAIT_SECONDS:g} s")
        connection = None
        try:
            connection = self._take()
            yield Session(connection, self._metrics, self._spans, self._address.attributes)
            connection.commit()
        except errors.ForeignKeyViolation as error:
            raise NotFoundError("it refers to something that does not exist") from error
        except errors.UniqueViolation as error:
            raise ConflictError("it exists already") from error
        except (psycopg2.OperationalError, psycopg2.InterfaceError, errors.UndefinedTable) as error:
            raise UnavailableError(f"database: {' '.join(str(error).split())}") from error
        finally:
            if connection is not None:
                self._give_back(connection)
            self._free.release()

    def ping(self) -> None:
        """Check that the database responds; UnavailableError if it does not. Not measured as a query."""
        with self.transaction() as session:
            session.run("SELECT 1")

    def _take(self) -> Any:  # noqa: ANN401 - psycopg2 has no types
        if self._how().database_gone:
            self._close_idle()
        with self._lock:
            if self._idle:
                return self._idle.pop()
        with self._spans.call("connect", {**self._address.attributes, "db.operation.name": "CONNECT"}):
            return self._breaker.attempt(self._connect)

    def _give_back(self, connection: Any) -> None:  # noqa: ANN401 - psycopg2 has no types
        try:
            if not connection.closed:
                connection.rollback()
        except psycopg2.Error:
            connection.close()
        if connection.closed:
            # The cause that closed this connection most likely closed the others too.
            self._close_idle()
            return
        with self._lock:
            self._idle.append(connection)

    def _close_idle(self) -> None:
        with self._lock:
            closing, self._idle = self._idle, []
        for connection in closing:
            connection.close()
        if closing:
            _log.warning("closed %d connections to the database", len(closing))

    def _connect(self) -> Any:  # noqa: ANN401 - psycopg2 has no types
        address = self._address
        return psycopg2.connect(
            host=address.host,
            port=CLOSED_PORT if self._how().database_gone else address.port,
            dbname=address.name,
            user=address.user,
            password=address.password_file.read_text(encoding="utf-8").strip(),
            application_name="social-selling",
            connect_timeout=CONNECT_SECONDS,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=2,
            tcp_user_timeout=STATEMENT_MS,
            options=f"-c statement_timeout={STATEMENT_MS} -c timezone=UTC",
        )


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime) else value
