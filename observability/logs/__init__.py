"""Logs: the configuration of Loki and of each collector, with the pipelines that parse lines; plain functions."""
