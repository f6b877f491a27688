"""Which folders hold content: the built-in ones, and those of a project folder."""

from pathlib import Path

import pytest

from observability.core import project
from observability.core.errors import ConfigError


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with one rule file, selected."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.yml").write_text("groups: []\n")
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    return tmp_path


def test_without_a_project_only_the_built_in_folders_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(project.VARIABLE, raising=False)
    assert project.own() is None
    assert project.folders("rules") == (project.BUILT_IN / "rules",)
    assert project.writable("rules") == project.BUILT_IN / "rules"


def test_a_project_folder_comes_after_the_built_in_one(own: Path) -> None:
    assert project.folders("rules") == (project.BUILT_IN / "rules", own / "rules")
    assert project.folders("systems") == (project.BUILT_IN / "systems",), "the project has no systems/"
    assert project.writable("systems") == own / "systems"


def test_built_in_parts_are_in_the_package_and_own_ones_in_parts(own: Path) -> None:
    (own / "parts").mkdir()
    assert project.folders("parts") == (project.BUILT_IN / "observability" / "parts", own / "parts")


def test_files_of_both_folders_are_found_with_either_extension(own: Path) -> None:
    found = project.files("rules", *project.YAML)
    assert found["own"] == own / "rules" / "own.yml"
    assert found["host"] == project.BUILT_IN / "rules" / "host.yaml"
    assert list(found) == sorted(found)


def test_a_file_of_the_project_replaces_the_built_in_one(own: Path) -> None:
    (own / "rules" / "host.yml").write_text("groups: []\n")
    assert project.files("rules", *project.YAML)["host"] == own / "rules" / "host.yml"


def test_two_files_that_differ_only_in_their_extension_are_refused(own: Path) -> None:
    (own / "rules" / "own.yaml").write_text("groups: []\n")
    with pytest.raises(ConfigError, match=r"rules/own.yml: own.yaml lies beside it; both mean 'own'"):
        project.files("rules", *project.YAML)


def test_a_project_folder_that_does_not_exist_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="does not exist") as caught:
        project.own()
    assert caught.value.fix == f"create it with: ./obs init {tmp_path / 'none'}"


def test_the_repository_itself_as_project_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(project.VARIABLE, str(project.BUILT_IN))
    assert project.roots() == (project.BUILT_IN,)


def test_only_the_given_root_is_read(own: Path) -> None:
    assert project.folders("rules", own) == (own / "rules",)
    assert list(project.files("rules", *project.YAML, root=own)) == ["own"]


def test_a_path_is_shown_from_the_root_of_its_content(own: Path) -> None:
    assert project.shown(own / "rules" / "own.yml") == "rules/own.yml"
    assert project.shown(project.BUILT_IN / "rules" / "host.yaml") == "rules/host.yaml"
    assert project.shown(Path("/etc/hosts")) == "/etc/hosts"
