"""Every kind of channel: the descriptors of this package's modules, in their order.

A module of this package that defines `CHANNEL` adds a kind; the kinds are listed nowhere else.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

import observability.channels
from observability.channels.descriptor import Channel


def _found() -> dict[str, Channel[Any]]:
    found: dict[str, Channel[Any]] = {}
    for name in sorted(module.name for module in iter_modules(observability.channels.__path__)):
        if name == "registry":
            continue
        module = import_module(f"{observability.channels.__name__}.{name}")
        channel = getattr(module, "CHANNEL", None)
        if isinstance(channel, Channel):
            if channel.key in found:
                raise ValueError(f"{module.__name__}: there is a channel {channel.key!r} already")
            found[channel.key] = channel
    return dict(sorted(found.items(), key=lambda item: item[1].order))


CHANNELS: Final = _found()
"""The descriptors by their keys."""
