"""Checks of where log lines come from, beyond what one section of the settings can check itself."""

from collections.abc import Iterator

from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.parts.collector import SYSLOG_KEY
from observability.settings.model import Settings


def check(source: str, settings: Settings) -> None:
    """ConfigError where a file or a listener is on no known host, or syslog is selected that does not arrive.

    `source` is the prefix of errors: the file and the key prefix.
    """
    ports = {listener.port for listener in settings.collector.syslog}
    for index, listener in enumerate(settings.collector.syslog):
        _check_host(source, settings, f"collector.syslog[{index}].host", listener.host)
    for name, own in settings.systems.items():
        where = f"systems.{name}.logs"
        for index, file in enumerate(own.logs.files):
            _check_host(source, settings, f"{where}.files[{index}].host", file.host)
        for index, selected in enumerate(own.logs.syslog):
            here = f"{source}{where}.syslog[{index}]"
            if not (selected.hostnames or selected.programs or selected.ports):
                raise ConfigError(f"{here}: selects nothing", "add hostnames, programs or ports; or remove it")
            if not ports:
                raise ConfigError(
                    f"{here}: no port receives syslog", f"add {source}collector.syslog, like [{{port: 5514}}]"
                )
            for port in selected.ports:
                if port not in ports:
                    raise ConfigError(
                        f"{here}.ports: {port}: no entry of collector.syslog has this port",
                        f"write one of {', '.join(map(str, sorted(ports)))}, or add it there",
                    )


def _check_host(source: str, settings: Settings, where: str, host: str | None) -> None:
    known = tuple(settings.hosts)
    if host is not None and host not in known:
        raise ConfigError(
            f"{source}{where}: {host!r}: there is no such host",
            f"{nearest(host, known)}known here: {', '.join(known) or 'none'}; "
            "or remove it, if it is the stack's own Docker host",
        )


def certificates(settings: Settings) -> Iterator[tuple[str, str]]:
    """The setting and the path of every certificate of a listener."""
    for index, listener in enumerate(settings.collector.syslog):
        for field, path in (("certificate", listener.certificate), ("clientCa", listener.client_ca)):
            if path:
                yield f"collector.syslog[{index}].{field}", path


def wanted_secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    """The setting and the name of every secret that a listener needs."""
    for index, listener in enumerate(settings.collector.syslog):
        if listener.certificate:
            yield f"collector.syslog[{index}].certificate", SYSLOG_KEY
