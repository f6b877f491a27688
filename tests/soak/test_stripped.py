"""Without the systems of this repository, and with a new one, the tests of the framework pass."""

from pathlib import Path

import pytest

from tests.content import SYSTEMS, stripped


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stripped.stripped(tmp_path_factory.mktemp("stripped"))


def test_every_test_module_is_collected(checkout: Path) -> None:
    done = stripped.tests(checkout, "--collect-only", "-W", "ignore", "tests")
    assert done.returncode == 0, done.stdout[-3000:]
    assert not any(system in done.stdout for system in SYSTEMS)


@pytest.mark.parametrize("folder", ["unit", "metrics", "dashboards", "rules", "mistakes", "servers"])
def test_the_tests_pass_in(checkout: Path, folder: str) -> None:
    done = stripped.tests(checkout, "-n", "auto", "--dist", "loadfile", "-W", "ignore", f"tests/{folder}")
    assert done.returncode == 0, done.stdout[-5000:]
