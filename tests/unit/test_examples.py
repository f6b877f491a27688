"""The files of the worked examples: locks with hashes and without hosts, valid system files, the page about them."""

import json
import re
from typing import Final

import pytest

from observability.settings.load import ROOT
from observability.systems.load import load_file
from observability.systems.model import System

EXAMPLES: Final = ROOT / "examples"
LANGUAGES: Final = ("python", "node", "go")
PAGE: Final = (ROOT / "docs" / "instrumentation.md").read_text(encoding="utf-8")


def system(language: str) -> System:
    return load_file(EXAMPLES / language / "system.yaml")


@pytest.mark.parametrize(("folder", "least"), [("node", 50), ("browser", 7)])
def test_npms_lock_has_a_hash_of_every_package_and_no_address(folder: str, least: int) -> None:
    lock = json.loads((EXAMPLES / folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = {path: one for path, one in lock["packages"].items() if path}
    assert len(packages) > least
    assert [path for path, one in packages.items() if not one["integrity"].startswith("sha512-")] == []
    assert [path for path, one in packages.items() if "resolved" in one] == []


def test_pips_lock_has_a_hash_of_every_package_and_no_address() -> None:
    text = (EXAMPLES / "python/requirements.lock").read_text(encoding="utf-8")
    packages = re.split(r"(?m)^(?=\S+==)", text)[1:]
    assert len(packages) > 20
    assert [one for one in packages if "--hash=sha256:" not in one] == []
    assert "://" not in text


def test_gos_lock_has_a_hash_of_every_module() -> None:
    required = re.findall(r"(?m)^\t(\S+ v\S+)", (EXAMPLES / "go/go.mod").read_text(encoding="utf-8"))
    text = (EXAMPLES / "go/go.sum").read_text(encoding="utf-8")
    assert len(required) > 10
    assert [one for one in required if f"{one} h1:" not in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_names_every_series_of_the_system_file(language: str) -> None:
    assert [series for series in system(language).series if f"`{series}" not in PAGE] == []


def test_the_three_services_have_the_same_signals_but_for_their_runtime() -> None:
    said = {language: set(system(language).signals.model_dump(exclude_defaults=True)) for language in LANGUAGES}
    assert said["node"] - said["python"] == {"event_loop_lag", "heap"}
    assert said["go"] - said["python"] == {"goroutines"}
    assert said["python"] <= said["node"] & said["go"]
