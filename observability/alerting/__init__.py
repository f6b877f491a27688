"""Routing, muting and messages of alerts as data, and the configuration of Alertmanager and Grafana made from it."""
