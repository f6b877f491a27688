"""Stacks of the unit tests: those of the reference project, independent of what the repository itself watches."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from dashboards.linked_rules import files
from observability.core import project
from observability.settings.load import ROOT, StackConfig, read_stack_file, secret_specs, validate
from observability.synth.declared import Declared
from observability.synth.record import record

REFERENCE: Final = ROOT / "tests" / "reference"
"""A project whose systems together use every signal and every threshold."""

SPANNED: Final = ROOT / "tests" / "spanned"
"""A project with one system, which sends spans and has no metrics."""

SENT: Final = ROOT / "tests" / "sent"
"""A project with one system, which sends its metrics by OTLP and has no page of them."""

PARTS: Final[dict[str, Any]] = {
    "exporters": [
        {"name": "rabbitmq", "image": "kbudde/rabbitmq-exporter:v1.0.0", "port": 9419, "command": ["-v"]},
    ],
    "images": {"registry": "mirror.example.com/library"},
    "docker": {"metricsAddress": "172.30.90.1:9323"},
    "loki": {"s3": {"bucket": "lines", "endpoint": "https://s3.example.com", "pathStyle": True}},
    "grafana": {
        "publicStatus": True,
        "dataSources": {
            "tempo": {"url": "http://tempo.example.com:3200"},
            "elasticsearch": {"url": "https://search.example.com:9200", "user": "grafana"},
            "cloudwatch": {
                "region": "eu-central-1",
                "accessKey": "AKIAIOSFODNN7EXAMPLE",
                "logGroups": ["/aws/lambda/orders"],
            },
            "sentry": {"organization": "acme", "environments": ["prod"]},
        },
        "oidc": {
            "clientId": "grafana",
            "authUrl": "https://id.example.com/auth",
            "tokenUrl": "https://id.example.com/token",
            "apiUrl": "https://id.example.com/userinfo",
            "roles": {"admin": ["ops"]},
        },
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
    "hosts": {
        "db-1": {"docker": "tcp://10.0.0.9:2376", "tls": "~/.docker/db-1"},
        "web-2": {"docker": "ssh://root@10.0.0.2", "subnet": "172.30.92.0/24"},
    },
    "edge": {"address": "monitoring.example.com"},
    "traces": {"keep": "20%", "browsers": {"origins": ["https://shop.example.com"]}},
    "otlpMetrics": {"series": 20_000},
    "backup": {"repository": "/var/backups/monitoring"},
    "datadogAgent": {"site": "datadoghq.eu", "tags": ["cost-center:shop"]},
    "newRelic": {"region": "eu", "drop": [{"metrics": ["go_.+"]}]},
    "remoteWrite": [
        {
            "name": "long-term",
            "url": "https://metrics.example.com/api/v1/push",
            "basicAuthUser": "1234",
            "headers": {"X-Scope-OrgID": "monitoring"},
            "secretHeaders": ["X-Api-Key"],
            "keep": [{"metrics": ["up", "app:.+"]}, {"labels": {"system": "platform"}}],
            "drop": [{"metrics": ["go_.+"], "labels": {"job": "node"}}],
            "sendExemplars": True,
            "sendNativeHistograms": True,
        },
    ],
}
"""Settings that enable every part, and name no system."""

FULL: Final[dict[str, Any]] = {
    **PARTS,
    "exporters": [
        *PARTS["exporters"],
        {
            "name": "shop-exporter",
            "image": "example/shop-exporter:1.0",
            "port": 9000,
            "system": "depot",
            "entrypoint": ["/bin/shop_exporter", "--config=/etc/shop/shop.yaml"],
            "env": {"LEVEL": "warn"},
            "files": {"/etc/shop/shop.yaml": "interval: 1m\n"},
            "secrets": {"password": {"env": "SHOP_PASSWORD"}, "token": {"envFile": "SHOP_TOKEN_FILE"}},
            "capabilities": ["NET_RAW"],
        },
    ],
    "collector": {
        "redactEmail": True,
        "syslog": [
            {"port": 5514},
            {"port": 5515, "protocol": "tcp", "framing": "octet-counting", "bindAddress": "192.0.2.1"},
            {"port": 6514, "protocol": "tls", "certificate": "files/client.pem", "clientCa": "files/ca.pem"},
        ],
    },
    "grafana": {**PARTS["grafana"], "teams": {"erp": {"folders": ["depot"]}}},
    "remoteWrite": [
        *PARTS["remoteWrite"],
        {
            "name": "agency",
            "url": "https://agency.example.com:8443/write?source=erp",
            "bearerToken": True,
            "tls": {"ca": "files/ca.pem", "certificate": "files/client.pem", "serverName": "metrics.agency.example"},
            "keep": [{"labels": {"system": "depot"}}],
            "protocol": "v2",
            "queue": {"sampleAgeLimit": "1h", "retryOnRateLimit": False},
        },
    ],
    "systems": {
        "platform": {"thresholds": {"cpuRatio": {"warning": "85%"}}},
        "academy": {
            "traces": {"services": ["academy-api"], "keep": "5%", "spansPerSecond": 200},
            "otlpMetrics": {"series": 5000},
            "instances": {"static": ["academy-1.example.com:3000"], "labelled": True},
            "containers": [{"name": "academy-api-1"}],
            "hosts": [{"address": "app-1.example.com:9100", "name": "app-1"}],
            "mongodb": [{"address": "mongo.example.com:27017", "user": "monitoring", "tls": True}],
            "logs": {
                "projects": ["academy"],
                "containers": ["academy-*"],
                "files": [
                    {"path": "/var/log/academy/*.log", "format": "json", "metadata": {"zone": "a"}},
                    {"path": "/srv/academy/nginx/access.log", "service": "nginx", "startAt": "beginning"},
                ],
                "syslog": [{"hostnames": ["academy-*"], "programs": ["nginx"]}, {"ports": [6514]}],
                "drop": [{"reason": "health-checks", "match": r"GET /health(?:z)? "}],
            },
        },
        "depot": {
            "postgres": [{"address": "db.example.com:5432"}],
            "redis": [{"address": "cache.example.com:6379", "tls": True, "password": True}],
            "nginx": [{"name": "shop", "url": "http://web.example.com:8081/status"}],
            "elasticsearch": [{"address": "search.example.com:9200", "user": "monitoring"}],
            "probes": [
                {"name": "erp-shop", "url": "https://shop.example.com/", "keyword": "Sign in (free)"},
                {"name": "queue", "url": "tcp://queue.example.com:5672", "interval": "1m"},
                {
                    "name": "partner",
                    "url": "https://partner.example.com/orders",
                    "interval": "1h",
                    "method": "POST",
                    "body": "{}",
                    "json": {"status": "ok"},
                    "status": [200, 202],
                    "secretHeader": "X-Api-Key",
                    "timeout": "20s",
                    "ca": "files/ca.pem",
                },
                {"name": "mx", "url": "dns://192.0.2.53/shop.example.com", "record": "MX", "interval": "5m"},
                {"name": "router", "url": "icmp://192.0.2.1"},
                {"name": "orders-grpc", "url": "grpcs://api.example.com:443/shop.v1.Orders"},
            ],
            "instances": {"static": ["erp-1.example.com:8080", "erp-2.example.com:8080"]},
            "scheme": "https",
            "bearerToken": True,
            "tls": {"ca": "files/ca.pem", "serverName": "erp.example.com"},
            "thresholds": {"errorRatio": {"warning": "2%"}, "responseTime": {"critical": "1500ms"}},
        },
        "hospital": {
            "instances": {"files": ["files/targets.yaml", "files/targets.json"]},
            "basicAuthUser": "prometheus",
        },
        "studio": {
            "instances": {
                "dns": [
                    {"names": ["_metrics._tcp.studio.example.com"]},
                    {"names": ["studio.example.com"], "type": "A", "port": 3000},
                ]
            },
            "scheme": "https",
            "tls": {"certificate": "files/client.pem"},
        },
    },
}
"""Settings that enable everything that can be enabled."""


def base(stack: str, root: Path = REFERENCE) -> dict[str, Any]:
    """The settings of systems and links in the stack's own file; in staging the systems are not placed."""
    config = read_stack_file(stack, root).get("config") or {}
    found = {name.partition(":")[2]: value for name, value in config.items()}
    kept = {name: found[name] for name in ("systems", "links") if name in found}
    return {"systems": {name: {} for name in kept["systems"]}} if stack == "staging" else kept


