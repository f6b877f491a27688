"""GoAlert, with its database: notifies and escalates where there is no PagerDuty."""

from typing import Final

from observability.core.secret import SecretSpec
from observability.parts.model import NEVER, Image, Part, Server
from toolchain.recipes.debian import DEBIAN

METRICS_PORT: Final = 9899
"""Port of its own metrics in the container."""

PART: Final = Part[None, Server](
    name="goalert",
    title="GoAlert, which notifies the people on call.",
    profiles=NEVER,
    job="goalert",
    port=METRICS_PORT,
    images=(
        Image(name="goalert", reference="goalert/goalert:v0.34.1"),
        Image(name="goalert-postgres", reference="postgres:15.20-bookworm", recipe=DEBIAN["postgres"]),
    ),
    secrets={
        "goalertAdminPassword": SecretSpec(
            description="Password of the user admin of GoAlert, used by ./obs oncall sync.",
            generated=True,
            part="goalert",
            not_rotated=(
                "GoAlert has it in its own database",
                "change it on GoAlert's page of the user admin, then store it: ./obs secret set goalertAdminPassword",
            ),
        ),
        "goalertDatabasePassword": SecretSpec(
            description="Password of GoAlert at its database.", generated=True, part="goalert"
        ),
        "goalertEncryptionKey": SecretSpec(
            description="Key with which GoAlert encrypts what is secret in its database; keep it.",
            generated=True,
            part="goalert",
            not_rotated=(
                "what GoAlert has stored can be read with this key alone",
                "to begin with another key, begin with another database: remove the volume of goalert-postgres",
            ),
        ),
    },
)
