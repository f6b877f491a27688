"""The rule files of a stack, each alert with links to its runbook and to the panel that shows it."""

from pathlib import Path

import rules
from dashboards import own
from dashboards.links import AlertLinks
from observability.core import project
from observability.settings.load import StackConfig, once


def files(config: StackConfig, root: Path | None = None) -> dict[str, str]:
    """Every rule file, by name, of `root`, or else of the repository and the project folder."""
    return dict(_all(config)) if root is None else _made(config, root)


@once
def _all(config: StackConfig) -> dict[str, str]:
    return _made(config, None)


def _made(config: StackConfig, root: Path | None) -> dict[str, str]:
    pages = project.files("runbooks", ".md", root=root)
    return rules.files(config, AlertLinks(config=config, pages=pages, own=own.links()), root)
