"""Every way to change a running stack by hand is reported by `verify` and, where it can be, repaired by `up`."""

from collections.abc import Iterator

import pytest

from tests.sabotage.groups import GROUPS, check
from tests.sabotage.stack import Stack, running


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A small stack of its own."""
    with running(tmp_path_factory.mktemp("truth")) as stack:
        yield stack


@pytest.mark.parametrize("group", GROUPS)
def test_each_change_by_hand_is_reported_and_repaired(truth: Stack, group: str) -> None:
    check(truth, group)
