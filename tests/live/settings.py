"""Settings of the stack `live` and of its demo: a name, subnets and ports that no other stack uses."""

from typing import Any, Final

from demo.tenant.options import KEY, TenantOptions
from demo.tenant.placement import placed
from observability.systems import load as system_files
from tests import networks

GATEWAY = networks.gateway("live")
STACK = "live"

SETTINGS: dict[str, Any] = {
    "observability:environment": "dev",
    "observability:network": {"subnet": networks.subnet("live")},
    "observability:prometheus": {"port": 19090, "scrapeInterval": "2s", "evaluationInterval": "2s"},
    "observability:alertmanager": {"port": 19093},
    "observability:nodeExporter": {"port": 19100},
    "observability:loki": {"port": 13100},
    "observability:grafana": {"port": 13001},
    "observability:traces": {"grpcPort": 14317, "httpPort": 14318},
    "observability:jaeger": {"port": 26686},
}
DEMO: Final = TenantOptions(
    name="demo-live",
    subnet=networks.SUBNETS["demo-live"],
    port=18088,
    fault_port=13999,
    otlp=f"http://{GATEWAY}:14318",
)
"""The demo that the whole stack watches."""

for name, section in placed(DEMO).items():
    SETTINGS[name] = {**SETTINGS.get(name, {}), **section}


SPINE: Final[dict[str, Any]] = {
    "profile": "minimal",
    KEY: None,
    "traces": None,
    "jaeger": None,
    "systems": {
        name: {"unwatched": dict.fromkeys(("instances", *system.exporters), "not placed in this test")}
        for name, system in system_files.load().items()
    },
}
"""Settings of a stack of only Prometheus, Alertmanager and node-exporter."""
