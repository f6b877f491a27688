"""The servers' own tools (promtool, amtool, blackbox_exporter) on what is generated for them."""
