"""The worked examples: each is built from its lock file, started and asked."""
