"""The mistakes of the documents the systems' owners wrote: each shown at its original, and shown not to be ours.

One test a row of the list in the requirements. The original's form goes through the same judge as ours.
"""
