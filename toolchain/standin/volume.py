"""Volumes: create, read, delete; every change replaces."""

import time
from typing import Any

from toolchain.standin.docker_api import DockerApi, engine_errors
from toolchain.standin.network import IN_USE_SECONDS
from toolchain.standin.resource import Resource
from toolchain.standin.schema import Props
from toolchain.standin.tables import VOLUME


class Volume(Resource):
    """`docker:index/volume:Volume`; its id is its name."""

    label = "the volume"
    table = VOLUME

    def create(self, docker: DockerApi, inputs: Props, seconds: float) -> tuple[str, Props]:  # noqa: ARG002
        """Create the volume; an existing one of this name is used, with its data."""
        client = docker.client()
        with engine_errors("Unable to create volume"):
            key: str = client.create_volume(
                inputs["name"],
                driver=inputs.get("driver"),
                driver_opts=inputs.get("driverOpts"),
                labels={item["label"]: item["value"] for item in inputs.get("labels", [])},
            )["Name"]
        return key, self.read(docker, key, inputs) or inputs

    def read(self, docker: DockerApi, key: str, state: Props) -> Props | None:
        """Return the volume's state, None if it no longer exists."""
        from docker.errors import NotFound

        client = docker.client()
        with engine_errors("Unable to inspect volume"):
            try:
                seen: dict[str, Any] = client.inspect_volume(key)
            except NotFound:
                return None
        return state | {
            "name": seen["Name"],
            "labels": [{"label": key, "value": value} for key, value in (seen["Labels"] or {}).items()],
            "driver": seen["Driver"],
            "driverOpts": seen["Options"] or {},
            "mountpoint": seen["Mountpoint"],
        }

    def delete(self, docker: DockerApi, key: str, state: Props) -> None:  # noqa: ARG002
        """Remove the volume; retried while a container still uses it."""
        from docker.errors import APIError, NotFound

        client, deadline = docker.client(), time.monotonic() + IN_USE_SECONDS
        with engine_errors(f"Unable to remove volume {key}"):
            while True:
                try:
                    client.remove_volume(key, force=True)
                except NotFound:
                    return
                except APIError as error:
                    if "volume is in use" not in str(error) or time.monotonic() >= deadline:
                        raise
                    if docker.cancelled.wait(1):
                        raise
                else:
                    return
