"""The stacks whose rules are checked, and a fixture for made-up rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import yaml

from dashboards.linked_rules import files
from observability.check.catalogue import Catalogue
from observability.check.rulefile import Rule, read
from observability.core.types import seconds
from observability.settings.load import StackConfig
from tests.unit.conftest import FULL, stack_config


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A stack, its rules, and every series it has."""

    config: StackConfig
    rules: list[Rule]
    catalogue: Catalogue

    def with_rules(self, texts: Mapping[str, str]) -> tuple[list[Rule], Catalogue]:
        """More rule files, and the catalogue with the series they record."""
        more = read(texts, seconds(self.config.settings.prometheus.evaluation_interval))
        return more, self.catalogue.beside(more)

    def with_group(self, *rules: Mapping[str, Any], interval: str = "10s") -> tuple[list[Rule], Catalogue]:
        """One more group of rules, and the catalogue with the series they record."""
        group = {"name": "made-up", "interval": interval, "rules": [dict(rule) for rule in rules]}
        return self.with_rules({"made-up.yaml": yaml.safe_dump({"groups": [group]})})


def judge(config: StackConfig) -> Judged:
    """A stack with its own rules."""
    rules = read(files(config), seconds(config.settings.prometheus.evaluation_interval))
    return Judged(config=config, rules=rules, catalogue=Catalogue(config, rules))


@cache
def judged(stack: str) -> Judged:
    """A stack with everything switched on."""
    return judge(stack_config(stack, FULL))


@pytest.fixture(params=["dev", "prod"])
def everything(request: pytest.FixtureRequest) -> Judged:
    """The whole of a stack, for dev and for prod."""
    return judged(request.param)


@pytest.fixture
def dev() -> Judged:
    """The whole dev stack."""
    return judged("dev")
