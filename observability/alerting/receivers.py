"""Alertmanager's integrations of the receivers; a secret is referenced by the path of its file."""

from observability.channels.descriptor import Block
from observability.settings.notifications import NotificationSettings, Smtp, receiver_secrets


def secret_path(secret: str) -> str:
    """Path of a secret's file within the configuration folder."""
    return f"secrets/{secret}"


def integrations(names: tuple[str, ...], settings: NotificationSettings, folder: str) -> dict[str, list[Block]]:
    """Alertmanager's integrations of these receivers, by their key; `folder` contains their secret files."""
    files: dict[str, dict[str, str]] = {}
    for secret in receiver_secrets(settings.receivers):
        files.setdefault(secret.receiver, {})[secret.kind] = f"{folder}/{secret_path(secret.name)}"
    blocks: dict[str, list[Block]] = {}
    for name in names:
        receiver = settings.receivers[name]
        block = receiver.channel.integration(receiver.own, files.get(name, {}))
        blocks.setdefault(receiver.channel.alertmanager, []).append({"send_resolved": receiver.resolved, **block})
    return blocks


def mail_server(smtp: Smtp | None, folder: str) -> Block:
    """Alertmanager's global settings of the mail server; empty without one."""
    if smtp is None:
        return {}
    found: Block = {
        "smtp_smarthost": smtp.address,
        "smtp_hello": smtp.hello_name,
        "smtp_from": smtp.sender,
        "smtp_require_tls": smtp.tls,
    }
    if smtp.user is not None:
        found["smtp_auth_username"] = smtp.user
        found["smtp_auth_password_file"] = f"{folder}/{secret_path('smtpPassword')}"
    return found
