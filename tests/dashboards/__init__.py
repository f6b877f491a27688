"""Dashboards as they are sent to Grafana: what holds for every dashboard."""
