"""Grafana: its server, and what is in it."""
