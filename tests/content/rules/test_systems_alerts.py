"""The alerts of each system, from the series that the system exposes and at the required limits.

Those that compare with the days or the week before are in tests/soak: promtool takes a minute for them.
"""

from typing import Final

from tests.content.rules.likeness import of_content
from tests.rules import (
    test_applications,
    test_blind_spots,
    test_business,
    test_objectives,
    test_security,
    test_signals,
)
from tests.rules.harness import promtool

MODULES: Final = (
    *(test_blind_spots, test_business, test_objectives),
    *(test_security, test_signals),
)

CASES: Final = [
    of_content(case)
    for cases in (test_applications.EVERY_CASE, *(module.CASES for module in MODULES))
    for case in cases
]

test_alerts = promtool(CASES)