def stack_values(stack: str = "dev", values: dict[str, Any] | None = None, root: Path = REFERENCE) -> dict[str, Any]:
    """Settings that override those of systems and links in the stack's own file."""
    given, own = values or {}, base(stack, root)
    merged = {name: {**own[name], **given.get(name, {})} for name in own}
    if stack == "prod":  # There everything that is declared must be watched.
        systems = own["systems"]
        merged["systems"] = {name: {**systems.get(name, {}), **one} for name, one in merged["systems"].items()}
    return {**own, **given, **merged}


def stack_config(stack: str = "dev", values: dict[str, Any] | None = None, root: Path = REFERENCE) -> StackConfig:
    """A stack that has every secret, with the systems of `root`."""
    complete = stack_values(stack, values, root)
    if root == REFERENCE and project.own() is None:
        return _shared(stack, json.dumps(complete))
    return validate(stack, complete, frozenset(secret_specs(complete, root)), root)


@lru_cache(maxsize=64)
def _shared(stack: str, values: str) -> StackConfig:
    """Equal settings give the same object, so that its dashboards and rules are computed once in a test process."""
    complete = json.loads(values)
    return validate(stack, complete, frozenset(secret_specs(complete, REFERENCE)), REFERENCE)


def declared(stack: str = "dev", values: dict[str, Any] | None = None) -> list[Declared]:
    """Everything such a stack declares."""
    return declared_by(stack_config(stack, values))


def declared_by(config: StackConfig) -> list[Declared]:
    """Everything this stack declares; cached for each stack, so the result must not be changed."""
    found = _asked.get(repr(config))
    if found is None:
        found = _asked[repr(config)] = record(config, files(config))
    return found


_asked: dict[str, list[Declared]] = {}
