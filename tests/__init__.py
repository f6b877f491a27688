"""Tests. What each folder needs stands in `tests.conftest.NEEDS`."""

import os

# First of all: the Prometheus client reads it as it is imported, and then leaves `_created` series out.
os.environ.setdefault("PROMETHEUS_DISABLE_CREATED_SERIES", "true")
