"""YAML as generated files are written: block style, order kept, and a first line that states the source."""

from typing import Any

import yaml


class _Dumper(yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper):  # type: ignore[misc]  # either works
    """The safe dumper, by libyaml if available: several times faster. Text of many lines is written as a block."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the dumper's protocol
        """Every value is written in full, even if it is the same object as another."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def to_yaml(document: Any, *, source: str) -> str:  # noqa: ANN401 - any YAML document
    """The document as YAML text; the same document always gives the same bytes."""
    body = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return f"# Generated from {source}; changes here are lost.\n{body}"
