"""Primitives of all other packages: names, documents, errors, annotated types."""
