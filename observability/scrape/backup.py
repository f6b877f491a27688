"""The configuration of the backup of a stack: which volumes it reads, and how."""

from collections.abc import Mapping

from observability.parts import backup
from observability.parts.model import Kept
from observability.parts.registry import parts
from observability.settings.load import StackConfig


def kept(config: StackConfig) -> dict[str, Kept]:
    """What is backed up of the stack, by the service whose volume it is."""
    found: dict[str, Kept] = {}
    for name, part in parts().items():
        if part.kept and config.runs(name) and name not in config.settings.part(backup.NAME).left_out:
            services = part.kept.services
            found |= dict.fromkeys(services(config.settings.part(name)) if services else (name,), part.kept)
    return found


def files(config: StackConfig) -> dict[str, str]:
    """The files of the backup's container: name → text."""
    return backup.files(config.settings.part(backup.NAME), config.stack, kept(config))


def secret_files(config: StackConfig) -> Mapping[str, str]:
    """Name of each file with a secret, and the secret's name."""
    found: Mapping[str, str] = config.settings.part(backup.NAME).secret_files
    return found
