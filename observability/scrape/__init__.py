"""What Prometheus scrapes, as data, and the prometheus.yaml that says so."""
