"""Builds programs from published Go modules, for machines that can reach little but the module proxy.

A program is a command of a module, or one of this repository's own that is made of several modules.

One module is compiled at a time: the compiler itself uses all cores (184 % of two, measured), and two linkers at once
would need twice the memory. The next module's dependencies are downloaded in parallel, which does save time.
"""

import concurrent.futures
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from toolchain import go
from toolchain.cache import cache_dir, key_of, lock, log_file, making, tail
from toolchain.process import ObtainError, end, end_all, environment, last_line, run
from toolchain.report import Report, Task

DOWNLOAD_LIMIT: Final = 1200.0
"""Seconds that the download of a module's dependencies may take."""


@dataclass(frozen=True, kw_only=True)
class GoBuild:
    """What to build from one module, and how; with `sources`, `module` is that of this repository's own program."""

    name: str
    module: str
    version: str
    packages: tuple[str, ...] = ("",)
    """Commands to build, as paths within the module; empty for its root."""
    replaces: Mapping[str, str] = field(default_factory=dict)
    """The module's own `replace` lines: Go applies only those of the main module, so they are repeated."""
    stamps: Mapping[str, str] = field(default_factory=dict)
    """Values of string variables set by the linker, so that `--version` is correct."""
    tags: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    """Files of the module to keep with the result."""
    additions: Mapping[str, str] = field(default_factory=dict)
    """Text files that the module lacks and needs to compile, by path within it."""
    sources: Path | None = field(default=None, repr=False)
    """Folder with the Go files of a program of this repository, which no proxy serves."""
    requires: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Version by module, of those that `sources` import."""

    @property
    def folder(self) -> Path:
        """Folder of the result: commands in `bin`, kept files in `files`."""
        return cache_dir() / self.name / f"{self.version}-{self.key}"

    @property
    def key(self) -> str:
        """Changes with anything that affects the result."""
        if self.sources is None:
            return key_of(self)
        texts = {str(name): hashlib.sha256(path.read_bytes()).hexdigest() for name, path in self.source_files()}
        return key_of((self, dict(self.requires), texts))

    def source_files(self) -> Iterator[tuple[Path, Path]]:
        """Path within the program → its file, for all files of `sources` that are compiled: tests are not."""
        if self.sources is not None:
            for path in sorted(self.sources.rglob("*.go")):
                if not path.name.endswith("_test.go"):
                    yield path.relative_to(self.sources), path

    @property
    def done(self) -> bool:
        """Whether it has been built already."""
        return self.folder.is_dir()


def build_all(builds: Iterable[GoBuild], report: Report) -> dict[str, ObtainError | None]:
    """Build what is not in the cache yet; returns the failure, or None, of each by name."""
    missing = [build for build in builds if not build.done]
    if not missing:
        return {}
    try:
        compiler = go.obtain(report)
    except ObtainError as failure:
        why = ObtainError(f"no Go compiler of at least {'.'.join(map(str, go.LEAST))}: {failure}")
        return {build.name: why for build in missing}
    results: dict[str, ObtainError | None] = {}
    with concurrent.futures.ThreadPoolExecutor(1) as ahead:
        downloads = [(build, ahead.submit(_download, compiler, build)) for build in missing]
        try:
            for build, download in downloads:
                with lock(f"build-{build.name}"), report.task(f"building {build.name} {build.version}") as task:
                    results[build.name] = _build(compiler, build, download, task)
        except BaseException:
            ahead.shutdown(wait=False, cancel_futures=True)
            end_all()
            raise
    return results


def _build(compiler: Path, build: GoBuild, download: concurrent.futures.Future[int], task: Task) -> ObtainError | None:
    """Build one module, whose dependencies are being downloaded; the caller holds its lock."""
    if build.done:  # by the previous holder of the lock
        return None
    try:
        task.note("downloading its modules")
        total = download.result()
        with making(build.folder) as work:
            source = _workspace(compiler, build, work)
            _compile(compiler, build, work, task, total)
            for kept in build.keep:
                target = work / "files" / kept
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / kept, target)
            shutil.rmtree(work / "module", ignore_errors=True)
    except ObtainError as failure:
        return failure
    except OSError as failure:  # most likely the disk is full
        return ObtainError(str(failure))
    return None


def _environment() -> dict[str, str]:
    """The user's settings for proxies and caches, and fixed settings for all that affects the result."""
    flags = "-mod=mod -trimpath -buildvcs=false"
    return environment(CGO_ENABLED="0", GO111MODULE="on", GOFLAGS=flags, GOTOOLCHAIN="local", GOWORK="off")


