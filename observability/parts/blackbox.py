"""blackbox_exporter: probes addresses from outside, as a visitor would."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import Field, field_validator

from observability.core.render import to_yaml
from observability.core.section import PartSettings
from observability.core.types import Duration, MemoryMb, ServiceName, seconds
from observability.parts.model import NOBODY, Files, Health, Here, Image, Part, Run, Server, Store
from toolchain.gobuild import GoBuild
from toolchain.recipe import Recipe, stamps

PORT: Final = 9115
"""Port in the container."""


class Probe(Server):
    """One address that is probed from outside."""

    name: ServiceName = Field(description="Name of the probe, in the label `probe`.")
    url: str = Field(description="http://…, https://… or tcp://host:port.", pattern=r"^(https?://|tcp://)[^\s@]+$")
    keyword: str | None = Field(None, description="Text that the page must hold, taken literally.", min_length=1)
    interval: Duration = Field("30s", description="How often it is probed; 5s to 2m.")

    @field_validator("interval")
    @classmethod
    def _within_lookback(cls, value: str) -> str:
        if not 5 <= seconds(value) <= 120:
            raise ValueError("must be between 5s and 2m")
        return value

    @property
    def instance(self) -> str:
        """The address."""
        return self.url


class HealthProbe(Probe):
    """A system's health page, named by its system and path; made from the system's file, never written in settings.

    `discovered`: its instances are found at run time; `url` is then the scheme and the path alone.
    """

    name: str
    url: str
    ca: str | None = None
    server_name: str | None = None
    discovered: bool = False


class BlackboxExporterSettings(PartSettings):
    """Probes of addresses from outside."""

    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")


def module(probe: Probe) -> str:
    """Name of the module that a probe uses."""
    if probe.url.startswith("tcp://"):
        return "tcp_connect"
    if _tls(probe):
        return f"http_tls_{probe.name}"
    return f"http_keyword_{probe.name}" if probe.keyword else "http_2xx"


def labels(probe: Probe) -> dict[str, str]:
    """Labels of a probe's target, except for the address itself."""
    return {
        "probe": probe.name,
        "__param_module": module(probe),
        "__scrape_interval__": probe.interval,
        # The module itself times out after 5 s.
        "__scrape_timeout__": "5s",
    }


def _target(probe: Probe) -> Mapping[str, str]:
    return {**labels(probe), "__param_target": probe.url.removeprefix("tcp://")}


def modules(probes: Iterable[Probe], source: str) -> str:
    """The exporter's file: a module for each kind of probe, and one for each keyword."""
    http: dict[str, Any] = {"preferred_ip_protocol": "ip4", "ip_protocol_fallback": True}
    found: dict[str, Any] = {
        "http_2xx": {"prober": "http", "timeout": "5s", "http": http},
        "tcp_connect": {"prober": "tcp", "timeout": "5s", "tcp": http},
    }
    for probe in probes:
        if module(probe) not in found:
            demand = {"fail_if_body_not_matches_regexp": [re.escape(probe.keyword)]} if probe.keyword else {}
            tls = {"tls_config": _tls(probe)} if _tls(probe) else {}
            found[module(probe)] = {"prober": "http", "timeout": "5s", "http": {**http, **demand, **tls}}
    return to_yaml({"modules": found}, source=source)


def _tls(probe: Probe) -> dict[str, str]:
    """TLS settings for other than public authorities; certificates are not secret, so they are in the file itself."""
    wanted = {"ca": probe.ca, "server_name": probe.server_name} if isinstance(probe, HealthProbe) else {}
    return {key: value for key, value in wanted.items() if value}


def _runs(here: Here[BlackboxExporterSettings, Probe]) -> Iterable[Run]:
    return [
        Run(
            user=NOBODY,
            health=Health(url=f"http://127.0.0.1:{PORT}/-/healthy"),
            command=("--config.file={main}",),
            files=Files(
                folder="/etc/blackbox_exporter",
                main="blackbox.yaml",
                files={"blackbox.yaml": modules((placed.server for placed in here.servers), here.source)},
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
