"""The alerts of each system that compare with the days or the week before; the others are in tests/content/rules."""

from typing import Final

from tests.content.rules.likeness import of_content
from tests.rules import test_trends, test_week
from tests.rules.harness import promtool

CASES: Final = [of_content(case) for module in (test_trends, test_week) for case in module.CASES]

test_alerts = promtool(CASES)
