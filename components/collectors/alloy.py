"""Grafana Alloy, the log collector unless the settings say otherwise."""

from pulumi import ComponentResource, ResourceOptions

from components.collectors.collector import CollectorArgs, Program, ready, run
from observability.logs.alloy import DATA, PORT, files

PROGRAM = "/bin/alloy"


class Alloy(ComponentResource):
    """The log collector, in Alloy."""

    def __init__(self, name: str, args: CollectorArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Alloy", name, None, opts)
        program = Program(
            image="alloy",
            folder="/etc/alloy",
            main="config.alloy",
            files=files(args.context.config),
            check=(PROGRAM, "validate", ""),
            command=(
                "run",
                f"--server.http.listen-addr=0.0.0.0:{PORT}",
                f"--storage.path={DATA}",
                "--disable-reporting",
                "{config}",
            ),
            data=DATA,
            health=ready(PORT, "/-/ready"),
        )
        run(self, name, args, program)
        self.register_outputs({})
