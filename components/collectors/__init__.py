"""The log collectors: Alloy, Promtail, the OpenTelemetry Collector."""
