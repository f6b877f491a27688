"""Where `obs` stores what must not be in the repository: state, passphrase, secrets, a working copy of the stack file.

All of it is in one folder under the user's data directory, or in $OBS_DATA_DIR, readable only by its owner.
"""

import json
import os
import secrets as randomness
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import platformdirs
import yaml

from observability.core.documents import load_yaml, nearest
from observability.core.errors import ConfigError, all_of
from observability.core.naming import PROJECT
from observability.core.secret import SecretSpec
from observability.operations.journal import Journal
from observability.operations.secret_sources import read
from observability.settings.load import LEFT_OUT, ROOT, StackConfig, from_file, read_stack_file, stack_secrets
from observability.settings.stack_file import PREFIX

_OWN: Final = frozenset(
    {"audit", "begun", "incidents", "left-out", "made", "passphrase", "project", "rotations", "secrets", "state"}
    | {"unfinished"}
)
"""Names in the folder, by which it is known."""


def _is_open(folder: Path) -> bool:
    """Whether other users may read a folder of this user."""
    status = folder.stat()
    return status.st_uid == os.geteuid() and bool(status.st_mode & 0o077)


@dataclass(frozen=True, kw_only=True)
class Update:
    """One run of the engine: `kind` is update or destroy, `changes` are counts of resources by operation."""

    kind: str
    start: datetime
    end: datetime
    result: str
    changes: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Home:
    """The data folder and its contents."""

    folder: Path

    @classmethod
    def find(cls) -> "Home":
        """The folder of this user, created if necessary."""
        chosen = os.environ.get("OBS_DATA_DIR")
        folder = Path(chosen).absolute() if chosen else Path(platformdirs.user_data_dir("obs"))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = cls(folder=folder)
        found.protect()
        return found

    def protect(self) -> None:
        """Make the folder its owner's alone; ConfigError where it is not one of obs."""
        if not _is_open(self.folder):
            return
        names = {path.name for path in self.folder.iterdir()}
        if names and not names & _OWN:
            raise ConfigError(
                f"{self.folder} can be read by other users of this machine, and has other files: {min(names)}",
                f"set OBS_DATA_DIR to a folder for obs alone, or make this one private: chmod 700 {self.folder}",
            )
        self.folder.chmod(0o700)

    @property
    def project(self) -> Path:
        """Working copy of the project and stack files, to which Pulumi may write."""
        return self.folder / "project"

    @property
    def state_folder(self) -> Path | None:
        """The folder of the engine's record; None where the user's own backend is elsewhere."""
        backend = urlsplit(os.environ.get("PULUMI_BACKEND_URL") or f"file://{self.folder / 'state'}")
        if backend.scheme != "file":
            return None
        path = unquote(backend.path) if not backend.netloc else unquote(f"{backend.netloc}{backend.path}")
        return Path(path).expanduser()

    def environment(self) -> dict[str, str]:
        """Variables with which any `pulumi` command uses the same state; those that the user has set are unchanged."""
        state = self.folder / "state"
        found = {"PULUMI_BACKEND_URL": os.environ.get("PULUMI_BACKEND_URL", f"file://{state}")}
        if found["PULUMI_BACKEND_URL"] == f"file://{state}":
            state.mkdir(exist_ok=True, mode=0o700)
        if "PULUMI_CONFIG_PASSPHRASE" not in os.environ:
            stated = os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
            found["PULUMI_CONFIG_PASSPHRASE_FILE"] = stated or str(self._passphrase())
        return {**found, "PULUMI_SKIP_UPDATE_CHECK": "1"}

    def refresh_project(self, stack: str, root: Path | None = None, left_out: Mapping[str, str] | None = None) -> Path:
        """Update the working copy from the tracked files; keep the salt and the secrets that only it has.

        `left_out` replaces the images that the last `up` left out, None: those.
        """
        self.project.mkdir(exist_ok=True, mode=0o700)
        tracked = read_stack_file(stack, root)
        copy = self.project / f"Pulumi.{stack}.yaml"
        before: Mapping[str, Any] = (load_yaml(copy.read_text(encoding="utf-8")) or {}) if copy.is_file() else {}
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
        # The program is this repository's, whichever folder the stack file comes from.
        root = root or ROOT
        project = load_yaml((root / "Pulumi.yaml").read_text(encoding="utf-8"))
        project["main"] = str(root)
        project["runtime"]["options"]["virtualenv"] = str(root / ".venv")
        _write(self.project / "Pulumi.yaml", yaml.safe_dump(project, sort_keys=False))
        return self.project

    def config(self, stack: str, *, complete: bool = False) -> StackConfig:
        """The stack's configuration with the stored data: its secrets' names and the images left out.

        Missing secrets are listed, and placeholders are used for them; with `complete` they are refused.
        """
        found = from_file(stack, stored_secrets=frozenset(self.secrets(stack)), complete=complete)
        return found.without(self.left_out(stack))

    def left_out(self, stack: str) -> dict[str, str]:
        """The reason for each image that was not available at the last `up`."""
        path = self.folder / "left-out" / f"{stack}.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

    def set_left_out(self, stack: str, left_out: Mapping[str, str]) -> None:
        """Store which images are not available, and why."""
        path = self.folder / "left-out" / f"{stack}.json"
        path.parent.mkdir(exist_ok=True, mode=0o700)
        _write(path, json.dumps(dict(sorted(left_out.items())), indent=2) + "\n")

    def begun(self, stack: str) -> set[str]:
        """Names of the resources in Grafana that an update began to create and may not have completed."""
        path = self.folder / "begun" / stack
        return set(path.read_text(encoding="utf-8").split()) if path.is_file() else set()

    def begin(self, stack: str, name: str) -> None:
        """Store one more, before it is created."""
        path = self.folder / "begun" / stack
        path.parent.mkdir(exist_ok=True, mode=0o700)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")

    def all_ended(self, stack: str) -> None:
        """Delete them: the update was completed, and everything is recorded."""
        (self.folder / "begun" / stack).unlink(missing_ok=True)

    def audit(self, stack: str) -> Journal:
        """The calls of programs that read a stack by `obs mcp`."""
        return Journal(path=self.folder / "audit" / f"{stack}.jsonl")

    def incidents(self, stack: str) -> Journal:
        """The incidents of a stack."""
        return Journal(path=self.folder / "incidents" / f"{stack}.jsonl")

    def maintenance(self, stack: str) -> Journal:
        """The maintenance that is declared for the public status page of a stack."""
        return Journal(path=self.folder / "maintenance" / f"{stack}.jsonl")

    def unfinished(self, stack: str) -> bool:
        """Whether an update was begun and did not end well, so that Docker may have what the record has not."""
        return (self.folder / "unfinished" / stack).exists()

    def begin_update(self, stack: str) -> None:
        """Store that the record may be behind from now on."""
        path = self.folder / "unfinished" / stack
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.touch(mode=0o600)

    def end_update(self, stack: str) -> None:
        """The update was completed, and everything is recorded."""
        (self.folder / "unfinished" / stack).unlink(missing_ok=True)

    def remember_made(self, stack: str) -> None:
        """Store that this folder's state is that of a stack which `up` created or is about to create."""
        path = self.folder / "made" / stack
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.touch(mode=0o600)

    def made(self, stack: str) -> bool:
        """Whether a stack of this name was ever created from this folder.

        For a remote backend this is unknown without a request; such a stack counts as created from here.
        """
        if (self.folder / "made" / stack).exists() or "PULUMI_BACKEND_URL" in os.environ:
            return True
        # Before this note was introduced: the engine keeps a history of updates.
        history = self._history(stack)
        return history.is_dir() and any(history.iterdir())

    def _history(self, stack: str) -> Path:
        return self.folder / "state" / ".pulumi" / "history" / PROJECT / stack

    def updates(self, stack: str) -> list[Update]:
        """What the engine has recorded of `up` and `down`, the oldest first; none with a remote backend."""
        found = []
        for path in sorted(self._history(stack).glob("*.history.json")):
            try:
                record = json.loads(path.read_text(encoding="utf-8"))
                found.append(
                    Update(
                        kind=str(record["kind"]),
                        start=datetime.fromtimestamp(record["startTime"], UTC),
                        end=datetime.fromtimestamp(record["endTime"], UTC),
                        result=str(record["result"]),
                        changes={name: count for name, count in record["resourceChanges"].items() if name != "same"},
                    )
                )
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # Of a run that was killed, or of another version of the engine.
        return found

    def remove_secret(self, stack: str, name: str) -> None:
        """Delete a stored secret; ConfigError where there is none of that name. The next `up` no longer has it."""
        path = self.folder / "secrets" / stack / name
        if not path.is_file():
            stored = ", ".join(sorted(self.secrets(stack)))
            raise ConfigError(f"{stack} has no secret {name!r}", f"stored here: {stored or 'none'}")
        path.unlink()

    def secrets(self, stack: str) -> dict[str, str]:
        """The stored secrets of a stack, by name; one of a removed receiver or system is kept and not used."""
        known = stack_secrets(stack)
        folder = self.folder / "secrets" / stack
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*")) if path.name in known}

    def to_encrypt(self, stack: str) -> dict[str, str]:
        """The stored secrets that are not in the working copy yet, or that were changed since they were copied."""
        copy = load_yaml((self.project / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")) or {}
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
        """Store that the working copy has the current value of every secret."""
        self._encrypted(stack).touch(mode=0o600)

    def _encrypted(self, stack: str) -> Path:
        return self.project / f".{stack}.encrypted"

    def spec(self, stack: str, name: str) -> SecretSpec:
        """What a secret of the stack is for; ConfigError where there is none of this name."""
        known = stack_secrets(stack)
        if name not in known:
            usual = sorted(one for one, spec in known.items() if not spec.transient)
            raise ConfigError(f"there is no secret {name!r}", f"{nearest(name, usual)}use one of {', '.join(usual)}")
        return known[name]

    def set_secret(self, stack: str, name: str, value: str) -> Path:
        """Store a secret; ConfigError where the name is unknown or the value empty."""
        self.spec(stack, name)
        if not value:
            raise ConfigError(f"the value of {name} is empty", f"give it on standard input: ./obs secret set {name}")
        path = self.folder / "secrets" / stack / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path, value)
        return path

    def set_secrets(self, stack: str, values: Mapping[str, str]) -> None:
        """Store several secrets; ConfigError, with none of them stored, where any name is unknown or value empty."""

        def check(name: str) -> None:
            self.spec(stack, name)
            if not values[name]:
                raise ConfigError(f"the value of {name} is empty", "give it a value, or leave it out")

        all_of(*(partial(check, name) for name in values))
        for name, value in values.items():
            self.set_secret(stack, name, value)

    def read_sources(self, config: StackConfig) -> None:
        """Store the secrets that the settings say are kept elsewhere, where they are new or have changed."""
        stored = self.secrets(config.stack)
        for name, source in config.settings.secret_sources.items():
            found = read(f"Pulumi.{config.stack}.yaml: {PREFIX}secretSources.{name}", source)
            if stored.get(name) != found:
                self.set_secret(config.stack, name, found)

    def generate_secrets(self, config: StackConfig) -> None:
        """Create the generated secrets that the stack's parts need and that are not stored yet, or are due.

        Hexadecimal digits, but for those that are made together: they need no escaping in addresses, connection
        strings and command lines.
        """
        stored = self.secrets(config.stack)
        specs = stack_secrets(config.stack)
        for name, spec in specs.items():
            if not spec.generated or spec.made_with or not (spec.part is None or config.runs(spec.part)):
                continue
            together = [name, *(one for one, other in specs.items() if other.made_with == name)]
            complete = all(one in stored for one in together)
            if complete and (spec.next in stored or not (spec.due and spec.due(stored[name]))):
                continue
            # Where others rely on it, its successor is announced to them first: see operations/rotation.py.
            announced = complete and spec.next and config.settings.hosts
            for one, value in reversed(list(made(name, spec).items())):
                target = str(specs[one].next) if announced else one
                stored[target] = value
                self.set_secret(config.stack, target, value)

    def before(self, stack: str, name: str) -> str | None:
        """The value that a secret had before its rotation; None where none is under way."""
        path = self.folder / "rotations" / stack / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def keep_before(self, stack: str, name: str) -> None:
        """Keep the stored value of a secret until its rotation ends; one that is kept already stays."""
        path = self.folder / "rotations" / stack / name
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(path, self.secrets(stack)[name])

    def forget_before(self, stack: str, name: str) -> None:
        """End a rotation: the value before is in use nowhere."""
        (self.folder / "rotations" / stack / name).unlink(missing_ok=True)

    def _passphrase(self) -> Path:
        path = self.folder / "passphrase"
        if not path.is_file():
            for encrypted in sorted(self.project.glob("Pulumi.*.yaml")):
                if "encryptionsalt" in (load_yaml(encrypted.read_text(encoding="utf-8")) or {}):
                    raise ConfigError(
                        f"{path}: the passphrase of the state in {self.folder} is missing",
                        "restore this file from a backup. If it is lost, the state cannot be read: docs/guide.md, "
                        '"A lost passphrase", says how the stack is created again with its data',
                    )
            _write(path, randomness.token_urlsafe(32))
        return path


def made(name: str, spec: SecretSpec) -> Mapping[str, str]:
    """New values of a generated secret and of those that are made with it, by name."""
    return spec.together() if spec.together else {name: randomness.token_hex(24)}


def _left_out_key(left_out: Mapping[str, str]) -> dict[str, Any]:
    return {f"{PROJECT}:{LEFT_OUT}": dict(left_out)} if left_out else {}


def _write(path: Path, text: str) -> None:
    """Replace a file atomically, readable only by its owner."""
    draft = path.with_name(f".{path.name}.new")
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
