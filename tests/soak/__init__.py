"""Tests that exceed the time limit of a test: `make soak`, on a whole running stack."""
