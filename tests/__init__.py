"""Tests. `tests.conftest.NEEDS` lists what each folder needs."""

import os

# Must come first: the Prometheus client reads it at import, and then omits `_created` series.
os.environ.setdefault("PROMETHEUS_DISABLE_CREATED_SERIES", "true")
