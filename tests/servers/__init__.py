"""The servers' own tools (promtool, amtool, blackbox_exporter) on their generated files."""
