"""Logs: what Loki is told, and the pipelines that read lines, rendered for each collector. Plain functions on data."""
