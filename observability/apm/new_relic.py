"""The variables of New Relic's agents (Node.js, Python, Go) in an application of a watched system.

What only one of the agents reads is the default of the others: obfuscated SQL, and 404 as no error.
"""

from typing import Final

from observability.settings.load import StackConfig
from observability.settings.new_relic import SECRET

KEY: Final = "NEW_RELIC_LICENSE_KEY"
"""The variable with the license key, which is not printed."""

_HEADERS: Final = ("cookie", "authorization", "proxyAuthorization", "setCookie*", "x*")

EXCLUDED: Final = tuple(f"{side}.headers.{name}" for side in ("request", "response") for name in _HEADERS)
"""Attributes that are never sent, by the agents' names: headers with credentials, and those of one's own."""

STATUS_IGNORED: Final = "404"
"""Status of an answer that is no error."""


def variables(config: StackConfig, system: str) -> dict[str, str]:
    """The variables by name, without the license key; none where the stack has no New Relic."""
    settings = config.settings
    if settings.new_relic is None:
        return {}
    labels = {
        "system": system,
        "environment": settings.environment,
        "team": config.teams[system],
        "cluster": settings.cluster,
    }
    return {
        "NEW_RELIC_APP_NAME": f"{system}-{settings.environment}",
        "NEW_RELIC_LABELS": ";".join(f"{name}:{value}" for name, value in labels.items()),
        "NEW_RELIC_DISTRIBUTED_TRACING_ENABLED": "true",
        "NEW_RELIC_RECORD_SQL": "obfuscated",
        "NEW_RELIC_ERROR_COLLECTOR_IGNORE_ERROR_CODES": STATUS_IGNORED,
        "NEW_RELIC_ATTRIBUTES_EXCLUDE": ",".join(EXCLUDED),
        "NEW_RELIC_LOG_LEVEL": "info",
        # With the application's own lines, so in its container's log.
        "NEW_RELIC_LOG": "stdout",
    }


def secrets(config: StackConfig) -> dict[str, str]:
    """The variables that the application gets from its own store of secrets, with the secret of this stack."""
    return {KEY: SECRET} if config.settings.new_relic is not None else {}
