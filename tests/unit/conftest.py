"""Stacks that the unit tests look at."""

from typing import Any

from config.load import ROOT, StackConfig, validate
from config.secrets import SECRETS
from rules import load
from synth.record import Declared, record

FULL: dict[str, Any] = {
    "exporters": [{"name": "rabbitmq", "image": "kbudde/rabbitmq-exporter:v1.0.0", "port": 9419, "command": ["-v"]}],
    "images": {"registry": "mirror.example.com/library"},
    "docker": {"metricsAddress": "172.30.90.1:9323"},
    "loki": {"s3": {"bucket": "lines", "endpoint": "https://s3.example.com", "pathStyle": True}},
    "blackboxExporter": {
        "probes": [
            {"name": "shop", "url": "https://shop.example.com/", "keyword": "Sign in (free)", "system": "erpgo"},
            {"name": "queue", "url": "tcp://queue.example.com:5672", "interval": "1m", "system": "erpgo"},
        ]
    },
    "postgresExporter": {"targets": [{"address": "db.example.com:5432", "system": "erpgo"}]},
    "redisExporter": {"targets": [{"address": "cache.example.com:6379", "tls": True, "system": "erpgo"}]},
    "nginxExporter": {"targets": [{"name": "shop", "url": "http://web.example.com:8081/status", "system": "erpgo"}]},
}
"""Settings that switch on whatever can be switched on."""


def stack_config(stack: str = "dev", values: dict[str, Any] | None = None) -> StackConfig:
    """A stack that has every secret."""
    return validate(stack, values or {}, frozenset(SECRETS))


def declared(stack: str = "dev", values: dict[str, Any] | None = None) -> list[Declared]:
    """Everything such a stack declares."""
    return record(stack_config(stack, values), load(ROOT / "rules"))
