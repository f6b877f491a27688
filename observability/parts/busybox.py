"""busybox, for images with a single program: they use its shell and wget."""

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
        # Linked statically like the official one, so that the program runs in any image it is copied to.
        packages=("busybox-static",),
        user="",
        uid=0,
        cmd=("sh",),
    ),
)
