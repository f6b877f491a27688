"""Every container image the stack runs, pinned; bump one in a commit that touches this file alone.

Sources of the newest versions: the releases page of each project. Pins are the newest that were seen to work here.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

PINS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "prometheus": "prom/prometheus:v3.15.0",
        "alertmanager": "prom/alertmanager:v0.34.2",
        "node-exporter": "prom/node-exporter:v1.12.1",
        "loki": "grafana/loki:3.7.8",
        "alloy": "grafana/alloy:v1.21.2",
        "promtail": "grafana/promtail:3.6.3",
        "blackbox-exporter": "prom/blackbox-exporter:v0.28.0",
        "postgres-exporter": "quay.io/prometheuscommunity/postgres-exporter:v0.19.1",
        "redis-exporter": "oliver006/redis_exporter:v1.82.0-alpine",
        "nginx-exporter": "nginx/nginx-prometheus-exporter:1.5.1",
        "busybox": "busybox:1.35.0",
        "mongodb-exporter": "percona/mongodb_exporter:0.43.1",
        "elasticsearch-exporter": "quay.io/prometheuscommunity/elasticsearch-exporter:v1.10.0",
        "cadvisor": "ghcr.io/google/cadvisor:v0.60.6",
        "grafana": "grafana/grafana:13.2.0",
        "goalert": "goalert/goalert:v0.34.1",
        "goalert-postgres": "postgres:15.20-bookworm",
        "demo": "observability/demo:0.1.0",
        "demo-postgres": "postgres:15.20-bookworm",
        "demo-redis": "redis:7.0.15-bookworm",
        "demo-nginx": "nginx:1.22.1",
    }
)
"""Image reference by the name of the service that runs it."""

DEBIAN: Final = "debian:bookworm-slim"
"""What images built here stand on where they need more than a shell; packages as of the day of the build."""

_DEMO: Final = Path(__file__).resolve().parents[2] / "demo"


def pinned(service: str) -> str:
    """Full reference of a service's image. The demo's names what it is built from: a changed file is another image."""
    if service != "demo":
        return PINS[service]
    files = sorted(path for path in _DEMO.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(_DEMO)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return f"{PINS[service]}-{digest.hexdigest()[:8]}"
