"""The worked example of a dev stack."""

from typing import Final

from observability.core.secret import SecretSpec
from observability.parts.model import Image, Part, Server
from toolchain.recipes.debian import DEBIAN

PART: Final = Part[None, Server](
    name="demo",
    title="The worked example of a dev stack.",
    images=(
        Image(name="demo", reference="observability/demo:0.1.0", recipe=DEBIAN["demo"]),
        Image(name="demo-postgres", reference="postgres:15.20-bookworm", recipe=DEBIAN["demo-postgres"]),
        Image(name="demo-redis", reference="redis:7.0.15-bookworm", recipe=DEBIAN["demo-redis"]),
        Image(name="demo-nginx", reference="nginx:1.22.1", recipe=DEBIAN["demo-nginx"]),
    ),
    secrets={
        "demoDatabasePassword": SecretSpec(
            description="Password of the demo's service at its database.", generated=True, part="demo"
        ),
        "socialSellingPostgresPassword": SecretSpec(
            description="Password of the exporter at the demo's database.", generated=True, part="demo"
        ),
    },
)
