"""A copy of this checkout, for a stack of its own that leaves no file here."""

import os
import shutil
from pathlib import Path
from typing import Final

from observability.settings.load import ROOT
from toolchain.cache import cache_dir

VARIABLE: Final = "PYTHONPYCACHEPREFIX"


def copy(root: Path) -> dict[str, str]:
    """Copy the checkout to a folder that does not exist yet; returns the variables for its commands.

    Compiled modules are kept by the path of their source. The copy gets those of this checkout, in a folder beside it
    that goes with it: to compile them anew takes the first command 3 s.
    """
    ignored = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "out")
    shutil.copytree(ROOT, root, ignore=ignored)
    (root / ".venv").symlink_to(ROOT / ".venv")
    compiled = root.with_name(f"{root.name}-compiled")
    known = Path(os.environ.get(VARIABLE) or cache_dir() / "pycache")
    packages = (ROOT / ".venv").resolve()
    for source, target in ((ROOT, root), (packages, packages)):
        if (known / str(source).lstrip("/")).is_dir():
            shutil.copytree(known / str(source).lstrip("/"), compiled / str(target).lstrip("/"))
    return {VARIABLE: str(compiled)}
