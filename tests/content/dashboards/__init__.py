"""The dashboards of this repository's stacks."""
