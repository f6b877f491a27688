"""What Grafana shows, typed: one module a dashboard, one function a panel. No Pulumi, no I/O."""
