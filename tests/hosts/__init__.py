"""A second host for tests, and the tests that need one."""
