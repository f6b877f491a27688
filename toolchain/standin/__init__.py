"""A stand-in for Pulumi's Docker plugin, for machines that cannot download the official one.

It serves networks, volumes and containers as the official plugin does in what this project relies on: the contract
suite (`tests/contract`) holds both to the same behaviour. What it does not know, it refuses by name.
"""
