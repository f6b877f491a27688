"""Unit tests of the content."""
