"""The worked examples, ready to run: what their lock files name is installed once, in the user's cache."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toolchain import ConsoleReport, cache_dir
from toolchain import go as compiler
from toolchain.cache import lock, making
from toolchain.process import environment, run

ROOT: Final = Path(__file__).parents[2] / "examples"
LIMIT: Final = 1800.0
"""Seconds that an installation may take; only to end one that hangs."""
NODE: Final = (20, 0)


@dataclass(frozen=True, kw_only=True)
class Built:
    """A service: the command that starts it, the folder to start it in, and the series of its runtime's metrics."""

    language: str
    command: tuple[str, ...]
    folder: Path
    runtime: str

    @property
    def system(self) -> Path:
        """Its system file."""
        return ROOT / self.language / "system.yaml"


class MissingError(Exception):
    """This machine lacks what the example needs; the message says what."""


def build(language: str, work: Path) -> Built:
    """A service, installed or compiled if that was not done for its lock file yet; `work` is an empty folder."""
    return _BUILDS[language](work)


def _python(_: Path) -> Built:
    folder = ROOT / "python"
    requirements = folder / "requirements.lock"
    target = _kept("python", sys.version.split()[0].encode(), requirements.read_bytes())
    with lock(target.name):
        if not target.exists():
            with making(target) as work:
                run([sys.executable, "-m", "venv", "--without-pip", work], limit=LIMIT, log="example-python")
                run(
                    [
                        *(sys.executable, "-m", "pip", "--python", work / "bin/python", "install", "--quiet"),
                        *("--require-hashes", "-r", requirements),
                    ],
                    limit=LIMIT,
                    log="example-python",
                )
    return Built(
        language="python", command=(str(target / "bin/python"), "-m", "orders"), folder=folder, runtime="python_info"
    )


def page(work: Path) -> Path:
    """The folder of the page with its packages, as a server has it; `work` is an empty folder."""
    _, packages = _packages("browser")
    own = work / "browser"
    own.mkdir()
    for source in (ROOT / "browser").iterdir():
        if source.suffix in (".js", ".html"):
            shutil.copyfile(source, own / source.name)
    shutil.copyfile(ROOT / "sentry.json", own / "sentry.json")
    (own / "node_modules").symlink_to(packages)
    return own


def _packages(language: str) -> tuple[str, Path]:
    """Node.js, and the folder with the packages of an example's lock file."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise MissingError("Node.js and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(int(part) for part in version.removeprefix("v").split(".")[:2]) < NODE:
        raise MissingError(f"Node.js is older than {NODE[0]}")
    folder = ROOT / language
    texts = {name: (folder / name).read_bytes() for name in ("package.json", "package-lock.json", ".npmrc")}
    target = _kept(language, version.encode(), *texts.values())
    with lock(target.name):
        if not target.exists():
            with making(target) as made:
                for name, text in texts.items():
                    (made / name).write_bytes(text)
                # Without the packages' own scripts: none of them is needed, and none is trusted.
                options = ("--ignore-scripts", "--no-audit", "--no-fund")
                run([npm, "ci", "--prefix", made, *options], limit=LIMIT, log=f"example-{language}", cwd=made)
    return node, target / "node_modules"


def _node(work: Path) -> Built:
    node, packages = _packages("node")
    folder = ROOT / "node"
    # Node looks for packages beside the code: a copy of it has them there.
    own = work / "node"
    own.mkdir()
    for source in folder.glob("*.js"):
        shutil.copyfile(source, own / source.name)
    shutil.copyfile(folder / "package.json", own / "package.json")
    shutil.copyfile(ROOT / "sentry.json", work / "sentry.json")
    (own / "node_modules").symlink_to(packages)
    return Built(language="node", command=(node, "main.js"), folder=own, runtime="nodejs_eventloop_lag_p99_seconds")


def _go(_: Path) -> Built:
    folder = ROOT / "go"
    go = compiler.obtain(ConsoleReport())
    texts = [path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in (".go", ".mod", ".sum")]
    target = _kept("go", str(go).encode(), *texts)
    with lock(target.name):
        if not target.exists():
            with making(target) as work:
                flags = environment(CGO_ENABLED="0", GOFLAGS="-mod=readonly", GOTOOLCHAIN="local", GOWORK="off")
                command: list[str | Path] = [go, "build", "-trimpath", "-buildvcs=false", "-o", work / "orders", "."]
                run(command, limit=LIMIT, log="example-go", cwd=folder, env=flags)
    return Built(language="go", command=(str(target / "orders"),), folder=folder, runtime="go_goroutines")


def _kept(language: str, *texts: bytes) -> Path:
    """The folder of what was made from these texts; older ones of the language stay until the cache is removed."""
    digest = hashlib.sha256(b"\0".join(texts)).hexdigest()[:16]
    return cache_dir() / "examples" / f"{language}-{digest}"


_BUILDS: Final[Mapping[str, Callable[[Path], Built]]] = {"python": _python, "node": _node, "go": _go}
LANGUAGES: Final = tuple(_BUILDS)
