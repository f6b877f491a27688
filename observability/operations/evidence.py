"""The observer of a running stack, by the addresses that it publishes."""

from collections.abc import Mapping
from typing import Any, Final

import httpx

from observability.core import http
from observability.notifier.evidence import Ask, NoAnswerError, Observer
from observability.notifier.facts import facts
from observability.settings.load import StackConfig

_TIMEOUT: Final = 10.0
"""Seconds that each response may take."""


def asker(config: StackConfig) -> Ask:
    """Requests a path of one of the stack's servers; NoAnswerError where it does not answer."""
    places = config.addresses

    def ask(service: str, path: str, params: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
        try:
            answer = http.get(places[service] + path, params=dict(params), timeout=_TIMEOUT, trust_env=False)
            return answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise NoAnswerError(str(error).partition("\n")[0]) from error

    return ask


def observer(config: StackConfig) -> Observer:
    """The observer of this stack."""
    return Observer(facts=facts(config), ask=asker(config), missing=[])
