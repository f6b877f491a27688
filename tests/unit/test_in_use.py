"""Tests of live stacks refuse to start where a stack of their name exists."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker import DockerClient

from tests.in_use import alone, refuse_if_in_use


def engine(*containers: str, networks: tuple[str, ...] = (), volumes: tuple[str, ...] = ()) -> DockerClient:
    """A Docker Engine that has these."""

    def kind(names: tuple[str, ...]) -> SimpleNamespace:
        def listed(**_: Any) -> list[SimpleNamespace]:  # noqa: ANN401
            return [SimpleNamespace(name=name) for name in names]

        return SimpleNamespace(list=listed)

    found = SimpleNamespace(containers=kind(containers), networks=kind(networks), volumes=kind(volumes))
    return cast("DockerClient", found)


@pytest.mark.parametrize(
    "there",
    [engine("obs-live-prometheus"), engine(networks=("obs-live",)), engine(volumes=("obs-live-prometheus-data",))],
    ids=["container", "network", "volume"],
)
def test_a_run_exits_where_its_stacks_name_is_in_use(there: DockerClient) -> None:
    with pytest.raises(pytest.exit.Exception, match=r"'live'.* is in use on this machine: obs-live") as ended:
        refuse_if_in_use(there, "live")
    assert "docker rm -f" in str(ended.value)
    assert ended.value.returncode == 2


def test_a_run_continues_where_the_name_is_free() -> None:
    refuse_if_in_use(engine(), "live")


def test_a_concurrent_run_of_the_same_tests_exits_and_a_later_one_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with alone("obs-try"), pytest.raises(pytest.exit.Exception, match="'obs-try' is going on"), alone("obs-try"):
        pass
    with alone("obs-try"):
        pass
