"""Dashboards as Grafana is given them: what every one of them must be."""
