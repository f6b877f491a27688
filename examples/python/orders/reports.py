"""Errors to Sentry, where SENTRY_DSN is set: what is sampled, left out and scrubbed is in sentry.json."""

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import sentry_sdk
from sentry_sdk.integrations.fastapi import FastApiIntegration
from sentry_sdk.integrations.starlette import StarletteIntegration

from .settings import ENVIRONMENT, SENTRY_DSN

_SETTINGS: Final = json.loads((Path(__file__).parents[2] / "sentry.json").read_text(encoding="utf-8"))
_LEFT_OUT: Final = frozenset(name for names in _SETTINGS["leftOut"].values() for name in names)
_HEADERS: Final = frozenset(_SETTINGS["scrubbed"]["headers"])
_KEYS: Final = tuple(_SETTINGS["scrubbed"]["keys"])
_FILTERED: Final = "[Filtered]"
_SERVER_ERRORS: Final = set(range(500, 600))

Event = dict[str, Any]


def rate(name: str) -> float:
    """A sample rate in this environment."""
    rates = _SETTINGS[name]
    return float(rates.get(ENVIRONMENT, rates["others"]))


def start() -> None:
    """Report errors; nothing without a DSN."""
    if SENTRY_DSN:
        sentry_sdk.init(
            SENTRY_DSN,
            environment=ENVIRONMENT,
            traces_sample_rate=rate("tracesSampleRate"),
            profiles_sample_rate=rate("profilesSampleRate"),
            send_default_pii=False,
            include_local_variables=False,
            integrations=[
                StarletteIntegration(failed_request_status_codes=_SERVER_ERRORS),
                FastApiIntegration(failed_request_status_codes=_SERVER_ERRORS),
            ],
            before_send=before_send,
            before_send_transaction=lambda event, _: scrubbed(event),
            before_breadcrumb=lambda crumb, _: scrubbed(crumb),
        )


def about(user: str | None) -> None:
    """The user whose request is served: the id alone."""
    sentry_sdk.set_user({"id": user} if user else None)


def flush() -> None:
    """Send what waits; at the end of the process."""
    sentry_sdk.flush(2)


def report(error: BaseException, **context: object) -> None:
    """Report an error by hand, with context."""
    with sentry_sdk.new_scope() as scope:
        scope.set_context("context", context)
        scope.capture_exception(error)


def before_send(event: Event, hint: Event) -> Event | None:
    """The event without secrets; None for what is not reported."""
    if "log_record" in hint and not hint["log_record"].exc_info:
        return None
    error = hint["exc_info"][1] if hint.get("exc_info") else None
    while error is not None:
        if type(error).__name__ in _LEFT_OUT:
            return None
        error = error.__cause__
    return scrubbed(event)


def scrubbed(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The value without what is secret by its key, in objects, lists of pairs, addresses and queries."""
    if isinstance(value, dict):
        return {key: _of(str(key), one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) == 2 and isinstance(value[0], str) and _secret(value[0]):
            return [value[0], _FILTERED]
        return [scrubbed(one) for one in value]
    return value


def _of(key: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    if _secret(key):
        return _FILTERED
    if isinstance(value, str) and key in ("query_string", "http.query"):
        return _query(value)
    if isinstance(value, str) and "?" in value and key in ("url", "to", "from", "http.url", "url.full"):
        parts = urlsplit(value)
        return urlunsplit(parts._replace(query=_query(parts.query)))
    return scrubbed(value)


def _secret(key: str) -> bool:
    lower = key.lower()
    return lower in _HEADERS or any(lower == one or lower.endswith(f"_{one}") for one in _KEYS)


def _query(text: str) -> str:
    pairs = parse_qsl(text, keep_blank_values=True)
    return urlencode([(key, _FILTERED if _secret(key) else value) for key, value in pairs], safe="[]")
