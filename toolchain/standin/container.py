"""Containers: create, read, update, delete."""

import time
from typing import Final

from toolchain.standin import container_state
from toolchain.standin.container_spec import archive, create_body, endpoint, megabytes, restart_policy
from toolchain.standin.docker_api import DockerApi, ResourceError, engine_errors
from toolchain.standin.resource import Partial, Resource
from toolchain.standin.schema import Props
from toolchain.standin.tables import CONTAINER

_POLL_SECONDS: Final = 0.2
_LIMITS: Final = ("restart", "maxRetryCount", "cpuShares", "memory", "memoryReservation", "cpuSet", "memorySwap")
"""What Docker can change on a container that exists; any other change that does not replace is only recorded."""


class Container(Resource):
    """`docker:index/container:Container`."""

    label = "the container"
    table = CONTAINER

    def create(self, docker: DockerApi, inputs: Props, seconds: float) -> tuple[str, Props]:
        """Create, join networks, upload, start, wait: after the container exists, a failure keeps it in the state."""
        client = docker.client()
        self._have_image(docker, inputs["image"])
        body = create_body(inputs)
        with engine_errors("Unable to create container"):
            answer = client.create_container_from_config(body, inputs["name"])  # type: ignore[no-untyped-call]  # stubs
        key: str = answer["Id"]
        state = dict(inputs)
        try:
            self._join(docker, key, inputs.get("networksAdvanced", []))
            if uploads := inputs.get("uploads"):
                with engine_errors(f"Unable to upload {', '.join(upload['file'] for upload in uploads)}"):
                    # In parallel: each takes the engine some 30 ms.
                    client.put_archive(key, "/", archive(uploads))
            if inputs["start"]:
                with engine_errors("Unable to start container"):
                    client.start(key)
                if inputs["wait"]:
                    self._await_health(docker, key, inputs["waitTimeout"])
            if inputs["attach"]:
                state |= self._await_end(docker, key, logs=inputs["logs"], seconds=seconds)
        except ResourceError as error:
            raise Partial(key, state, str(error)) from error
        found = self.read(docker, key, state)
        if found is None:
            raise ResourceError(f"the container {inputs['name']} was gone once it had run")
        return key, found

    def read(self, docker: DockerApi, key: str, state: Props) -> Props | None:
        """Return the container's state, None if it no longer exists."""
        from docker.errors import NotFound

        client = docker.client()
        with engine_errors("Unable to inspect container"):
            try:
                return container_state.read(state, client.inspect_container(key))
            except NotFound:
                return None

    def update(self, docker: DockerApi, key: str, old: Props, inputs: Props, changes: list[str]) -> Props:
        """Start the container if it must run again, change the limits that Docker can change, record the rest."""
        state = {name: value for name, value in old.items() if name not in changes} | inputs
        try:
            if "mustRun" in changes and inputs["mustRun"] and inputs["start"]:
                with engine_errors("Unable to start container"):
                    docker.client().start(key)
            if set(changes) & set(_LIMITS):
                with engine_errors("Unable to update container"):
                    self._limit(docker, key, inputs)
        except ResourceError as error:
            raise Partial(key, state, str(error)) from error
        return state

    def delete(self, docker: DockerApi, key: str, state: Props) -> None:
        """Stop the container within its grace period and remove it; a missing one counts as removed."""
        from docker.errors import APIError, NotFound

        client = docker.client()
        with engine_errors(f"Error deleting container {key}"):
            try:
                if not state.get("attach"):
                    client.stop(key, timeout=int(state.get("destroyGraceSeconds") or 0))
                client.remove_container(key, v=bool(state.get("removeVolumes", True)), force=True)
            except NotFound:
                return
            except APIError as error:
                if "is already in progress" not in str(error):
                    raise

    def _limit(self, docker: DockerApi, key: str, inputs: Props) -> None:
        docker.client().update_container(
            key,
            cpu_shares=inputs.get("cpuShares"),
            mem_limit=megabytes(inputs.get("memory")),
            mem_reservation=megabytes(inputs.get("memoryReservation")),
            memswap_limit=megabytes(inputs.get("memorySwap")) or None,
            cpuset_cpus=inputs.get("cpuSet"),
            restart_policy=restart_policy(inputs),  # type: ignore[arg-type]  # the stubs' type is private
        )

    def _have_image(self, docker: DockerApi, image: str) -> None:
        from docker.errors import ImageNotFound

        client = docker.client()
        with engine_errors(f"Unable to create container with image {image}"):
            try:
                client.inspect_image(image)  # type: ignore[no-untyped-call]  # its stub has none
            except ImageNotFound:
                client.pull(image)

    def _join(self, docker: DockerApi, key: str, networks: list[Props]) -> None:
        client = docker.client()
        if networks:
            with engine_errors("Unable to disconnect the default network"):
                self._leave_default(docker, key)
        for network in networks:
            with engine_errors(f"Unable to connect to network '{network['name']}'"):
                client.connect_container_to_network(key, network["name"], **endpoint(network))

    def _leave_default(self, docker: DockerApi, key: str) -> None:
        from docker.errors import APIError

        try:
            docker.client().disconnect_container_from_network(key, "bridge")
        except APIError as error:
            if "is not connected to" not in str(error):
                raise

    def _await_health(self, docker: DockerApi, key: str, seconds: int) -> None:
        client, deadline = docker.client(), time.monotonic() + seconds
        while True:
            with engine_errors("Unable to inspect container"):
                health = client.inspect_container(key)["State"].get("Health")
            if health is None:
                raise ResourceError(
                    "`wait` needs a healthcheck, and the container has none: give it one, or do not wait"
                )
            if health["Status"] == "healthy":
                return
            if time.monotonic() >= deadline:
                raise ResourceError(f"the container was not healthy within {seconds} s{_last_words(health)}")
            if docker.cancelled.wait(_POLL_SECONDS):
                raise ResourceError("cancelled while waiting for the container to be healthy")

    def _await_end(self, docker: DockerApi, key: str, *, logs: bool, seconds: float) -> Props:
        client = docker.client()
        with engine_errors("Unable to wait for the container's end"):
            client.wait(key, timeout=round(seconds))
            if not logs:
                return {}
            return {"containerLogs": client.logs(key, stdout=True, stderr=True).decode(errors="replace")}


def _last_words(health: Props) -> str:
    log = health.get("Log") or []
    return f"; its last check said: {str(log[-1]['Output']).strip()[:300]}" if log else ""
