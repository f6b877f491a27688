"""Mail."""

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from observability.channels.descriptor import Block, Channel, Files
from observability.channels.text import TEXT, TITLE
from observability.core.section import Section
from observability.core.types import MailAddress


class Email(Section):
    """Mail, by the server of notifications.smtp."""

    to: tuple[MailAddress, ...] = Field(description="Addresses that get it.", min_length=1)


def mail(addresses: Iterable[str]) -> Block:
    """Grafana's settings of a mail to these addresses."""
    return {"addresses": list(addresses), "single_email": True, "subject": TITLE, "message": TEXT}


def _integration(email: Email, _: Files) -> Block:
    return {
        "to": ", ".join(email.to),
        "headers": {"Subject": TITLE, "Auto-Submitted": "auto-generated"},
        "threading": {"enabled": True, "thread_by_date": "none"},
        "html": '{{ template "obs.mail" . }}',
        "text": TEXT,
    }


CHANNEL: Final = Channel(
    key="email",
    title="mail",
    settings=Email,
    alertmanager="email_configs",
    integration=_integration,
    grafana="emails",
    contact_point=lambda email: mail(email.to),
    destination=lambda email: f"mail to {', '.join(email.to)}",
    by_mail_server=True,
    order=1,
)
