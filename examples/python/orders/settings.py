"""What the environment variables say."""

import os
from typing import Final

NAME: Final = os.environ.get("OTEL_SERVICE_NAME", "orders-python")
ENVIRONMENT: Final = os.environ.get("ENVIRONMENT", "dev")
PORT: Final = int(os.environ.get("PORT", "8000"))
DATABASE_URL: Final = os.environ.get("DATABASE_URL", "postgresql://localhost/orders")
UPSTREAM_URL: Final = os.environ.get("UPSTREAM_URL", "")
"""The next warehouse, which is asked for its stock too; empty: there is none."""
TRACES: Final = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
"""Where spans are sent by OTLP over HTTP; empty: nowhere."""
SENTRY_DSN: Final = os.environ.get("SENTRY_DSN", "")
SLOW_REQUEST: Final = float(os.environ.get("SLOW_REQUEST_SECONDS", "2"))
SLOW_OPERATION: Final = float(os.environ.get("SLOW_OPERATION_SECONDS", "1"))
