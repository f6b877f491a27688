"""Every dashboard as a static picture, drawn from a running stack's data in Grafana's style."""
