"""The configuration of the OpenTelemetry Collector: what reads lines, and what takes spans, in one program."""
