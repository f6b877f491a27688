"""Traces: what the collector does with spans, and the store that keeps them."""
