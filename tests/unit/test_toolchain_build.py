"""Go builds, with a fake compiler."""

import contextlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain import go, pulumi_cli
from toolchain.gobuild import GoBuild, build_all
from toolchain.process import ObtainError, run
from toolchain.recipe import Recipe

BUILD = GoBuild(
    name="thing",
    module="example.com/thing",
    version="v1.2.3",
    packages=("cmd/thing",),
    replaces={"example.com/old": "example.com/new v1.0.0"},
    stamps={"example.com/thing.Version": "1.2.3"},
    tags=("netgo",),
    keep=("docs/LICENSE",),
)

COMPILER = """#!/bin/sh
echo "$@" >> {calls}
case "$1 $2" in
"version "*) echo "go version go1.26.8 linux/amd64" ;;
"mod download") echo '{{"Dir": "{module}"}}' ;;
"list -deps") printf 'fmt\\nexample.com/thing\\n' ;;
"build -v")
  cp go.mod {calls}.mod
  {build}
  echo example.com/thing >&2
  for last; do case "$before" in -o) out=$last ;; esac; before=$last; done
  mkdir -p "$out" && echo program > "$out/thing" ;;
esac
"""


class Silent:
    """A report that is discarded; `stop` simulates an interrupt by the user once something is compiled."""

    def __init__(self, stop: bool = False) -> None:
        self.stop = stop

    def line(self, item: str, text: str) -> None:
        pass

    @contextmanager
    def task(self, label: str) -> Iterator["Silent"]:
        assert label
        yield self

    def note(self, text: str) -> None:
        if self.stop and "packages compiled" in text:
            raise KeyboardInterrupt


