"""Which containers' logs are read, and the labels of their streams."""

from dataclasses import dataclass
from typing import Final

from observability.core import naming
from observability.settings.load import StackConfig

SOCKET: Final = "/var/run/docker.sock"
PUSH: Final = "http://loki:3100/loki/api/v1/push"
REFRESH: Final = "5s"
"""How often the engine is asked for new containers."""

BACKOFF_LIMIT: Final = "10s"
"""The longest pause between two attempts to reach Loki; there is no last attempt, so no line is given up."""

_META: Final = "__meta_docker_container_label_"


@dataclass(frozen=True, kw_only=True)
class Relabel:
    """Set a label from another, where the expression matches; `keep` drops all containers that do not match."""

    source: str
    expression: str
    target: str = ""
    value: str = "$1"
    keep: bool = False


def relabels(config: StackConfig) -> tuple[Relabel, ...]:
    """The rules that choose this stack's containers and name their streams."""
    service = _META + naming.LABEL_SERVICE.replace(".", "_")
    stack = _META + naming.LABEL_STACK.replace(".", "_")
    return (
        Relabel(source=stack, expression=config.stack, keep=True),
        Relabel(source=stack, expression="(.+)", target="stack"),
        Relabel(source=service, expression="(.+)", target="service"),
        Relabel(source="__meta_docker_container_name", expression="/(.+)", target="container"),
        Relabel(source=service, expression=".*", target="system", value="platform"),
        *(
            (
                Relabel(source=service, expression="demo|demo-.*", target="system", value="social-selling"),
                Relabel(source=service, expression="demo-redis-alawael", target="system", value="alawael"),
            )
            if config.runs("demo")
            else ()
        ),
    )
