"""The backup: copies of what the stack has stored, made by restic on a schedule."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from pydantic import Field, field_validator, model_validator

from observability.core.secret import SecretSpec
from observability.core.section import PartSettings, Section
from observability.core.types import Duration, MemoryMb, ServiceName, seconds
from observability.parts.model import ALWAYS, Allowance, Kept, Part, Server
from observability.parts.restic import RESTIC

NAME: Final = "backup"
RECORD: Final = "stack"
"""Value of the label `backup` of its metrics."""
FOLDER: Final = "/etc/backup"
"""Folder of the configuration in the container."""
SCRIPT: Final = "backup.sh"
PASSWORD: Final = "backupPassword"  # noqa: S105 - a name
S3_CREDENTIALS: Final = "backupS3Credentials"
SSH_KEY: Final = "backupSshKey"

FOLDER_OF_HOST: Final = "/repository"
"""Where a folder of the host is in the container."""
STAGE: Final = "/stage"
METRICS: Final = "/metrics"
VOLUMES: Final = "/volumes"

_RETRY: Final = 3600
"""Seconds after which a failed run is repeated; at most the interval."""
_DAY: Final = 86_400
_SHORTEST: Final = 900


class ScheduleSettings(Section):
    """When backups are made."""

    every: Duration = Field("1d", description="Interval, 15m or longer; a failed backup is repeated after an hour.")
    at: str = Field(
        "02:30",
        description="Time of day in UTC from which the intervals are counted, like 02:30.",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
    )

    @field_validator("every")
    @classmethod
    def _not_all_the_time(cls, value: str) -> str:
        if seconds(value) < _SHORTEST:
            raise ValueError("must be 15m or longer")
        return value

    @property
    def offset(self) -> int:
        """Seconds from midnight to `at`."""
        hours, minutes = self.at.split(":")
        return int(hours) * 3600 + int(minutes) * 60


class KeepSettings(Section):
    """How many snapshots are kept: the last one of each day, week and month. The newest is always kept."""

    daily: int = Field(7, description="Days.", ge=0, le=3650)
    weekly: int = Field(5, description="Weeks.", ge=0, le=520)
    monthly: int = Field(12, description="Months.", ge=0, le=120)


class BackupSettings(PartSettings):
    """Backups of the stack; none without a repository."""

    repository: str | None = Field(
        None,
        description="Where they are stored: a folder of the Docker host, s3:https://host/bucket/path, or "
        "sftp:user@host:/path.",
        pattern=r"^(/[^\s:]+|s3:\S+/\S+|sftp:\S+)$",
        examples=["/var/backups/monitoring", "s3:https://s3.example.com/backups/monitoring"],
    )
    region: str | None = Field(
        None, description="Region of the bucket, where its address does not say it.", pattern=r"^[a-z0-9-]+$"
    )
    known_hosts: str | None = Field(
        None,
        description="Lines of known_hosts with the SSH server's key, which sftp: needs; ssh-keyscan prints them.",
        min_length=20,
        max_length=10_000,
    )
    schedule: ScheduleSettings = Field(default_factory=ScheduleSettings, description="When backups are made.")
    keep: KeepSettings = Field(default_factory=KeepSettings, description="How many snapshots are kept.")
    verify: str = Field(
        "5%",
        description="Share of the stored data that is read back after each backup, chosen at random.",
        pattern=r"^(100|[1-9]\d?|0\.\d)%$",
    )
    left_out: tuple[ServiceName, ...] = Field(
        (), description="Parts whose data is not backed up, like loki.", examples=[["loki"]]
    )
    memory_mb: MemoryMb = Field(512, description="Memory limit, MiB.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.enabled and self.repository is None:
            raise ValueError("has no repository; add one, like /var/backups/monitoring")
        if self.over_ssh and self.known_hosts is None:
            raise ValueError(
                "has a repository at sftp: and no knownHosts, so it could be another server; add what "
                "ssh-keyscan prints of it"
            )
        return self

    @property
    def folder(self) -> str | None:
        """The folder of the host; None where the repository is elsewhere."""
        return self.repository if self.repository and self.repository.startswith("/") else None

    @property
    def over_ssh(self) -> bool:
        """Whether the repository is reached by SSH."""
        return bool(self.repository and self.repository.startswith("sftp:"))

    @property
    def secret_files(self) -> Mapping[str, str]:
        """Name of each file with a secret, and the secret's."""
        found = {"password": PASSWORD}
        if self.repository and self.repository.startswith("s3:"):
            found["s3-credentials"] = S3_CREDENTIALS
        if self.over_ssh:
            found["ssh-key"] = SSH_KEY
        return found

    @property
    def wanted_secrets(self) -> tuple[tuple[str, str], ...]:
        """Every setting that needs a secret, and the secret's name."""
        if self.repository is None or self.enabled is False:
            return ()
        return tuple(("repository", name) for name in self.secret_files.values())


