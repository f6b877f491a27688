"""Tests: unit (nothing needed), contract (the Docker plugin), rules (the servers' own tools), live (a whole stack)."""
