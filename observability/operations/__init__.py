"""The operations of the commands on a running stack: engine, health, verification, Grafana, delivery."""
