"""The configuration of the edge: its routes, the hosts that may send, and how old their samples may be."""

from collections.abc import Mapping
from typing import Any, Final

from observability.parts import caddy, notifier, status_page, traces
from observability.parts.edge import AUTHORITY, AUTHORITY_NEXT, AUTHORITY_PREVIOUS
from observability.parts.model import SecretText
from observability.parts.prometheus import CUT_OFF
from observability.settings.hosts import earlier_token, token
from observability.settings.load import StackConfig

_RECEIVERS: Final = ("prometheus", "loki", traces.NAME)


def files(config: StackConfig) -> dict[str, str]:
    """The files of the edge without a secret: path within its folder → text."""
    settings = config.settings.edge
    runs = [part for part in _RECEIVERS if config.runs(part)]
    acme = settings.tls.acme
    drawn = config.runs(notifier.NAME) and config.settings.part(notifier.NAME).pictures is not None
    text = caddy.configuration(
        settings.address or "",
        settings.signed_by,
        runs=runs,
        email=acme.email if acme else None,
        pictures=f"{notifier.NAME}:{notifier.PORT}" if drawn else None,
        origins=_origins(config),
        status=config.settings.part(status_page.NAME).edge_name if config.runs(status_page.NAME) else None,
    )
    return {caddy.MAIN: text}


def _origins(config: StackConfig) -> tuple[str, ...]:
    """The origins of the pages whose browsers may send spans."""
    own = config.settings.traces
    return own.browsers.origins if own and own.browsers and config.runs(traces.NAME) else ()


def secret_files(config: StackConfig) -> dict[str, str]:
    """Secrets that are files of the edge: path within the same folder → name of the secret."""
    pair = config.settings.edge.pair
    return {caddy.CERTIFICATE: pair[0], caddy.KEY: pair[1]} if pair else {}


def hosts(config: StackConfig) -> SecretText:
    """The file with the hosts by their credentials; a host that is not in the settings has none.

    During a rotation a host has two: that before, and that which its agent gets.
    """
    names = {token(host): host for host in config.settings.hosts}
    names |= {earlier_token(host): host for host in config.settings.hosts if earlier_token(host) in config.secrets}

    def text(values: Mapping[str, str]) -> str:
        return caddy.hosts({values[secret]: host for secret, host in names.items()})

    return SecretText(names=tuple(names), text=text)


def trusted(config: StackConfig) -> SecretText | None:
    """The certificates of the authorities that agents trust during a rotation; None: there is none under way."""
    others = [name for name in (AUTHORITY_NEXT, AUTHORITY_PREVIOUS) if name in config.secrets]
    if config.settings.edge.authority != AUTHORITY or not others:
        return None
    names = (AUTHORITY, *others)

    def text(values: Mapping[str, str]) -> str:
        return "".join(f"{values[name].strip()}\n" for name in names)

    return SecretText(names=names, text=text)


def storage(config: StackConfig) -> dict[str, Any]:
    """What Prometheus' section `storage` needs; empty where no host sends to it."""
    if not config.runs("edge"):
        return {}
    # A host that was cut off sends samples that are older than those of the others.
    return {"tsdb": {"out_of_order_time_window": CUT_OFF}}
