"""What the commands do with a running stack: engine, health, verification, Grafana, delivery."""
