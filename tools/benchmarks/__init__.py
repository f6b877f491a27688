"""Durations, measured on a running stack; `make bench` prints them and fails if a limit is exceeded."""
