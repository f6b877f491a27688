"""Redis as a read-through cache. Without it everything works, only slower."""

import json
import secrets
from collections.abc import Callable
from typing import Any, Final

import redis

from demo.breaker import Breaker
from demo.errors import UnavailableError
from demo.faults import Faults
from demo.metrics import Metrics

ANSWER_SECONDS: Final = 0.5


class Cache:
    """Values as JSON, each with its own time to live."""

    def __init__(self, host: str, port: int, faults: Faults, metrics: Metrics) -> None:
        self._redis = redis.Redis(
            host=host, port=port, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
        )
        self._faults = faults
        self._metrics = metrics
        self._breaker = Breaker("cache", (redis.RedisError, OSError))

    def fetch(self, key: str, seconds: int, load: Callable[[], Any]) -> Any:  # noqa: ANN401 - any JSON value
        """The value of a key; if it is not there, or the cache is away, what `load` gives, kept for so long."""
        if self._faults.on("cache-cold"):
            key = f"cold:{secrets.token_hex(8)}"
            seconds = 1
        found = self._try(lambda: self._redis.get(key))
        self._metrics.cache(hit=found is not None)
        if found is not None:
            return json.loads(found)
        value = load()
        self._try(lambda: self._redis.set(key, json.dumps(value), ex=seconds))
        return value

    def forget(self, *keys: str) -> None:
        """Drop keys whose values have changed."""
        self._try(lambda: self._redis.delete(*keys))

    def ping(self) -> None:
        """Ask the cache for an answer; UnavailableError where there is none."""
        self._breaker.attempt(self._redis.ping)

    def _try(self, action: Callable[[], Any]) -> Any:  # noqa: ANN401 - redis has no types here
        try:
            return self._breaker.attempt(action)
        except UnavailableError:
            return None
