"""The demo as a tenant: its own containers, network and volume, without a monitoring stack. See demo/README.md.

Nothing here is part of the Pulumi program, and the program does not refer to it.
"""
