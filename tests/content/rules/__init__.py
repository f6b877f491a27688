"""The rules on what the repository's own systems expose."""
