"""The metrics contract: every series that rules, panels and runbooks read is exposed, and is read correctly."""