def _packages(build: GoBuild) -> Iterator[str]:
    for package in build.packages:
        yield f"{build.module}/{package}" if package else build.module


def _workspace(compiler: Path, build: GoBuild, work: Path) -> Path:
    """Write a go.mod that requires the module; returns where the module's own files are.

    `go get` and `go install` would query each package's path as a separate module, which some proxies refuse.
    """
    if build.sources is not None:
        return _program(build, work)
    env = _environment()
    log = f"{build.name}-module"
    answer = run(
        [compiler, "mod", "download", "-json", f"{build.module}@{build.version}"],
        limit=DOWNLOAD_LIMIT,
        log=log,
        env=env,
        cwd=work,
    )
    source = Path(json.loads(answer[answer.index("{") :])["Dir"])
    replaces = dict(build.replaces)
    if build.additions:
        # Go does not allow overlays on its module cache, so such a module is built from a copy.
        shutil.copytree(source, work / "module", copy_function=shutil.copyfile)
        for folder in (work / "module", *(path for path in (work / "module").rglob("*") if path.is_dir())):
            folder.chmod(0o755)  # the module cache is read-only, and so is a copy of it
        for path, text in build.additions.items():
            (work / "module" / path).parent.mkdir(parents=True, exist_ok=True)
            (work / "module" / path).write_text(text)
        replaces[build.module] = "./module"
    _write_mod(work, "build", {build.module: build.version}, replaces)
    return source


def _program(build: GoBuild, work: Path) -> Path:
    """Copy the repository's own program and write the go.mod that requires its modules; returns where it is."""
    for name, path in build.source_files():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, work / name)
    _write_mod(work, build.module, build.requires, build.replaces)
    return work


def _write_mod(work: Path, module: str, requires: Mapping[str, str], replaces: Mapping[str, str]) -> None:
    lines = [f"module {module}", f"go {'.'.join(map(str, go.LEAST))}"]
    lines += [f"require {required} {version}" for required, version in requires.items()]
    lines += [f"replace {old} => {new}" for old, new in replaces.items()]
    (work / "go.mod").write_text("\n".join(lines) + "\n")


def _download(compiler: Path, build: GoBuild) -> int:
    """Download all that the build needs into Go's module cache; returns the maximum number of packages to compile."""
    with tempfile.TemporaryDirectory(prefix="obs-modules-") as folder:
        work = Path(folder)
        _workspace(compiler, build, work)
        command: list[str | Path] = [compiler, "list", "-deps", "-tags", ",".join(build.tags), "-f", "{{.ImportPath}}"]
        listed = run(
            [*command, *_packages(build)],
            limit=DOWNLOAD_LIMIT,
            log=f"{build.name}-download",
            env=_environment(),
            cwd=work,
        )
    return sum(1 for line in listed.splitlines() if line and not line.startswith("go: "))


def _compile(compiler: Path, build: GoBuild, work: Path, task: Task, total: int) -> None:
    flags = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in build.stamps.items())])
    command = [compiler, "build", "-v", "-tags", ",".join(build.tags), "-ldflags", flags, "-o", f"{work / 'bin'}/"]
    log = log_file(f"{build.name}-build")
    child = subprocess.Popen(
        [*map(str, command), *_packages(build)],
        cwd=work,
        env=_environment(),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    compiled = 0
    try:
        with log.open("w") as kept:
            for line in child.stdout or ():
                kept.write(line)
                kept.flush()
                compiled += not line.startswith(("go: ", "#"))
                task.note(f"{min(compiled, total)} of {total} packages compiled")
        code = child.wait()
    finally:
        end(child)
    if code != 0:
        raise ObtainError(f"{last_line(tail(log))} (all of it: {log})")
