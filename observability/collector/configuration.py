"""The files of the collector, from those of lines, of spans and of metrics."""

from collections.abc import Mapping
from typing import Any, Final

from observability.collector import otlp
from observability.core.render import to_yaml
from observability.elk import sending
from observability.logs import otel
from observability.parts.otel_collector import AUTHORITY_FILE, TOKEN_FILE
from observability.settings.hosts import token
from observability.settings.load import StackConfig
from observability.traces import collector as traces

MAIN: Final = "collector.yaml"


def files(config: StackConfig, host: str | None = None) -> dict[str, str]:
    """The collector's configuration folder: path within it → text; on the stack's own host, or on another."""
    return {MAIN: to_yaml(_verbatim(document(config, host)), source=f"Pulumi.{config.stack}.yaml")}


def secret_files(config: StackConfig, host: str | None) -> dict[str, str]:
    """Secrets that it needs on a host: path within the folder `current` of `TOOLS` → name of the secret."""
    if host is None:
        return sending.secret_files(config)
    authority = config.settings.edge.authority
    return {TOKEN_FILE: token(host), **({AUTHORITY_FILE: authority} if authority else {})}


def document(config: StackConfig, host: str | None = None) -> dict[str, Any]:
    """The configuration, before `$` is escaped."""
    lines = otel.document(config, host)
    service = lines.pop("service")
    pipelines = dict(service["pipelines"])
    joined = {kind: dict(found) for kind, found in lines.items()}
    for more in (traces.document(config, host), otlp.document(config), sending.document(config, host)):
        pipelines |= more.pop("pipelines", {})
        for kind, found in more.items():
            joined[kind] |= found
    extensions = list(dict.fromkeys((*service["extensions"], *joined["extensions"])))
    return {**joined, "service": {**service, "extensions": extensions, "pipelines": pipelines}}


def _verbatim(value: Any) -> Any:  # noqa: ANN401 - any part of a YAML document
    """The document with `$` escaped: the collector would replace `${...}` by what it names."""
    match value:
        case str():
            return value.replace("$", "$$")
        case Mapping():
            return {key: _verbatim(inner) for key, inner in value.items()}
        case list():
            return [_verbatim(inner) for inner in value]
        case _:
            return value
