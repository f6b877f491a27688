"""Grafana: its server and its content."""
