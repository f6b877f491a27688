"""Checks of the notification settings, and the secrets that they need."""

from collections.abc import Collection, Iterator

from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.settings.model import Settings
from observability.settings.notifications import receiver_secrets


def check(source: str, settings: Settings, teams: Collection[str]) -> None:
    """ConfigError where a name is unknown, or a receiver is in no audience; `teams` are all teams.

    `source` is the prefix of errors: the file and the key prefix.
    """
    said = settings.notifications
    where = f"{source}notifications"
    used = set()
    for path, audience in said.audiences():
        for index, name in enumerate(audience.receivers):
            used.add(name)
            if name not in said.receivers:
                known = ", ".join(said.receivers) or "none yet"
                raise ConfigError(
                    f"{where}.{path}[{index}]: there is no receiver {name!r}",
                    f"{nearest(name, said.receivers)}known here: {known}; or add it to notifications.receivers",
                )
        for name in audience.mute:
            if name not in said.mute_times:
                known = ", ".join(said.mute_times) or "none yet"
                raise ConfigError(
                    f"{where}.{path}.mute: there is no mute time {name!r}",
                    f"{nearest(name, said.mute_times)}known here: {known}; or add it to notifications.muteTimes",
                )
        if not audience.receivers and (audience.mute or "." in path):
            raise ConfigError(f"{where}.{path}: has no receivers", "name a receiver, or remove it")
    if said.critical.mute:
        raise ConfigError(
            f"{where}.critical.mute: critical alerts must be sent at any hour",
            "remove it; a silence (./obs silence add) mutes known alerts",
        )
    for index, name in enumerate(said.info.receivers):
        if said.receivers[name].pages:
            raise ConfigError(
                f"{where}.info[{index}]: {name} pages people, and info is a digest that never pages",
                "name a receiver of mail or chat",
            )
    for name, receiver in said.receivers.items():
        if name not in used:
            raise ConfigError(
                f"{where}.receivers.{name}: it is in no audience, so it is never notified",
                "name it in default, critical, warning, info, components, teams or onCall, or remove it",
            )
        if receiver.channel.by_mail_server and said.smtp is None:
            raise ConfigError(
                f"{where}.receivers.{name}.{receiver.channel.key}: there is no mail server",
                "add notifications.smtp, like {host: smtp.example.com, sender: alerts@example.com}",
            )
    for path in (*(f"teams.{team}" for team in said.teams), *(f"onCall.{team}" for team in said.on_call)):
        team = path.partition(".")[2]
        if team not in teams:
            raise ConfigError(
                f"{where}.{path}: there is no such team here",
                f"{nearest(team, teams)}known here: {', '.join(teams)} (the `team` of each system)",
            )


def tells_nobody(settings: Settings) -> bool:
    """Whether in prod critical alerts have no receiver except the secret alertWebhookUrl."""
    said = settings.notifications
    return settings.environment == "prod" and not (said.critical.receivers or said.default.receivers)


def wanted_secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every notification setting that needs a secret, and the secret's name."""
    said = settings.notifications
    if said.smtp is not None and said.smtp.user is not None:
        yield "notifications.smtp.user", "smtpPassword"
    for secret in receiver_secrets(said.receivers):
        yield f"notifications.receivers.{secret.receiver}", secret.name
