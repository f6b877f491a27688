"""The collector's lines to Logstash as well: what its configuration has besides.

Each line becomes a JSON object, the body of its record, and is sent by OTLP over HTTP as JSON: an exporter that both
the official image of the collector and the one built here have. Logstash takes the requests with its input `http`.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final

from observability.elk.logstash import COLLECTOR_USER
from observability.parts.elk import AUTHORITY, COLLECTOR_PASSWORD, LOGSTASH, NAME, OTLP
from observability.parts.model import SecretText
from observability.parts.otel_collector import TOOLS
from observability.parts.otel_export import sending
from observability.settings.load import StackConfig

CREDENTIAL: Final = "bearertokenauth/elk"
"""The extension that signs in at Logstash: it sends any scheme with the content of a file."""
LOGIN_FILE: Final = "elk-login"
CA_FILE: Final = "elk-authority.pem"

QUEUE: Final = 1024**3
"""Bytes of lines that wait on disk for Logstash. Then reading pauses, for Loki too, until there is room again."""

STATEMENTS: Final = (
    'merge_maps(log.attributes, resource.attributes, "upsert")',
    'set(log.attributes["message"], log.body)',
    'set(log.attributes["@timestamp"], FormatTime(log.time, "%Y-%m-%dT%H:%M:%S.%LZ"))',
    "set(log.body, String(log.attributes))",
    "keep_keys(log.attributes, [])",
)
"""What makes a JSON object of a line, with its labels and its structured metadata."""


def sends(config: StackConfig, host: str | None) -> bool:
    """Whether a collector sends to Logstash; those of other hosts do not reach it."""
    return host is None and config.settings.elk is not None and config.settings.elk.collector and config.runs(NAME)


def secret_files(config: StackConfig) -> dict[str, str]:
    """Path within the folder `current` of `TOOLS` → name of the secret."""
    return {CA_FILE: AUTHORITY} if sends(config, None) else {}


def secret_texts(config: StackConfig, host: str | None) -> dict[str, SecretText]:
    """Path within the same folder → the text of user and password."""
    return {LOGIN_FILE: SecretText(names=(COLLECTOR_PASSWORD,), text=_login)} if sends(config, host) else {}


def _login(values: Mapping[str, str]) -> str:
    return base64.b64encode(f"{COLLECTOR_USER}:{values[COLLECTOR_PASSWORD]}".encode()).decode()


def document(config: StackConfig, host: str | None) -> dict[str, Any]:
    """What the collector's configuration has besides, before `$` is escaped."""
    if not sends(config, host):
        return {}
    here = f"{TOOLS}/current"
    return {
        "extensions": {CREDENTIAL: {"scheme": "Basic", "filename": f"{here}/{LOGIN_FILE}"}},
        "processors": {
            "transform/elk": {
                "error_mode": "silent",
                "log_statements": [
                    {"context": "log", "statements": [*STATEMENTS]},
                    {"context": "resource", "statements": ["keep_keys(resource.attributes, [])"]},
                    {"context": "scope", "statements": ['set(scope.name, "")', 'set(scope.version, "")']},
                ],
            }
        },
        "exporters": {
            "otlp_http/elk": {
                "logs_endpoint": f"https://{LOGSTASH}:{OTLP}/v1/logs",
                "encoding": "json",
                "compression": "none",
                "tls": {"ca_file": f"{here}/{CA_FILE}"},
                "auth": {"authenticator": CREDENTIAL},
                **sending(QUEUE, consumers=1, wait=True),
            }
        },
        "pipelines": {
            "logs/elk": {
                "receivers": ["forward"],
                "processors": ["filter/dropped", "transform/elk"],
                "exporters": ["otlp_http/elk"],
            }
        },
    }
