"""Without the systems of this repository, and with a new one, the program is complete; its tests: tests/soak."""

from pathlib import Path

import pytest

from tests.content import stripped


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stripped.stripped(tmp_path_factory.mktemp("stripped"))


def test_obs_check_finds_nothing(checkout: Path) -> None:
    done = stripped.run(checkout, str(checkout / "obs"), "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 systems" in done.stdout


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_every_stack_is_rendered(checkout: Path, stack: str) -> None:
    done = stripped.run(checkout, str(checkout / "obs"), "synth", stack, "--out", str(checkout.parent / stack))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (checkout.parent / stack / "grafana/dashboards" / stripped.NEW).is_dir()
