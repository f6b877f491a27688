"""YAML as our generated files are written: block style, order kept, and a first line that says from what."""

from typing import Any

import yaml


class _Dumper(yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper):  # type: ignore[misc]  # either will do
    """The safe dumper, by libyaml where it is there: several times faster. Text of many lines is written as such."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the dumper's protocol
        """Everything is written where it stands, though it be the same as elsewhere."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def to_yaml(document: Any, *, source: str) -> str:  # noqa: ANN401 - any YAML document
    """The document as YAML text; the same document always gives the same bytes."""
    body = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return f"# Generated from {source}; changes here are lost.\n{body}"
