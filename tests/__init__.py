"""Tests. What each folder needs stands in `tests.conftest.NEEDS`."""

# First of all: it tells the Prometheus client, which reads that as it is imported, to leave `_created` series out.
import demo  # noqa: F401
