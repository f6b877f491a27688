"""The connection to the Docker Engine, and its errors in one form."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from docker import APIClient

DEFAULT_HOST: Final = "unix:///var/run/docker.sock"
CALL_SECONDS: Final = 600
"""How long one call to the engine may take; a pull takes the longest."""


class ResourceError(Exception):
    """An error of a resource, with a message for the user."""


class DockerApi:
    """A lazily created client: most calls of the Pulumi engine need none, and its import takes a fifth of a second."""

    def __init__(self) -> None:
        self.host: str | None = None
        self.cancelled = threading.Event()
        self._lock = threading.Lock()
        self._client: APIClient | None = None

    def client(self) -> "APIClient":
        """Return the client for the configured host, else DOCKER_HOST, else the default socket."""
        with self._lock:
            if self._client is None:
                from docker import APIClient
                from docker.utils import kwargs_from_env

                host = self.host or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
                options = kwargs_from_env() if "DOCKER_CERT_PATH" in os.environ else {}
                if self.host or "base_url" not in options:
                    options["base_url"] = host
                with engine_errors(f"Unable to connect to the Docker Engine at {host}"):
                    self._client = APIClient(**options, timeout=CALL_SECONDS, use_ssh_client=host.startswith("ssh://"))
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
