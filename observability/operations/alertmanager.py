"""The stack's Alertmanager, through its API."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.console import Console

from observability.core import http
from observability.core.alert import UPDATE, UPDATE_SENT
from observability.core.documents import load_yaml
from observability.settings.load import StackConfig

if TYPE_CHECKING:
    import httpx

# Imported by commands that send no request to it: slow imports are made where they are used.

TIMEOUT: Final = 5.0

Document = dict[str, Any]

out = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, kw_only=True)
class Alertmanager:
    """One Alertmanager; every call raises httpx.HTTPError where it does not respond, or refuses."""

    url: str

    @classmethod
    def of(cls, config: StackConfig) -> "Alertmanager":
        """The stack's Alertmanager; of several replicas, the first, as they share their state."""

        return cls(url=config.addresses["alertmanager"])

    def alerts(self) -> list[Document]:
        """Every alert that is not resolved, without those that the notifier sends for updates."""
        found = self._ask("GET", "/api/v2/alerts").json()
        return [one for one in found if not _of_the_notifier(one)]

    def groups(self) -> list[Document]:
        """The alerts as they are sent, with what silences or inhibits each."""
        found = self._ask("GET", "/api/v2/alerts/groups").json()
        return [{**group, "alerts": [one for one in group["alerts"] if not _of_the_notifier(one)]} for group in found]

    def post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Raise these alerts, or resolve them."""
        self._ask("POST", "/api/v2/alerts", json=list(alerts))

    def receivers(self) -> set[str]:
        """Names of the receivers in its configuration."""
        return {str(one["name"]) for one in self._ask("GET", "/api/v2/receivers").json()}

    def mute_times(self) -> set[str]:
        """Names of the mute times in its configuration."""
        text = self._ask("GET", "/api/v2/status").json()["config"]["original"]
        return {str(one["name"]) for one in (load_yaml(text) or {}).get("time_intervals") or []}

    def silences(self) -> list[Document]:
        """Every silence that it stores, including expired ones."""
        return list(self._ask("GET", "/api/v2/silences").json())

    def silence(self, silence: Mapping[str, Any]) -> str:
        """Create a silence; returns its id."""
        return str(self._ask("POST", "/api/v2/silences", json=dict(silence)).json()["silenceID"])

    def expire(self, silence: str) -> None:
        """Expire a silence."""
        self._ask("DELETE", f"/api/v2/silence/{silence}")

    def metrics(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """The value of every sample of its own metrics, by name and labels."""
        from prometheus_client.parser import text_string_to_metric_families

        text = self._ask("GET", "/metrics").text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def _ask(self, method: str, path: str, **more: Any) -> "httpx.Response":  # noqa: ANN401 - httpx's own
        import httpx

        answer = http.request(method, self.url + path, timeout=TIMEOUT, trust_env=False, **more)
        if answer.is_error:
            raise httpx.HTTPStatusError(
                f"{answer.status_code}: {answer.text.strip()}", request=answer.request, response=answer
            )
        return answer


def _of_the_notifier(alert: Document) -> bool:
    """Whether the notifier sends it, so that a group is sent again: it is no alert of its own."""
    return bool(alert["labels"].keys() & {UPDATE, UPDATE_SENT})


@contextmanager
def answering(server: Alertmanager, stack: str) -> Iterator[None]:
    """If it does not respond, or refuses: print two lines about it and exit with code 1."""
    import httpx

    try:
        yield
    except httpx.HTTPError as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        out.print(f"Alertmanager of {stack} at {server.url}: {said}", style="red", markup=False)
        out.print(f"see how it is: ./obs status {stack}", markup=False)
        raise typer.Exit(1) from error
