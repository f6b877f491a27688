"""The servers and exporters that a stack can run."""
