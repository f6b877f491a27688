"""busybox, for images that hold a single program: the shell and wget they borrow."""

from typing import Final

from observability.parts.model import Image
from toolchain.recipe import Base, Recipe

BUSYBOX: Final = Image(
    name="busybox",
    reference="busybox:1.35.0",
    recipe=Recipe(
        repository="busybox",
        tag="1.35.0",
        title="busybox",
        base=Base.DEBIAN,
        # Linked statically as the official one is, so that the program runs wherever it is copied to.
        packages=("busybox-static",),
        user="",
        uid=0,
        cmd=("sh",),
    ),
)
