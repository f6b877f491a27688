"""A stand-in for Pulumi's Docker plugin, for machines that cannot download the official one.

It manages networks, volumes and containers as the official plugin does, as far as this project relies on it: the
contract suite (`tests/contract`) checks both for the same behaviour. It refuses unknown inputs by name.
"""
