"""Grafana's dashboards as typed code: one module per dashboard, one function per panel. No Pulumi, no I/O."""
