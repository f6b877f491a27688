"""The metrics contract: what rules, panels and runbooks read is exposed by somebody, and read as it should be."""
