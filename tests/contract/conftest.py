"""The contract's fixtures: the plugins it holds for, the image it runs, the stacks it shares."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from docker import DockerClient
from pulumi import automation

from observability.operations.engine import MEMORY
from observability.parts.images import PINS
from tests.contract.lab import Lab, Plugin
from tests.garbage import collected_at_the_end
from tests.in_use import alone
from toolchain import Toolchain, docker_plugin, ensure
from toolchain.standin.launcher import write_launcher

IMAGE: Final = "alertmanager"
"""The pin of the image that the contract runs: the smallest with a shell."""
PLUGINS: Final = ("stand-in", "official")


@pytest.fixture(scope="package", autouse=True)
def _coroutines_end_last() -> Iterator[None]:
    """What failed updates leave behind is collected at the end."""
    with collected_at_the_end():
        yield


@pytest.fixture(scope="session")
def obtained() -> Iterator[Toolchain]:
    """Docker Engine, the Pulumi CLI and the image, obtained as in every run, for one run at a time."""
    with alone("obs-contract"):
        yield ensure({IMAGE: PINS[IMAGE]})


@pytest.fixture(scope="session")
def image(obtained: Toolchain) -> str:
    """A small image with a shell that the stack uses already."""
    assert not obtained.left_out
    return PINS[IMAGE]


@pytest.fixture(scope="session")
def docker_engine(obtained: Toolchain) -> Iterator[DockerClient]:
    """The Docker Engine that the plugins use."""
    client = DockerClient(base_url=obtained.docker_host)
    yield client
    client.close()


@pytest.fixture(scope="module", params=PLUGINS)
def plugin(request: pytest.FixtureRequest, obtained: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    """Each plugin in turn: the stand-in always, the official one if it is installed."""
    return _plugin(request.param, obtained, tmp_path_factory)


@pytest.fixture(scope="module")
def other_plugin(plugin: Plugin, obtained: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    """The other plugin."""
    return _plugin(next(name for name in PLUGINS if name != plugin.name), obtained, tmp_path_factory)


def _plugin(name: str, obtained: Toolchain, temporary: pytest.TempPathFactory) -> Plugin:
    """Return the plugin with a Pulumi home and a PATH in which the engine finds only this plugin."""
    environment = {
        **MEMORY,
        "DOCKER_HOST": obtained.docker_host,
        "PATH": os.environ["PATH"],
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    if name == "stand-in":
        launcher = write_launcher(temporary.mktemp("launcher"))
        environment["PATH"] = f"{launcher.parent}{os.pathsep}{environment['PATH']}"
        environment["PULUMI_HOME"] = str(temporary.mktemp("home"))
    else:
        environment["PULUMI_HOME"] = str(_official_home())
    return Plugin(name, environment, automation.PulumiCommand(str(obtained.pulumi.parent.parent)))


def _official_home() -> Path:
    """Return the Pulumi home that has the official Docker plugin, or skip."""
    named = os.environ.get("OBS_OFFICIAL_PULUMI_HOME") or os.environ.get("PULUMI_HOME")
    home = Path(named) if named else Path.home() / ".pulumi"
    if not (home / "plugins" / f"resource-docker-v{docker_plugin.version()}" / "pulumi-resource-docker").exists():
        pytest.skip("the official Docker plugin is not installed")
    return home


@pytest.fixture(scope="module")
def make_lab(
    plugin: Plugin, docker_engine: DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Lab]]:
    """Make a stack of a given name and environment; all are destroyed at the module's end."""
    labs: list[Lab] = []

    def make(role: str, **environment: str) -> Lab:
        prefix = f"obs-contract-{plugin.name}-{role}"
        labs.append(Lab(plugin.within(environment), prefix, tmp_path_factory.mktemp(role), docker_engine))
        labs[-1].sweep()
        return labs[-1]

    yield make
    for lab in labs:
        lab.destroy()
        lab.sweep()
