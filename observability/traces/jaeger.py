"""The configuration of Jaeger, which is a collector with a store and its own queries.

A request is answered when its spans are in the store: there is no batch and no queue in memory, so what Jaeger has not
stored yet waits in the collector's queue on disk.
"""

from typing import Any, Final

from observability.core.render import to_yaml
from observability.core.types import seconds
from observability.parts.jaeger import HEALTH, METRICS, OTLP, PASSWORD, PORT, ElasticsearchStore, JaegerSettings
from observability.parts.jaeger import NAME as NAME
from observability.parts.model import FOLDER_MARK
from observability.parts.otel_export import ANY
from observability.settings.load import StackConfig

MAIN: Final = "jaeger.yaml"
FOLDER: Final = "/etc/jaeger"
DATA: Final = "/tmp"  # noqa: S108 - the only folder of the image that its user can write to
"""Where the volume of the traces is mounted."""

AUTHORITY: Final = "authority.pem"
SECRET: Final = "elasticsearch-password"  # noqa: S105 - the name of a file

_STORE: Final = "traces"


def retention(config: StackConfig) -> str:
    """How long traces are kept on the volume."""
    own: JaegerSettings = config.settings.part(NAME)
    return own.retention or ("48h" if config.settings.environment == "dev" else "168h")


def files(config: StackConfig) -> dict[str, str]:
    """Jaeger's configuration folder: path within it → text."""
    own: JaegerSettings = config.settings.part(NAME)
    found = {MAIN: to_yaml(document(config), source=f"Pulumi.{config.stack}.yaml")}
    if own.elasticsearch is not None and own.elasticsearch.ca is not None:
        found[AUTHORITY] = config.files[own.elasticsearch.ca]
    return found


def secret_files(config: StackConfig) -> dict[str, str]:
    """Secrets that it needs: path within the same folder → name of the secret."""
    own: JaegerSettings = config.settings.part(NAME)
    return {SECRET: PASSWORD} if own.wanted_secrets else {}


def document(config: StackConfig) -> dict[str, Any]:
    """The configuration."""
    own: JaegerSettings = config.settings.part(NAME)
    backend = _badger(config) if own.elasticsearch is None else _elasticsearch(own.elasticsearch)
    return {
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query", "healthcheckv2"],
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
            "telemetry": {
                "logs": {"level": "warn", "encoding": "json"},
                "metrics": {
                    "level": "detailed",
                    "readers": [{"pull": {"exporter": {"prometheus": {"host": ANY, "port": METRICS}}}}],
                },
            },
        },
        "extensions": {
            "healthcheckv2": {"use_v2": True, "http": {"endpoint": f"{ANY}:{HEALTH}"}},
            "jaeger_query": {"storage": {"traces": _STORE}, "http": {"endpoint": f"{ANY}:{PORT}"}},
            "jaeger_storage": {"backends": {_STORE: backend}},
        },
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"{ANY}:{OTLP}"}}}},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": _STORE}},
    }


def _badger(config: StackConfig) -> dict[str, Any]:
    folder = f"{DATA}/jaeger"
    return {
        "badger": {
            "directories": {"keys": f"{folder}/keys", "values": f"{folder}/values"},
            "ephemeral": False,
            "ttl": {"spans": f"{seconds(retention(config)):.0f}s"},
            # Written spans survive the end of the process; not a power failure, which may take the last seconds.
            "consistency": False,
        }
    }


def _elasticsearch(there: ElasticsearchStore) -> dict[str, Any]:
    each = {"date_layout": "2006-01-02", "rollover_frequency": "day", "shards": 1, "replicas": there.replicas}
    found: dict[str, Any] = {
        "server_urls": [there.url],
        "indices": {
            "index_prefix": there.prefix,
            **{kind: dict(each) for kind in ("spans", "services", "dependencies", "sampling")},
        },
    }
    if there.user is not None:
        found["auth"] = {"basic": {"username": there.user, "password_file": f"{FOLDER_MARK}/{SECRET}"}}
    if there.ca is not None:
        found["tls"] = {"ca_file": f"{FOLDER_MARK}/{AUTHORITY}"}
    return {"elasticsearch": found}
