"""The demo as a tenant: containers, network and volume of its own, beside any monitoring stack. See demo/README.md.

Nothing here is part of the Pulumi program, and nothing in the program knows of it.
"""
