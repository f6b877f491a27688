"""Without the systems of this repository, and with a new one, the tests of the framework pass."""

from pathlib import Path

import pytest

from tests.content import stripped


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stripped.stripped(tmp_path_factory.mktemp("stripped"))


@pytest.mark.parametrize("folder", ["unit", "metrics", "dashboards", "rules", "mistakes", "servers"])
def test_the_tests_pass_in(checkout: Path, folder: str) -> None:
    done = stripped.tests(checkout, "-n", "auto", "--dist", "loadfile", "-W", "ignore", f"tests/{folder}")
    assert done.returncode == 0, done.stdout[-5000:]
