"""The metrics contract of this repository's stacks."""
