"""GoAlert and its database."""
