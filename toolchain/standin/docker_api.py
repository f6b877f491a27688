"""The connection to the Docker Engine, and its errors in one form."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from toolchain.docker_host import connect, why

if TYPE_CHECKING:
    from docker import APIClient

DEFAULT_HOST: Final = "unix:///var/run/docker.sock"
CALL_SECONDS: Final = 600
"""How long one call to the engine may take; a pull takes the longest."""


class ResourceError(Exception):
    """An error of a resource, with a message for the user."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """The engine of a provider's configuration: its address, the folder with certificates, arguments of ssh."""

    host: str | None = None
    tls_folder: Path | None = None
    ssh_options: tuple[str, ...] = ()
    lazy: bool = False
    """Whether the engine is not contacted before a resource needs it."""


class DockerApi:
    """A lazily created client: most calls of the Pulumi engine need none, and its import takes a fifth of a second."""

    def __init__(self) -> None:
        self.access = Access()
        self.cancelled = threading.Event()
        self._lock = threading.Lock()
        self._client: APIClient | None = None

    def client(self) -> "APIClient":
        """Return the client for the configured host, else DOCKER_HOST, else the default socket."""
        with self._lock:
            if self._client is None:
                from docker import APIClient
                from docker.utils import kwargs_from_env

                access = self.access
                host = access.host or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
                try:
                    with engine_errors(f"Unable to connect to the Docker Engine at {host}"):
                        if "DOCKER_CERT_PATH" in os.environ and not access.host:
                            self._client = APIClient(**kwargs_from_env(), timeout=CALL_SECONDS)
                        else:
                            self._client = connect(
                                host, timeout=CALL_SECONDS, tls=access.tls_folder, ssh_options=access.ssh_options
                            )
                except ResourceError as error:
                    said = why(host, access.ssh_options)
                    raise ResourceError(f"{error}: {said}" if said else str(error)) from error
            return self._client


@contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn an error of the Docker Engine into one that names the operation."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except APIError as error:
        raise ResourceError(f"{doing}: Error response from daemon: {error.explanation or error}") from error
    except (DockerException, RequestException) as error:
        raise ResourceError(f"{doing}: {error}") from error
