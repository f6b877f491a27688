"""Changes by hand of a running stack, and the rows of `verify` that report them; shared by several tests."""
