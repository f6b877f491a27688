"""Stacks that the unit tests look at."""

from typing import Any

from dashboards.linked_rules import files
from observability.settings.load import StackConfig, read_stack_file, secret_specs, validate
from observability.synth.record import Declared, record

FULL: dict[str, Any] = {
    "exporters": [
        {"name": "rabbitmq", "image": "kbudde/rabbitmq-exporter:v1.0.0", "port": 9419, "command": ["-v"]},
        {
            "name": "shop-exporter",
            "image": "example/shop-exporter:1.0",
            "port": 9000,
            "system": "erpgo",
            "entrypoint": ["/bin/shop_exporter", "--config=/etc/shop/shop.yaml"],
            "env": {"LEVEL": "warn"},
            "files": {"/etc/shop/shop.yaml": "interval: 1m\n"},
            "secrets": {"password": {"env": "SHOP_PASSWORD"}, "token": {"envFile": "SHOP_TOKEN_FILE"}},
            "capabilities": ["NET_RAW"],
        },
    ],
    "images": {"registry": "mirror.example.com/library"},
    "docker": {"metricsAddress": "172.30.90.1:9323"},
    "loki": {"s3": {"bucket": "lines", "endpoint": "https://s3.example.com", "pathStyle": True}},
    "grafana": {
        "publicStatus": True,
        "dataSources": {
            "tempo": {"url": "http://tempo.example.com:3200"},
            "elasticsearch": {"url": "https://search.example.com:9200", "user": "grafana"},
            "cloudwatch": {"region": "eu-central-1", "accessKey": "AKIAIOSFODNN7EXAMPLE"},
        },
        "oidc": {
            "clientId": "grafana",
            "authUrl": "https://id.example.com/auth",
            "tokenUrl": "https://id.example.com/token",
            "apiUrl": "https://id.example.com/userinfo",
            "roles": {"admin": ["ops"]},
        },
        "teams": {"erp": {"folders": ["erpgo"]}},
    },
    "notifications": {
        "smtp": {"host": "smtp.example.com", "sender": "alerts@example.com", "user": "alerts"},
        "receivers": {
            "ops-mail": {"email": {"to": ["ops@example.com"]}},
            "slack-hook": {"slack": {"channel": "#alerts"}},
            "slack-bot": {"slack": {"channel": "#alerts", "bot": True}},
            "pager": {"pagerduty": {}},
            "teams": {"msteams": {}},
            "discord": {"discord": {}},
            "telegram": {"telegram": {"chatId": -100}},
            "genie": {"opsgenie": {}},
            "phone": {"pushover": {}},
            "hook": {"webhook": {}},
        },
        "default": ["ops-mail"],
        "critical": ["ops-mail", "slack-hook", "pager", "genie", "phone", "telegram"],
        "warning": {"receivers": ["slack-bot", "discord"], "mute": ["nights"]},
        "info": ["hook"],
        "components": {"database": ["teams"]},
        "muteTimes": {"nights": {"times": ["22:00-07:00"], "location": "Europe/Berlin"}},
    },
    "links": {"runbooks": "https://git.example.com/monitoring/blob/main/runbooks"},
    "network": {"hosts": {"db.example.com": "10.0.0.5"}},
    "systems": {
        "platform": {"thresholds": {"cpuRatio": {"warning": "85%"}}},
        "alawael": {
            "instances": {"static": ["alawael-1.example.com:3000"]},
            "hosts": [{"address": "app-1.example.com:9100", "name": "app-1"}],
            "mongodb": [{"address": "mongo.example.com:27017", "user": "monitoring", "tls": True}],
            "logs": {"projects": ["alawael"], "containers": ["alawael-*"]},
        },
        "erpgo": {
            "postgres": [{"address": "db.example.com:5432"}],
            "redis": [{"address": "cache.example.com:6379", "tls": True, "password": True}],
            "nginx": [{"name": "shop", "url": "http://web.example.com:8081/status"}],
            "elasticsearch": [{"address": "search.example.com:9200", "user": "monitoring"}],
            "probes": [
                {"name": "erp-shop", "url": "https://shop.example.com/", "keyword": "Sign in (free)"},
                {"name": "queue", "url": "tcp://queue.example.com:5672", "interval": "1m"},
            ],
            "instances": {"static": ["erp-1.example.com:8080", "erp-2.example.com:8080"]},
            "scheme": "https",
            "bearerToken": True,
            "tls": {"ca": "tests/unit/files/ca.pem", "serverName": "erp.example.com"},
            "thresholds": {"errorRatio": {"warning": "2%"}, "responseTime": {"critical": "1500ms"}},
        },
        "neuroerp": {
            "instances": {"files": ["tests/unit/files/targets.yaml", "tests/unit/files/targets.json"]},
            "basicAuthUser": "prometheus",
        },
        "syncup": {
            "instances": {
                "dns": [
                    {"names": ["_metrics._tcp.syncup.example.com"]},
                    {"names": ["syncup.example.com"], "type": "A", "port": 3000},
                ]
            },
            "scheme": "https",
            "tls": {"certificate": "tests/unit/files/client.pem"},
        },
    },
}
"""Settings that switch on whatever can be switched on."""


def base(stack: str) -> dict[str, Any]:
    """What the stack's own file says of systems and links; in staging the systems are placed nowhere."""
    config = read_stack_file(stack).get("config") or {}
    found = {name.partition(":")[2]: value for name, value in config.items()}
    kept = {name: found[name] for name in ("systems", "links") if name in found}
    return {"systems": {name: {} for name in kept["systems"]}} if stack == "staging" else kept


def stack_values(stack: str = "dev", values: dict[str, Any] | None = None) -> dict[str, Any]:
    """Settings on top of what the stack's own file says of systems and links."""
    given, own = values or {}, base(stack)
    merged = {name: {**own[name], **given.get(name, {})} for name in own}
    if stack == "prod":  # There nothing that is declared may go unwatched.
        systems = own["systems"]
        merged["systems"] = {name: {**systems.get(name, {}), **one} for name, one in merged["systems"].items()}
    return {**own, **given, **merged}


def stack_config(stack: str = "dev", values: dict[str, Any] | None = None) -> StackConfig:
    """A stack that has every secret."""
    complete = stack_values(stack, values)
    return validate(stack, complete, frozenset(secret_specs(complete)))


def declared(stack: str = "dev", values: dict[str, Any] | None = None) -> list[Declared]:
    """Everything such a stack declares."""
    return declared_by(stack_config(stack, values))


def declared_by(config: StackConfig) -> list[Declared]:
    """Everything this stack declares; the same stack is asked once, and what it says must not be changed."""
    found = _asked.get(repr(config))
    if found is None:
        found = _asked[repr(config)] = record(config, files(config))
    return found


_asked: dict[str, list[Declared]] = {}
