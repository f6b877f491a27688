"""Promtail: where it is already in use, or where Alloy's image is not available. End of life: 2026-03-02."""

from pulumi import ComponentResource, ResourceOptions

from components.collectors.collector import CollectorArgs, Program, ready, run
from observability.logs.promtail import DATA, PORT, files

PROGRAM = "/usr/bin/promtail"


class Promtail(ComponentResource):
    """The log collector, in Promtail."""

    def __init__(self, name: str, args: CollectorArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Promtail", name, None, opts)
        program = Program(
            image="promtail",
            folder="/etc/promtail",
            main="promtail.yaml",
            files=files(args.context.config),
            check=(PROGRAM, "-check-syntax", "-config.file="),
            command=("-config.file={config}",),
            data=DATA,
            health=ready(PORT, "/ready"),
        )
        run(self, name, args, program)
        self.register_outputs({})
