"""A quiet week of the demo at real traffic pages nobody, and sends three warnings at most."""

from functools import cache

import pytest

from demo.systems import PROFILES
from tests.soak.quiet_week import PLATFORM, Fired, fired

WARNINGS = 3
"""In the week, of all systems together."""

WORLDS = (PLATFORM, *PROFILES)


@cache
def of(name: str) -> tuple[Fired, ...]:
    """The alerts of one system, or of the stack's own host."""
    return tuple(fired(name))


@pytest.mark.parametrize("name", WORLDS)
def test_a_quiet_week_pages_nobody(name: str) -> None:
    assert [one for one in of(name) if one.page == "yes"] == []


def test_a_quiet_week_sends_at_most_three_warnings() -> None:
    found = [one for name in WORLDS for one in of(name)]
    for one in found:
        print(  # noqa: T201 - the table that the test is asked for
            f"{one.system}: {one.alert}, {one.severity}, page {one.page}: {one.times} times, {one.minutes} minutes"
        )
    assert sum(one.times for one in found if one.severity != "info") <= WARNINGS
