"""blackbox_exporter: probes addresses from outside, as a visitor would."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import Field

from observability.core.render import to_yaml
from observability.core.section import PartSettings
from observability.core.types import MemoryMb
from observability.parts.model import (
    FOLDER_MARK,
    NOBODY,
    Files,
    Health,
    Here,
    Image,
    Part,
    Placed,
    Run,
    SecretText,
    Store,
)
from observability.parts.probe import SECRETS, Probe, module, module_name, present
from toolchain.gobuild import GoBuild
from toolchain.recipe import Recipe, stamps

PORT: Final = 9115
"""Port in the container."""


class BlackboxExporterSettings(PartSettings):
    """Probes of addresses from outside."""

    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")


def labels(probe: Probe) -> dict[str, str]:
    """Labels of a probe's target, except for the address itself."""
    return {
        "probe": probe.name,
        "__param_module": module_name(probe),
        "__scrape_interval__": probe.interval,
        # The module times out half a second earlier.
        "__scrape_timeout__": probe.timeout,
    }


def _target(probe: Probe) -> Mapping[str, str]:
    return {**labels(probe), "__param_target": probe.target}


def modules(placed: Iterable[Placed[Probe]], source: str) -> str:
    """The exporter's file: a module for each kind of probe, and one for each that states more than its address."""
    found: dict[str, Any] = {
        name: module(Probe(name=name.replace("_", "-"), url=url))
        for name, url in (("http_2xx", "http://localhost"), ("tcp_connect", "tcp://localhost:1"))
    }
    for one in placed:
        path = f"{FOLDER_MARK}/{_secret_file(one)}" if one.secret else None
        found.setdefault(module_name(one.server), module(one.server, path))
    return to_yaml({"modules": found}, source=source)


def _secret_file(placed: Placed[Probe]) -> str:
    return f"{SECRETS}/{placed.server.name}"


def _secrets(placed: Iterable[Placed[Probe]]) -> dict[str, SecretText]:
    """The files with the probes' secrets."""
    return {_secret_file(one): _text(one.secret) for one in placed if one.secret}


def _text(secret: str) -> SecretText:
    return SecretText(names=(secret,), text=lambda values: values[secret])


def _runs(here: Here[BlackboxExporterSettings, Probe]) -> Iterable[Run]:
    return [
        Run(
            user=NOBODY,
            health=Health(url=f"http://127.0.0.1:{PORT}/-/healthy"),
            command=("--config.file={main}",),
            files=Files(
                folder="/etc/blackbox_exporter",
                main="blackbox.yaml",
                files={"blackbox.yaml": modules(here.servers, here.source)},
                secrets=_secrets(here.servers),
                checker=("/bin/blackbox_exporter", "--config.check", "--config.file="),
            ),
        )
    ]


PART: Final = Part[BlackboxExporterSettings, Probe](
    name="blackbox-exporter",
    title="Probes of addresses from outside.",
    settings=BlackboxExporterSettings,
    job="blackbox",
    port=PORT,
    path="/probe",
    store=Store(
        job="blackbox",
        key="probes",
        server=Probe,
        description="Addresses that are probed from outside, besides its health pages.",
        up="probe_success",
        up_now=present("probe_success", 'job="blackbox"'),
        signs_in_with="Token, password or header of the probe",
        declared=False,
        named=True,
        labels=_target,
    ),
    runs=_runs,
    rules=("endpoints",),
    images=(
        Image(
            name="blackbox-exporter",
            reference="prom/blackbox-exporter:v0.28.0",
            recipe=Recipe(
                repository="prom/blackbox-exporter",
                tag="v0.28.0",
                title="blackbox_exporter",
                build=GoBuild(
                    name="blackbox-exporter",
                    module="github.com/prometheus/blackbox_exporter",
                    version="v0.28.0",
                    stamps=stamps("0.28.0"),
                    tags=("netgo",),
                    keep=("blackbox.yml",),
                ),
                binaries={"/bin/blackbox_exporter": "blackbox_exporter"},
                files={"/etc/blackbox_exporter/config.yml": "blackbox.yml"},
                user="",
                uid=0,
                entrypoint=("/bin/blackbox_exporter",),
                cmd=("--config.file=/etc/blackbox_exporter/config.yml",),
                ports=("9115/tcp",),
            ),
        ),
    ),
)
