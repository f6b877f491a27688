"""Alerts of hosts and databases at the limits that this repository's systems set."""

from collections.abc import Mapping
from functools import cache
from typing import Final

import pytest

from observability.settings.load import ROOT
from tests.content.rules.likeness import renamed
from tests.rules.test_alerts import HERE, verdicts

FILES: Final = ("host.test.yaml", "postgres.test.yaml")
"""Cases for limits that a system's file sets instead of the default."""


@cache
def judged() -> Mapping[str, str]:
    """promtool's result for each file, for the systems of this repository."""
    return verdicts({name: renamed((HERE / name).read_text()) for name in FILES}, ROOT)


@pytest.mark.parametrize("name", FILES)
def test_promtool_passes(name: str) -> None:
    assert judged()[name].split() == ["SUCCESS"], judged()[name]
