"""Primitives that everything else stands on: names, documents, errors, annotated types."""
