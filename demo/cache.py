"""Redis as a read-through cache. If it is down, everything works, only slower."""

import json
import random
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

import redis

from demo.breaker import Breaker
from demo.chance import Picker
from demo.conditions import How
from demo.errors import UnavailableError
from demo.metrics import Metrics
from demo.spans import Spans

ANSWER_SECONDS: Final = 0.5


class Cache:
    """Values as JSON, each with its own TTL."""

    def __init__(self, host: str, port: int, how: How, metrics: Metrics, spans: Spans) -> None:
        self._spans = spans
        self._server: Mapping[str, str | int] = {
            "db.system.name": "redis",
            "server.address": host,
            "server.port": port,
        }
        self._redis = redis.Redis(
            host=host, port=port, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
        )
        self._how = how
        self._lost = Picker()
        self._metrics = metrics
        self._breaker = Breaker("cache", (redis.RedisError, OSError))

    def fetch(self, key: str, seconds: int, load: Callable[[], Any]) -> Any:  # noqa: ANN401 - any JSON value
        """The value of a key; if it is missing or the cache is down, the result of `load`, which is then stored."""
        if self._lost.pick(self._how().cache_misses):
            key = f"cold:{secrets.token_hex(8)}"
            seconds = 1
        found = self._try("GET", lambda: self._redis.get(key))
        self._metrics.cache(hit=found is not None)
        if found is not None:
            return json.loads(found)
        value = load()
        self.put(key, seconds, value)
        return value

    def put(self, key: str, seconds: int, value: Any) -> None:  # noqa: ANN401 - any JSON value
        """Store a value with about this TTL, varied so that values stored together do not expire together."""
        kept = max(1, round(seconds * random.uniform(0.75, 1.25)))  # noqa: S311 - no secret
        self._try("SET", lambda: self._redis.set(key, json.dumps(value), ex=kept))

    def forget(self, *keys: str) -> None:
        """Delete keys whose values have changed."""
        self._try("DEL", lambda: self._redis.delete(*keys))

    def ping(self) -> None:
        """Check that the cache responds; UnavailableError if it does not."""
        self._breaker.attempt(self._redis.ping)

    def _try(self, command: str, action: Callable[[], Any]) -> Any:  # noqa: ANN401 - redis has no types here
        try:
            with self._spans.call(command, {**self._server, "db.operation.name": command}):
                return self._breaker.attempt(action)
        except UnavailableError:
            return None