def plan(settings: BackupSettings, stack: str) -> str:
    """The script's variables."""
    every = round(seconds(settings.schedule.every))
    variables = {
        "STACK": stack,
        "NAME": RECORD,
        "REPOSITORY": FOLDER_OF_HOST if settings.folder else settings.repository or "",
        "REGION": settings.region or "",
        "EVERY": every,
        "AT": settings.schedule.offset,
        "RETRY": min(_RETRY, every),
        "DAILY": settings.keep.daily,
        "WEEKLY": settings.keep.weekly,
        "MONTHLY": settings.keep.monthly,
        "SUBSET": settings.verify,
    }
    return "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in variables.items())


def patterns(kept: Mapping[str, Kept]) -> str:
    """The file `volumes` of the script: what is copied, and what is left out, of each service's volume."""
    return "".join(
        f"{service}\t{kind}\t{pattern}\n"
        for service, one in kept.items()
        for kind, found in (("copied", one.copied), ("database", one.databases), ("left-out", one.left_out))
        for pattern in found
    )


def files(settings: BackupSettings, stack: str, kept: Mapping[str, Kept]) -> dict[str, str]:
    """The files of the container besides the secrets: name → text."""
    found = {
        SCRIPT: Path(__file__).with_name(SCRIPT).read_text(encoding="utf-8"),
        "plan": plan(settings, stack),
        "volumes": patterns(kept),
    }
    if settings.known_hosts:
        found["known-hosts"] = settings.known_hosts.rstrip("\n") + "\n"
    return found


def script(*arguments: str) -> Sequence[str]:
    """The command that runs the script in the container."""
    return ("/bin/sh", f"{FOLDER}/current/{SCRIPT}", *arguments)


_NOT_ROTATED: Final = (
    "restic encrypts the repository with a key that this password opens, so a new value alone opens nothing",
    "add a password with restic's own command `key add`, then store it: ./obs secret set backupPassword STACK",
)

PART: Final = Part[BackupSettings, Server](
    name=NAME,
    title="Backups of what the stack has stored.",
    settings=BackupSettings,
    profiles=ALWAYS,
    needs=("node-exporter",),
    active=lambda settings: settings.repository is not None,
    rules=("backup",),
    images=(RESTIC,),
    secrets={
        PASSWORD: SecretSpec(
            description="Password of the repository of backups; keep it elsewhere too: without it no backup can be "
            "read.",
            part=NAME,
            not_rotated=_NOT_ROTATED,
        ),
        S3_CREDENTIALS: SecretSpec(
            description="Keys of the bucket with the backups, in the form of an AWS credentials file.", part=NAME
        ),
        SSH_KEY: SecretSpec(description="Private key for the repository of backups at sftp:.", part=NAME),
    },
    allowances=(
        Allowance(
            service=NAME,
            rule="not root",
            reason="it reads the volumes of servers that run as different users; the volumes are mounted read-only",
        ),
        Allowance(
            service=NAME,
            rule="no capability",
            reason="DAC_OVERRIDE, to read files that only their owners can read and to write to a folder of the host "
            "that another user made",
        ),
    ),
)
