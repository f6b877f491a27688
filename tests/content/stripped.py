"""A checkout as another team would have it: without the systems of this repository, and with its own system."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

from observability.core.documents import load_yaml
from observability.settings.load import ROOT
from tests.content import SYSTEMS

NEW: Final = "parcels"
"""The system that is added."""

SCHEMA: Final = "# yaml-language-server: $schema=observability/settings/schema.json\n"


def stripped(folder: Path) -> Path:
    """A copy of the tracked files without this repository's systems and their tests, that watches a new system."""
    root = folder / "checkout"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, root / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    (root / ".venv").symlink_to(ROOT / ".venv")
    for system in SYSTEMS:
        (root / "systems" / f"{system}.yaml").unlink()
    shutil.rmtree(root / "tests" / "content")
    for path in root.glob("Pulumi.*.yaml"):
        path.write_text(SCHEMA + yaml.safe_dump({"config": _placed(load_yaml(path.read_text())["config"])}))
    done = run(root, str(root / "obs"), "system", "new", NEW)
    assert done.returncode == 0, done.stderr
    for step in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", "-C", str(root), *step], check=True)
    return root


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the copy, with its own data folder and no project folder."""
    environment = {**os.environ, "OBS_DATA_DIR": str(root.parent / "data")}
    environment.pop("OBS_PROJECT", None)
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def tests(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in the copy."""
    return run(root, str(root / ".venv/bin/python"), "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments)


def _placed(config: dict[str, Any]) -> dict[str, Any]:
    """The `config` of a stack file with the new system instead of this repository's, and without the demo."""
    found = {key: value for key, value in config.items() if key != "demo:tenant"}
    found.get("observability:network", {}).pop("hosts", None)
    found["observability:systems"] = {NEW: {"instances": {"static": [f"{NEW}.example.com:3000"]}}}
    notifications = found.get("observability:notifications", {})
    of_teams = notifications.pop("teams", {})
    for receivers in of_teams.values():
        for receiver in receivers:
            del notifications["receivers"][receiver]
    return found
