"""How Docker's Python client reaches an engine: by a socket, by ssh, or by TCP with TLS."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from toolchain.ssh import relay

if TYPE_CHECKING:
    from docker import APIClient

TLS_FILES: Final = ("ca.pem", "cert.pem", "key.pem")
"""Names of the files in a folder for TLS, as in DOCKER_CERT_PATH."""

_ANY_VERSION: Final = "1.41"
"""A version of the API to begin with; the engine's own is asked for."""


def connect(url: str, *, timeout: int, tls: Path | None = None, ssh_options: tuple[str, ...] = ()) -> "APIClient":
    """A client of the engine at this address, which has answered; `tls` is the folder with the certificates.

    DockerException or RequestException where it does not answer, or a file of the folder is missing.
    """
    from docker import APIClient

    if url.startswith("ssh://"):
        return APIClient(base_url=f"unix://{relay(url, ssh_options).socket}", timeout=timeout)
    if tls is None:
        return APIClient(base_url=url, timeout=timeout)
    asked = _with_tls(url, tls, timeout, _ANY_VERSION)
    # Without this parameter the client would ask with its own version, which the engine may refuse.
    return _with_tls(url, tls, timeout, asked.version(api_version=False)["ApiVersion"])


def _with_tls(url: str, tls: Path, timeout: int, version: str) -> "APIClient":
    from docker import APIClient
    from docker.tls import TLSConfig

    authority, certificate, key = (str(tls / name) for name in TLS_FILES)
    config = TLSConfig(client_cert=(certificate, key), ca_cert=authority, verify=True)
    client = APIClient(base_url=url, timeout=timeout, version=version, tls=config)
    # Else REQUESTS_CA_BUNDLE, where it is set, takes the place of the engine's authority.
    client.trust_env = False
    return client


def why(url: str, ssh_options: tuple[str, ...] = ()) -> str:
    """What ssh said last about this engine; empty for other ways than ssh."""
    return relay(url, ssh_options).errors if url.startswith("ssh://") else ""
