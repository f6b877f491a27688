"""Loki's configuration as text; limits from requirements 4."""

from typing import Any, Final

from observability.core.render import to_yaml
from observability.logs import log_rules
from observability.settings.load import StackConfig

PORT: Final = 3100
DATA: Final = "/loki"
"""Folder of the data volume; the image owns it."""

RULES: Final = "rules"
"""Folder of the ruler's files, below that of the configuration."""

S3_CREDENTIALS: Final = "s3-credentials"
"""File with the keys of the object storage."""

INDEXED: Final = ("container", "service", "stack", "system", "team", "level")
"""The labels of a stream, also of lines that come by OTLP; whatever else those have is structured metadata."""

HOST: Final = "host"
"""Label of a stream in a stack of several hosts: the name of the one that the container is on."""

OLDEST: Final = "168h"
"""Age from which lines are rejected."""

RETENTION: Final = {"dev": "168h", "staging": "336h", "prod": "744h"}
"""How long lines are kept by default. Whole days: the compactor works on index tables of a day."""


def indexed(config: StackConfig) -> tuple[str, ...]:
    """The labels of a stream in this stack."""
    return (*INDEXED, HOST) if config.settings.hosts else INDEXED


def files(config: StackConfig) -> dict[str, str]:
    """Loki's configuration folder: path within it → text."""
    rules = {f"{RULES}/{path}": text for path, text in log_rules.files().items()}
    return {"loki.yaml": to_yaml(_document(config), source=f"Pulumi.{config.stack}.yaml"), **rules}


def secret_files(config: StackConfig) -> dict[str, str]:
    """Path of each secret file, and the secret's name."""
    return {S3_CREDENTIALS: "lokiS3Credentials"} if config.settings.loki.s3 else {}


def _document(config: StackConfig) -> dict[str, Any]:
    settings = config.settings.loki
    store = "s3" if settings.s3 else "filesystem"
    return {
        "auth_enabled": False,
        "server": {"http_listen_port": PORT, "log_level": "warn"},
        "common": {
            "path_prefix": DATA,
            "replication_factor": 1,
            "instance_addr": "127.0.0.1",
            "ring": {"kvstore": {"store": "inmemory"}},
            "storage": _storage(config),
        },
        "schema_config": {
            "configs": [
                {
                    "from": "2024-01-01",
                    "store": "tsdb",
                    "object_store": store,
                    "schema": "v13",
                    "index": {"prefix": "index_", "period": "24h"},
                }
            ]
        },
        "limits_config": {
            "reject_old_samples": True,
            "reject_old_samples_max_age": OLDEST,
            "ingestion_rate_mb": 10,
            "ingestion_burst_size_mb": 20,
            "per_stream_rate_limit": "5MB",
            "per_stream_rate_limit_burst": "20MB",
            "retention_period": settings.retention or RETENTION[config.settings.environment],
            "allow_structured_metadata": True,
            "otlp_config": {
                "resource_attributes": {
                    "ignore_defaults": True,
                    "attributes_config": [{"action": "index_label", "attributes": list(indexed(config))}],
                }
            },
            # The collector sets service and level; Loki need not detect them.
            "discover_service_name": [],
            "discover_log_levels": False,
            # The ruler counts errors by kind, of which one minute of several services may have more than the default.
            "max_query_series": 5000,
        },
        "query_range": {"cache_results": True, "results_cache": {"cache": _cache(32)}},
        "chunk_store_config": {"chunk_cache_config": _cache(64)},
        "compactor": {
            "working_directory": f"{DATA}/compactor",
            "retention_enabled": True,
            "delete_request_store": store,
        },
        "ruler": {
            "alertmanager_url": ",".join(f"http://{name}:9093" for name in config.settings.alertmanager.services),
            "enable_alertmanager_v2": True,
            "enable_api": True,
            "rule_path": f"{DATA}/rules-temp",
            # The folder of its files is an argument of the command: it lies beside this file.
            "storage": {"type": "local"},
            "wal": {"dir": f"{DATA}/ruler-wal"},
            "remote_write": {
                "enabled": True,
                "clients": {"prometheus": {"url": "http://prometheus:9090/api/v1/write"}},
            },
        },
        "analytics": {"reporting_enabled": False},
    }


def _storage(config: StackConfig) -> dict[str, Any]:
    s3 = config.settings.loki.s3
    if s3 is None:
        return {"filesystem": {"chunks_directory": f"{DATA}/chunks", "rules_directory": f"{DATA}/rules"}}
    # The keys are read from the file that AWS_SHARED_CREDENTIALS_FILE names.
    return {
        "s3": {
            "bucketnames": s3.bucket,
            "region": s3.region,
            **({"endpoint": s3.endpoint} if s3.endpoint else {}),
            "s3forcepathstyle": s3.path_style,
        }
    }


def _cache(megabytes: int) -> dict[str, Any]:
    return {"embedded_cache": {"enabled": True, "max_size_mb": megabytes}}
