"""The notifier: adds to each firing alert its probable cause and its system's newest error lines.

It runs in a container with Debian's Python: only the standard library, `observability/alerting/causes.py` and
`observability/core/alert.py`. `facts.py` and `levels.py`, which write its configuration, are not in that image.
"""
