"""Panels drawn as pictures, in Grafana's style, from their JSON and the results of their queries.

The notifier's container runs it: only the standard library and Pillow.
"""
