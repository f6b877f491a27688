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
from observability.parts.probe import Probe
from observability.settings.load import StackConfig
from rules.probes import groups
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
    interval = seconds(config.settings.prometheus.evaluation_interval)
    own = files(config)
    rules = read(own, interval)
    catalogue = Catalogue(config, rules)
    if "probes.yaml" not in own:
        # Rules and panels read the last values of slow probes, which a stack without one does not record.
        slow = Probe(name="slow", url="https://example.com/", interval="1h")
        text = yaml.safe_dump({"groups": groups([slow], "blackbox")})
        catalogue = catalogue.beside(read({"probes.yaml": text}, interval))
    return Judged(config=config, rules=rules, catalogue=catalogue)


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
