"""Where `obs` keeps what must not be in the repository: state, passphrase, secrets, a working copy of the stack file.

All of it lies in one folder under the user's data directory, or in $OBS_DATA_DIR, readable by its owner alone.
"""

import json
import os
import secrets as randomness
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
import yaml

from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.core.naming import PROJECT
from observability.settings.load import LEFT_OUT, ROOT, StackConfig, from_file, read_stack_file, stack_secrets


@dataclass(frozen=True, kw_only=True)
class Home:
    """The folder and what lies in it."""

    folder: Path

    @classmethod
    def find(cls) -> "Home":
        """The folder of this user, made if need be."""
        chosen = os.environ.get("OBS_DATA_DIR")
        folder = Path(chosen).absolute() if chosen else Path(platformdirs.user_data_dir("obs"))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(folder=folder)

    @property
    def project(self) -> Path:
        """Working copy of the project and stack files, which Pulumi may write to."""
        return self.folder / "project"

    def environment(self) -> dict[str, str]:
        """Variables under which any `pulumi` command works on the same state; those the user has set are kept."""
        state = self.folder / "state"
        found = {"PULUMI_BACKEND_URL": os.environ.get("PULUMI_BACKEND_URL", f"file://{state}")}
        if found["PULUMI_BACKEND_URL"] == f"file://{state}":
            state.mkdir(exist_ok=True, mode=0o700)
        if "PULUMI_CONFIG_PASSPHRASE" not in os.environ:
            found["PULUMI_CONFIG_PASSPHRASE_FILE"] = os.environ.get(
                "PULUMI_CONFIG_PASSPHRASE_FILE", str(self._passphrase())
            )
        return {**found, "PULUMI_SKIP_UPDATE_CHECK": "1"}

    def refresh_project(self, stack: str, root: Path | None = None, left_out: Mapping[str, str] | None = None) -> Path:
        """Bring the working copy up to date with the tracked files; keep the salt and the secrets it alone has.

        `left_out` takes the place of the images that the last `up` left out, None: those.
        """
        self.project.mkdir(exist_ok=True, mode=0o700)
        tracked = read_stack_file(stack, root)
        copy = self.project / f"Pulumi.{stack}.yaml"
        before: Mapping[str, Any] = (yaml.safe_load(copy.read_text(encoding="utf-8")) or {}) if copy.is_file() else {}
        kept = {
            key: value
            for key, value in (before.get("config") or {}).items()
            if key.removeprefix(f"{PROJECT}:") in self.secrets(stack)
        }
        without = self.left_out(stack) if left_out is None else left_out
        merged = {
            **{key: before[key] for key in ("encryptionsalt",) if key in before},
            **tracked,
            "config": {
                **(tracked.get("config") or {}),
                **kept,
                **_left_out_key(without),
            },
        }
        _write(copy, yaml.safe_dump(merged, sort_keys=False))
        # The program is this repository's, whatever folder the stack file comes from.
        root = root or ROOT
        project = yaml.safe_load((root / "Pulumi.yaml").read_text(encoding="utf-8"))
        project["main"] = str(root)
        project["runtime"]["options"]["virtualenv"] = str(root / ".venv")
        _write(self.project / "Pulumi.yaml", yaml.safe_dump(project, sort_keys=False))
        return self.project

    def config(self, stack: str, *, complete: bool = False) -> StackConfig:
        """The stack's configuration with what is stored beside it: its secrets' names and the images left out.

        Missing secrets are listed, and placeholders stand for them; with `complete` they are refused.
        """
        found = from_file(stack, stored_secrets=frozenset(self.secrets(stack)), complete=complete)
        return found.without(self.left_out(stack))

    def left_out(self, stack: str) -> dict[str, str]:
        """Why, for each image that was not available at the last `up`."""
        path = self.folder / "left-out" / f"{stack}.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

    def set_left_out(self, stack: str, left_out: Mapping[str, str]) -> None:
        """Remember which images are not available, and why."""
        path = self.folder / "left-out" / f"{stack}.json"
        path.parent.mkdir(exist_ok=True, mode=0o700)
        _write(path, json.dumps(dict(sorted(left_out.items())), indent=2) + "\n")

    def begun(self, stack: str) -> set[str]:
        """Names of the resources in Grafana that an update began to make and perhaps did not end."""
        path = self.folder / "begun" / stack
        return set(path.read_text(encoding="utf-8").split()) if path.is_file() else set()

    def begin(self, stack: str, name: str) -> None:
        """Remember one more, before it is made."""
        path = self.folder / "begun" / stack
        path.parent.mkdir(exist_ok=True, mode=0o700)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")

    def all_ended(self, stack: str) -> None:
        """Forget them: the update came to its end, and everything is recorded."""
        (self.folder / "begun" / stack).unlink(missing_ok=True)

    def remember_made(self, stack: str) -> None:
        """Note that this folder's state is that of a stack which `up` created or is about to create."""
        path = self.folder / "made" / stack
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.touch(mode=0o600)

    def made(self, stack: str) -> bool:
        """Whether a stack of this name was ever created from this folder.

        Of a backend elsewhere nothing can be said without asking it; such a stack counts as created from here.
        """
        if (self.folder / "made" / stack).exists() or "PULUMI_BACKEND_URL" in os.environ:
            return True
        # Before there was the note: the engine keeps a history of updates.
        history = self.folder / "state" / ".pulumi" / "history" / PROJECT / stack
        return history.is_dir() and any(history.iterdir())

    def remove_secret(self, stack: str, name: str) -> None:
        """Forget a stored secret; ConfigError where there is none of that name. The next `up` no longer has it."""
        path = self.folder / "secrets" / stack / name
        if not path.is_file():
            stored = ", ".join(sorted(self.secrets(stack)))
            raise ConfigError(f"{stack} has no secret {name!r}", f"stored here: {stored or 'none'}")
        path.unlink()

    def secrets(self, stack: str) -> dict[str, str]:
        """The stored secrets of a stack, by name; one of a receiver or system that is gone is kept and not used."""
        known = stack_secrets(stack)
        folder = self.folder / "secrets" / stack
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*")) if path.name in known}

    def to_encrypt(self, stack: str) -> dict[str, str]:
        """The stored secrets that the working copy does not hold yet, or that were stored anew since it got them."""
        copy = yaml.safe_load((self.project / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")) or {}
        held = copy.get("config") or {}  # Pulumi drops an empty one
        marker = self._encrypted(stack)
        since = marker.stat().st_mtime_ns if marker.is_file() else 0
        folder = self.folder / "secrets" / stack
        return {
            name: value
            for name, value in self.secrets(stack).items()
            if f"{PROJECT}:{name}" not in held or (folder / name).stat().st_mtime_ns >= since
        }

    def encrypted(self, stack: str) -> None:
        """Note that the working copy holds every secret as it is stored now."""
        self._encrypted(stack).touch(mode=0o600)

    def _encrypted(self, stack: str) -> Path:
        return self.project / f".{stack}.encrypted"

    def set_secret(self, stack: str, name: str, value: str) -> Path:
        """Store a secret; ConfigError where the name is unknown or the value empty."""
        known = stack_secrets(stack)
        if name not in known:
            raise ConfigError(
                f"there is no secret {name!r}", f"{nearest(name, known)}use one of {', '.join(sorted(known))}"
            )
        if not value:
            raise ConfigError(f"the value of {name} is empty", f"give it on standard input: ./obs secret set {name}")
        path = self.folder / "secrets" / stack / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path, value)
        return path

    def generate_secrets(self, config: StackConfig) -> None:
        """Make the generated secrets that the stack's parts need and that are not stored yet.

        Of hexadecimal digits alone: they stand as they are in addresses, connection strings and command lines.
        """
        stored = self.secrets(config.stack)
        for name, spec in stack_secrets(config.stack).items():
            if spec.generated and name not in stored and (spec.part is None or config.runs(spec.part)):
                self.set_secret(config.stack, name, randomness.token_hex(24))

    def _passphrase(self) -> Path:
        path = self.folder / "passphrase"
        if not path.is_file():
            _write(path, randomness.token_urlsafe(32))
        return path


def _left_out_key(left_out: Mapping[str, str]) -> dict[str, Any]:
    return {f"{PROJECT}:{LEFT_OUT}": dict(left_out)} if left_out else {}


def _write(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.new")
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
