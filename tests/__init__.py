"""Tests: unit (nothing needed), contract (the Docker plugin), rules (the servers' own tools), live (a whole stack)."""

# First of all: it tells the Prometheus client, which reads that as it is imported, to leave `_created` series out.
import demo  # noqa: F401