class Machine:
    """A machine with a compiler that records how it was called."""

    def __init__(self, root: Path, build: str = "") -> None:
        self.cache, self.calls = root / "cache", root / "calls"
        module = root / "module"
        (module / "docs").mkdir(parents=True, exist_ok=True)
        (module / "docs/LICENSE").write_text("free")
        compiler = root / "bin" / "go"
        compiler.parent.mkdir(exist_ok=True)
        compiler.write_text(COMPILER.format(calls=self.calls, module=module, build=build))
        compiler.chmod(0o755)

    def called(self, command: str) -> list[str]:
        return [line for line in self.calls.read_text().splitlines() if line.startswith(command)]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("OBS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return Machine(tmp_path)


def ended(number: int) -> bool:
    """Whether the process has exited; a busy machine may be slow to end it."""
    state, deadline = Path(f"/proc/{number}/stat"), time.monotonic() + 300
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if state.read_text().split()[2] != "Z":
                time.sleep(0.02)
                continue
        return True
    return False


def test_a_build_is_stored_in_the_cache_by_version_with_the_requested_files(machine: Machine) -> None:
    assert build_all([BUILD], Silent()) == {"thing": None}
    assert BUILD.folder.parent == machine.cache / "thing"
    assert BUILD.folder.name.startswith("v1.2.3-")
    assert (BUILD.folder / "bin/thing").read_text() == "program\n"
    assert (BUILD.folder / "files/docs/LICENSE").read_text() == "free"


def test_what_is_in_the_cache_is_not_built_again(machine: Machine) -> None:
    build_all([BUILD], Silent())
    assert build_all([BUILD], Silent()) == {}
    assert len(machine.called("build")) == 1


def test_two_concurrent_runs_build_only_once(machine: Machine) -> None:
    Machine(machine.cache.parent, build="sleep 0.3")
    with ThreadPoolExecutor(2) as runs:
        both = [runs.submit(build_all, [BUILD], Silent()) for _ in range(2)]
    # A run that starts after the build has nothing to report.
    assert {*map(str, (run.result() for run in both))} <= {"{}", "{'thing': None}"}
    assert len(machine.called("build")) == 1


def test_a_changed_recipe_is_another_build(machine: Machine) -> None:
    changed = GoBuild(name="thing", module="example.com/thing", version="v1.2.3", packages=("cmd/thing",))
    build_all([BUILD], Silent())
    assert changed.folder.parent == machine.cache / "thing"
    assert not changed.done


def test_the_module_is_required_and_its_own_replacements_are_repeated(machine: Machine) -> None:
    build_all([BUILD], Silent())
    written = machine.calls.with_suffix(".mod").read_text()
    assert "require example.com/thing v1.2.3\n" in written
    assert "replace example.com/old => example.com/new v1.0.0\n" in written


def test_versions_are_stamped_and_tags_passed(machine: Machine) -> None:
    build_all([BUILD], Silent())
    (called,) = machine.called("build")
    assert "-X example.com/thing.Version=1.2.3" in called
    assert "-tags netgo" in called
    assert called.endswith("example.com/thing/cmd/thing")


def test_files_that_the_module_lacks_are_added_to_a_copy_of_it(machine: Machine) -> None:
    lacking = GoBuild(name="thing", module="example.com/thing", version="v1.2.3", additions={"ui/page": "none"})
    build_all([lacking], Silent())
    assert "replace example.com/thing => ./module\n" in machine.calls.with_suffix(".mod").read_text()
    assert not (machine.cache.parent / "module/ui").exists()
    assert not (lacking.folder / "module").exists()


@pytest.fixture
def program(tmp_path: Path) -> GoBuild:
    """A program of this repository, made of two modules."""
    sources = tmp_path / "sources"
    (sources / "part").mkdir(parents=True)
    (sources / "main.go").write_text("package main")
    (sources / "part/part.go").write_text("package part")
    (sources / "part/part_test.go").write_text("package part")
    requires = {"example.com/one": "v1.0.0", "example.com/two": "v0.2.0"}
    return GoBuild(name="program", module="program", version="v1", sources=sources, requires=requires)


def test_a_program_of_the_repository_is_compiled_with_the_modules_it_requires(
    machine: Machine, program: GoBuild
) -> None:
    assert build_all([program], Silent()) == {"program": None}
    written = machine.calls.with_suffix(".mod").read_text()
    assert "module program\n" in written
    assert "require example.com/one v1.0.0\nrequire example.com/two v0.2.0\n" in written
    assert machine.called("mod download") == []
    assert (program.folder / "part/part.go").exists()
    assert not (program.folder / "part/part_test.go").exists()


def test_a_change_of_a_programs_source_or_of_a_module_is_another_build(machine: Machine, program: GoBuild) -> None:
    assert program.sources is not None
    before = program.folder
    (program.sources / "part/part_test.go").write_text("package part // changed")
    assert program.folder == before
    assert replace(program, requires={"example.com/one": "v1.0.1"}).folder != before
    (program.sources / "part/part.go").write_text("package part // changed")
    assert program.folder != before
    assert before.is_relative_to(machine.cache)


def test_a_change_of_a_programs_source_is_another_image(program: GoBuild) -> None:
    assert program.sources is not None
    image = Recipe(repository="program", tag="v1", title="Program", build=program)
    before = image.version
    (program.sources / "main.go").write_text("package main // changed")
    assert image.version != before


def test_a_failed_build_reports_the_compilers_last_line_and_leaves_nothing(machine: Machine) -> None:
    Machine(machine.cache.parent, build='echo "thing.go:3: undefined: x" >&2; exit 1')
    failure = build_all([BUILD], Silent())["thing"]
    assert "thing.go:3: undefined: x" in str(failure)
    assert str(machine.cache / "logs/thing-build.log") in str(failure)
    assert list((machine.cache / "thing").iterdir()) == []


def test_an_interrupted_build_stops_the_compiler_and_leaves_nothing(machine: Machine, tmp_path: Path) -> None:
    Machine(tmp_path, build=f"sleep 30 & echo $! > {tmp_path}/compiling; echo more >&2; wait")
    with pytest.raises(KeyboardInterrupt):
        build_all([BUILD], Silent(stop=True))
    assert list((machine.cache / "thing").iterdir()) == []
    assert ended(int((tmp_path / "compiling").read_text()))


@pytest.mark.usefixtures("machine")
def test_two_programs_with_the_same_log_do_not_read_each_others_output() -> None:
    with ThreadPoolExecutor(8) as pool:
        said = pool.map(lambda n: run(["sh", "-c", f"echo {n}; sleep 0.1; echo {n}"], limit=10, log="same"), range(8))
        assert list(said) == [f"{n}\n{n}\n" for n in range(8)]


@pytest.mark.usefixtures("machine")
def test_a_program_that_times_out_is_stopped_with_its_child_processes(tmp_path: Path) -> None:
    with pytest.raises(ObtainError, match=r"no answer within 0\.2 s"):
        run(["sh", "-c", f"sleep 30 & echo $! > {tmp_path}/child; wait"], limit=0.2, log="slow")
    assert ended(int((tmp_path / "child").read_text()))


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version go1.27rc1 linux/arm64", (1, 27, 0)),
        ("go version devel go1.28-abcdef", (1, 28, 0)),
        ("bash: go: command not found", None),
        ("", None),
    ],
)
def test_the_compilers_version_is_parsed(said: str, version: tuple[int, int, int] | None) -> None:
    assert go.parse_version(said) == version


@pytest.mark.parametrize(
    ("said", "version"),
    [("v3.259.0\n", (3, 259, 0)), ("3.272.0", (3, 272, 0)), ("v3.300.1-alpha.1+x", (3, 300, 1)), ("what?", None)],
)
def test_pulumis_version_is_parsed(said: str, version: tuple[int, int, int] | None) -> None:
    assert pulumi_cli.parse_version(said) == version
