"""The variables of Datadog's libraries in an application of a watched system."""

from observability.parts.datadog import NAME, DatadogAgentSettings
from observability.settings.load import StackConfig


def variables(config: StackConfig, system: str) -> dict[str, str]:
    """The variables by name; none where the stack has no agent that takes traces. The key is the agent's alone."""
    settings = config.settings
    own: DatadogAgentSettings = settings.part(NAME)
    if own.site is None or own.enabled is False or not own.apm:
        return {}
    tags = {"system": system, "team": config.teams[system], "environment": settings.environment}
    return {
        "DD_SERVICE": system,
        "DD_ENV": settings.environment,
        "DD_TAGS": ",".join(f"{name}:{value}" for name, value in tags.items()),
        "DD_AGENT_HOST": settings.network.gateway,
        "DD_TRACE_AGENT_PORT": str(own.apm_port),
        "DD_LOGS_INJECTION": "true",
        "DD_RUNTIME_METRICS_ENABLED": "false",
    }
