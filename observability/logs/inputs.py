"""Lines that are not a container's output: files on a host, and syslog messages by network, as receivers.

Each has the attributes of a container with the same labels, so `sources.relabels` decides its team, stack and format
like any other's. It has no label `container`, by which the statements tell it from one.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from observability.core.naming import UNASSIGNED
from observability.logs import entries
from observability.logs.sources import LABEL_FORMAT, exposed
from observability.parts.collector import SyslogListener
from observability.parts.otel_export import ANY
from observability.settings.load import StackConfig
from observability.settings.logs import FileSource

PATH: Final = "log.file.path"
"""Attribute with the path of a line's file."""

SOURCE: Final = "source"
"""Label of a stream until its lines have been parsed: the receiver of a file."""

LISTENER: Final = "listener"
"""Label of a stream until its lines have been parsed: the port at which a message arrived."""

PIECE: Final = 64 * 1024
"""Bytes from which an entry of a file is stored in pieces. A byte that is no UTF-8 becomes three; Loki rejects lines
over 256 KiB."""

MESSAGE: Final = 256 * 1024
"""Bytes of the longest message by TCP; a connection with a longer one is closed. Each has a buffer of this size."""

CONNECTIONS: Final = 100
"""Senders by TCP at once at one port."""

TLS: Final = "/etc/otelcol-syslog"
"""Folder with the certificates of listeners."""

CURRENT: Final = f"{TLS}/current"
CERTIFICATE: Final = "{number}.crt"
CLIENT_CA: Final = "{number}-clients.crt"
KEY: Final = "key"

FIRST_PORT: Final = 20000
"""Port in the container of the first listener; one below 1024 would need a capability."""

RENEWED: Final = "1m"
"""How often the certificate is read again."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Files of a system on one host."""

    system: str
    file: FileSource

    @property
    def receiver(self) -> str:
        """Name of its receiver, and so of its stored positions: it must not change with the order of the settings."""
        digest = hashlib.sha256(self.file.path.encode()).hexdigest()[:8]
        return f"file_log/{self.system}-{digest}"


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A port for syslog on one host; `number` is its place in the settings."""

    number: int
    settings: SyslogListener

    @property
    def receiver(self) -> str:
        """Name of its receiver."""
        return f"syslog/{self.settings.port}-{self.settings.transport}"

    @property
    def internal(self) -> int:
        """Port in the container."""
        return FIRST_PORT + self.number


def sources_of(config: StackConfig, host: str | None = None) -> tuple[Source, ...]:
    """The files that lie on a host, in the order of the settings; None: the stack's own Docker host."""
    return tuple(
        Source(system=name, file=file)
        for name, own in config.settings.systems.items()
        if own.enabled
        for file in own.logs.files
        if file.host == host
    )


def listeners_of(config: StackConfig, host: str | None = None) -> tuple[Listener, ...]:
    """The ports for syslog on a host; None: the stack's own Docker host."""
    return tuple(
        Listener(number=number, settings=one)
        for number, one in enumerate(config.settings.collector.syslog)
        if one.host == host
    )


def folders_of(config: StackConfig, host: str | None = None) -> tuple[str, ...]:
    """The folders of a host that its collector must see, none of them within another, sorted."""
    found = sorted({source.file.folder for source in sources_of(config, host)})
    return tuple(
        one for one in found if not any(other != one and PurePosixPath(one).is_relative_to(other) for other in found)
    )


def certificates(config: StackConfig, host: str | None = None) -> dict[str, str]:
    """The certificates of a host's listeners: name of the file below `CURRENT` → text, PEM."""
    found = {}
    for one in listeners_of(config, host):
        for name, path in ((CERTIFICATE, one.settings.certificate), (CLIENT_CA, one.settings.client_ca)):
            if path:
                found[name.format(number=one.number)] = config.files[path]
    return found


def receivers(config: StackConfig, host: str | None = None) -> dict[str, Any]:
    """A receiver for each of a host's files and listeners, by name."""
    return {one.receiver: _file(one) for one in sources_of(config, host)} | {
        one.receiver: _listener(one) for one in listeners_of(config, host)
    }


def _file(source: Source) -> dict[str, Any]:
    file = source.file
    return {
        "include": [*_rotated(file.path)],
        "start_at": file.start_at,
        "storage": "file_storage/positions",
        "encoding": file.encoding,
        "max_log_size": PIECE,
        "multiline": {"line_start_pattern": entries.PLAIN},
        "force_flush_period": entries.WAIT,
        # A file that was truncated in place and begins as before is read from its beginning.
        "on_truncate": "read_whole_file",
        "include_file_name": False,
        "include_file_path": True,
        "preserve_leading_whitespaces": True,
        "preserve_trailing_whitespaces": True,
        "retry_on_failure": {"enabled": True, "max_interval": "10s", "max_elapsed_time": 0},
        "resource": {
            "system": source.system,
            "service": file.named,
            SOURCE: source.receiver,
            **({exposed(LABEL_FORMAT): file.format} if file.format else {}),
            **file.metadata,
        },
        "operators": [
            {"type": "regex_replace", "field": "body", "regex": r"\r\n", "replace_with": "\n"},
            {"type": "regex_replace", "field": "body", "regex": r"[\r\n]+$", "replace_with": ""},
        ],
    }


def _rotated(path: str) -> Iterator[str]:
    """The path, and what logrotate makes of such a file: what was written to it before is read to its end."""
    yield path
    if not path.endswith("*"):
        yield f"{path}.1"
        yield f"{path}-????????"


def _listener(one: Listener) -> dict[str, Any]:
    settings = one.settings
    port: dict[str, Any] = {
        "listen_address": f"{ANY}:{one.internal}",
        "preserve_leading_whitespaces": True,
        "preserve_trailing_whitespaces": True,
    }
    if settings.transport == "tcp":
        port |= {"max_log_size": MESSAGE, "max_connections": CONNECTIONS}
    else:
        port["one_log_per_packet"] = True
    if settings.protocol == "tls":
        port["tls"] = {
            "cert_file": f"{CURRENT}/{CERTIFICATE.format(number=one.number)}",
            "key_file": f"{CURRENT}/{KEY}",
            "min_version": "1.2",
            "reload_interval": RENEWED,
        }
        if settings.client_ca:
            port["tls"]["client_ca_file"] = f"{CURRENT}/{CLIENT_CA.format(number=one.number)}"
    return {
        # Messages of both RFCs arrive at one port; the format `syslog` reads them.
        "protocol": "none",
        "enable_octet_counting": settings.framing == "octet-counting",
        settings.transport: port,
        "retry_on_failure": {"enabled": True, "max_interval": "10s", "max_elapsed_time": 0},
        "resource": {
            "system": UNASSIGNED,
            "service": "syslog",
            LISTENER: str(settings.port),
            exposed(LABEL_FORMAT): "syslog",
        },
        "operators": [
            # The number of bytes, and what ends a message.
            {"type": "regex_replace", "field": "body", "regex": r"^[1-9]\d{0,6} <", "replace_with": "<"},
            {"type": "regex_replace", "field": "body", "regex": r"[\r\n\x00]+$", "replace_with": ""},
        ],
    }
