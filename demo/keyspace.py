"""AlAwael's cache: a real Redis with key hits and misses. The Redis exporter counts them."""

import logging
import secrets
from random import Random
from typing import Final

import redis

from demo.breaker import Breaker
from demo.errors import UnavailableError

KEYS: Final = 200
ANSWER_SECONDS: Final = 0.5

_log = logging.getLogger("cache")


class Keyspace:
    """Look-ups in a Redis server that may be down."""

    def __init__(self, host: str, port: int) -> None:
        self._redis = redis.Redis(
            host=host, port=port, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
        )
        self._breaker = Breaker("alawael's cache", (redis.RedisError, OSError))
        self._random = Random()  # noqa: S311 - no secret
        self._away = False

    def look_up(self, hits: int, misses: int) -> None:
        """Look up this many existing keys, and this many missing keys."""
        try:
            self._breaker.attempt(lambda: self._ask(hits, misses))
        except UnavailableError as error:
            if not self._away:
                _log.warning("%s", error, extra={"system": "alawael"})
            self._away = True
        else:
            self._away = False

    def _ask(self, hits: int, misses: int) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for _ in range(hits):
            key = f"customer:{self._random.randrange(KEYS)}"
            # A server that has just started has no keys.
            pipeline.setnx(key, "{}")
            pipeline.get(key)
        for _ in range(misses):
            pipeline.get(f"expired:{secrets.token_hex(4)}")
        pipeline.execute()
