"""The public status page: a program of its own, in a container or run by hand.

Except for `facts`, its modules import nothing outside this package and the standard library.
"""
