"""A mail server that keeps the mails it receives."""

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.ports import free_port
from tests.receivers.checks import markup_problem
from tests.waits import HANG_SECONDS

ACCEPTED: Final = "250 Message accepted for delivery"


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail as received."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    at: float = field(default_factory=time.time)
    """When it was received, in seconds since 1970."""

    @property
    def subject(self) -> str:
        """Its subject, decoded."""
        return str(self.message["Subject"])

    def part(self, kind: str) -> str:
        """Text of its part `plain` or `html`."""
        found = self.message.get_body((kind,))
        assert found is not None, f"no part text/{kind}"
        return str(found.get_content())

    @property
    def problem(self) -> str | None:
        """The problem that a mail client would have with it; None if there is none."""
        for header in ("From", "To", "Subject", "Date", "Message-Id"):
            if not self.message[header]:
                return f"no header {header}"
        if self.message.get_content_type() != "multipart/alternative":
            return f"is {self.message.get_content_type()}, not multipart/alternative"
        if self.message.defects:
            return str(self.message.defects[0])
        return markup_problem(self.part("html")) or (None if self.part("plain").strip() else "no text")


class MailDouble:
    """A mail server at `port`; use it in a `with`. With `tls` it offers STARTTLS; with `user` it requires a login."""

    def __init__(
        self,
        address: str = "127.0.0.1",
        port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        user: tuple[str, str] | None = None,
    ) -> None:
        self.mails: list[Mail] = []
        self.refusal: str | None = None
        self.changed = threading.Condition()
        self._user = user
        self.port = port or free_port(address)
        self._controller = Controller(
            self,
            hostname=address,
            port=self.port,
            tls_context=tls,
            require_starttls=tls is not None,
            auth_required=user is not None,
            auth_require_tls=tls is not None,
            # Its LOGIN uses prompts that Alertmanager does not support.
            auth_exclude_mechanism=["LOGIN"],
            authenticator=self._authenticate,
        )

    def refuse(self, answer: str = "451 Try again later") -> None:
        """From now on respond to every mail with this."""
        self.refusal = answer

    def accept(self) -> None:
        """Accept mail again."""
        self.refusal = None

    def wait(self, found: Callable[[], Any], seconds: float = HANG_SECONDS) -> Any:  # noqa: ANN401 - whatever `found` returns
        """The first true result of `found`, called for each mail that arrives; AssertionError after the seconds."""
        with self.changed:
            if not self.changed.wait_for(found, seconds):
                raise AssertionError(f"not within {seconds} s; came: {[mail.subject for mail in self.mails]}")
            return found()

    def clear(self) -> None:
        """Delete what was received."""
        with self.changed:
            self.mails.clear()

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail, or refuse it."""
        if self.refusal is not None:
            return self.refusal
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        with self.changed:
            recipients = tuple(str(address) for address in envelope.rcpt_tos)
            self.mails.append(Mail(sender=str(envelope.mail_from), recipients=recipients, message=message))
            self.changed.notify_all()
        return ACCEPTED

    def _authenticate(self, *asked: Any) -> AuthResult:  # noqa: ANN401 - aiosmtpd's callback has five
        given = asked[-1]
        right = isinstance(given, LoginPassword) and (given.login.decode(), given.password.decode()) == self._user
        return AuthResult(success=right, handled=right)
