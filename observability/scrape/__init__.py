"""What Prometheus scrapes, as data, and the prometheus.yaml generated from it."""
