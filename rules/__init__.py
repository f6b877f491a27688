"""Prometheus' rule files: plain YAML, one domain a file; every `*.yaml` here is loaded by every stack."""

from pathlib import Path

from config.errors import ConfigError
from config.load import parse_yaml


def load(folder: Path) -> dict[str, str]:
    """Rule files by name; ConfigError where one is not a YAML mapping with `groups`. PromQL is promtool's to check."""
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        document = parse_yaml(path)
        if not isinstance(document, dict) or not isinstance(document.get("groups"), list):
            raise ConfigError(
                f"rules/{path.name}: not a rule file: it has no list `groups`",
                "see rules/stack.yaml for the form, or move the file out of rules/",
            )
        texts[path.name] = path.read_text(encoding="utf-8")
    return texts
