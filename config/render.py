"""YAML as our generated files are written: block style, order kept, and a first line that says from what."""

from typing import Any

import yaml


def to_yaml(document: Any, *, source: str) -> str:  # noqa: ANN401 - any YAML document
    """The document as YAML text; the same document always gives the same bytes."""
    body = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
    return f"# Generated from {source}; changes here are lost.\n{body}"
