"""Doubles of the services that alerts are sent to: they accept and refuse the same messages as the real ones."""
