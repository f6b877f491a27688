"""The definition of a kind of notification channel, used by the settings, Alertmanager and Grafana."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field

from observability.core.section import Section

S = TypeVar("S", bound=Section)

ApiUrl = Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/[^\s@]*)?$")]
"""Address of a service's API. No secrets here."""

Block = dict[str, Any]
"""Settings of one integration of Alertmanager, or of one contact point of Grafana."""

Files = Mapping[str, str]
"""Paths of the files that hold a receiver's secrets, by the kind of the secret."""


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret of a receiver: the suffix of its name, its description, and its field in Grafana's contact point."""

    kind: str
    description: str
    grafana: str


@dataclass(frozen=True, kw_only=True)
class Channel(Generic[S]):
    """A kind of channel; `key` names it in a receiver's settings, `title` in messages."""

    key: str
    title: str
    settings: type[S]
    """The settings of a receiver of this kind."""
    alertmanager: str
    """Key of Alertmanager's list of integrations of this kind, like `slack_configs`."""
    integration: Callable[[S, Files], Block]
    """One entry of that list, without `send_resolved`."""
    grafana: str
    """Name of the block of Grafana's contact point in the provider."""
    contact_point: Callable[[S], Block]
    """Settings of that block by the provider's names, without secrets."""
    secrets: tuple[Secret, ...] = ()
    """Every secret that a receiver of this kind can have."""
    needs: Callable[[S], tuple[str, ...]] | None = None
    """The kinds of the secrets that these settings need; None: all."""
    destination: Callable[[S], str] | None = None
    """Where the messages are sent, as `obs route` prints it; None: `title`, and the secrets that hold the address."""
    pages: bool = False
    """Whether it is a pager: it gets only alerts with the label `page="yes"`."""
    by_mail_server: bool = False
    """Whether it needs `notifications.smtp`."""
    order: int = 100
    """Position among the kinds in the schema and in error messages."""

    @property
    def counter(self) -> str:
        """Value of `integration` in Alertmanager's metrics and logs, from which a delivery is determined."""
        return self.alertmanager.removesuffix("_configs")

    def needed(self, settings: S) -> tuple[Secret, ...]:
        """The secrets that a receiver with these settings needs."""
        if self.needs is None:
            return self.secrets
        kinds = self.needs(settings)
        return tuple(secret for secret in self.secrets if secret.kind in kinds)
