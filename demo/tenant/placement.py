"""Settings of a stack that place a demo: those of `Pulumi.dev.yaml`, for any demo."""

from pathlib import Path
from typing import Any, Final

from demo.tenant.options import KEY, TenantOptions
from observability.core.naming import PROJECT
from observability.settings.load import ROOT, read_stack_file

PLACED: Final = (f"{PROJECT}:network", f"{PROJECT}:systems", f"{PROJECT}:traces")
"""The keys of a stack file that place the demo."""


def placed(options: TenantOptions, root: Path = ROOT) -> dict[str, Any]:
    """The part of a stack file's `config` that starts this demo with the stack and watches it."""
    config = read_stack_file("dev", root)["config"]
    dev = TenantOptions.model_validate(config[KEY])

    def moved(value: Any) -> Any:  # noqa: ANN401 - any YAML
        if isinstance(value, dict):
            return {key: moved(one) for key, one in value.items()}
        if isinstance(value, list):
            return [moved(one) for one in value]
        if value == dev.gateway:
            return options.gateway
        if value == dev.name or (isinstance(value, str) and value.startswith(f"{dev.name}-")):
            return options.name + value.removeprefix(dev.name)
        return value

    said = options.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {KEY: said, **{key: moved(config[key]) for key in PLACED}}
