"""restic: its image, which copies a stack's data to a repository and back."""

from typing import Final

from observability.parts.model import Image
from toolchain.gobuild import GoBuild
from toolchain.recipe import Base, Recipe

VERSION: Final = "0.18.1"

RESTIC: Final = Image(
    name="backup",
    reference=f"restic/restic:{VERSION}",
    recipe=Recipe(
        repository="restic/restic",
        tag=VERSION,
        title="restic",
        build=GoBuild(
            name="restic",
            module="github.com/restic/restic",
            version=f"v{VERSION}",
            packages=("cmd/restic",),
            stamps={"main.version": VERSION},
            # As in the official build; the module of Google's storage is large without it.
            tags=("disable_grpc_modules",),
        ),
        base=Base.DEBIAN,
        # The official image has an SSH client too, which repositories at sftp: need.
        packages=("ca-certificates", "openssh-client"),
        binaries={"/usr/bin/restic": "restic"},
        user="",
        uid=0,
        entrypoint=("/usr/bin/restic",),
        without="jq and fuse",
    ),
)
