"""Networks: create, read, delete; every change replaces."""

import time
from typing import TYPE_CHECKING, Any, Final

from toolchain.standin.docker_api import DockerApi, engine_errors
from toolchain.standin.resource import Resource
from toolchain.standin.schema import Props
from toolchain.standin.tables import NETWORK

if TYPE_CHECKING:
    from docker.types import IPAMPool

IN_USE_SECONDS: Final = 30
"""How long the removal of a network or volume in use is retried before it fails."""


class Network(Resource):
    """`docker:index/network:Network`."""

    label = "the network"
    table = NETWORK

    def create(self, docker: DockerApi, inputs: Props, seconds: float) -> tuple[str, Props]:  # noqa: ARG002
        """Create the network."""
        from docker.types import IPAMConfig

        client = docker.client()
        pools = [_ipam_config(config) for config in inputs.get("ipamConfigs", [])]
        with engine_errors("Unable to create network"):
            key: str = client.create_network(
                inputs["name"],
                driver=inputs.get("driver"),
                options=inputs.get("options"),
                ipam=IPAMConfig(driver=inputs["ipamDriver"], pool_configs=pools),
                internal=inputs.get("internal", False),
                labels={item["label"]: item["value"] for item in inputs.get("labels", [])},
                enable_ipv6=inputs.get("ipv6", False),
                attachable=inputs.get("attachable"),
            )["Id"]
        return key, self.read(docker, key, inputs) or inputs

    def read(self, docker: DockerApi, key: str, state: Props) -> Props | None:
        """Return the network's state, None if it no longer exists."""
        from docker.errors import NotFound

        client = docker.client()
        with engine_errors("Unable to inspect network"):
            try:
                seen: dict[str, Any] = client.inspect_network(key)
            except NotFound:
                return None
        return state | {
            "name": seen["Name"],
            "labels": [{"label": key, "value": value} for key, value in (seen["Labels"] or {}).items()],
            "driver": seen["Driver"],
            "internal": seen["Internal"],
            "attachable": seen["Attachable"],
            "ipv6": seen["EnableIPv6"],
            "ipamDriver": seen["IPAM"]["Driver"],
            "ipamConfigs": [_ipam_state(config) for config in seen["IPAM"]["Config"] or []],
            "options": seen["Options"] or {},
            "scope": seen["Scope"],
        }

    def delete(self, docker: DockerApi, key: str, state: Props) -> None:  # noqa: ARG002
        """Remove the network; retried while containers are still attached."""
        from docker.errors import APIError, NotFound

        client, deadline = docker.client(), time.monotonic() + IN_USE_SECONDS
        with engine_errors(f"Unable to remove network {key}"):
            while True:
                try:
                    client.remove_network(key)
                except NotFound:
                    return
                except APIError as error:
                    if "has active endpoints" not in str(error) or time.monotonic() >= deadline:
                        raise
                    if docker.cancelled.wait(1):
                        raise
                else:
                    return


def _ipam_config(config: Props) -> "IPAMPool":
    from docker.types import IPAMPool

    return IPAMPool(config.get("subnet"), config.get("ipRange"), config.get("gateway"), config.get("auxAddress"))


def _ipam_state(config: Props) -> Props:
    names = {"subnet": "Subnet", "ipRange": "IPRange", "gateway": "Gateway", "auxAddress": "AuxiliaryAddresses"}
    return {ours: config[docker] for ours, docker in names.items() if config.get(docker)}
