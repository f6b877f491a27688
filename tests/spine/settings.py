"""Settings of the stack `spine`: a name, a subnet and ports that no other stack uses."""

from typing import Any, Final

from tests import networks
from tests.live.settings import SPINE

STACK: Final = "spine"
GATEWAY: Final = networks.gateway("spine")
ALERTMANAGER: Final = "http://127.0.0.1:19293"

SETTINGS: Final[dict[str, Any]] = {
    "observability:environment": "dev",
    "observability:network": {"subnet": networks.subnet("spine")},
    "observability:prometheus": {"port": 19290, "scrapeInterval": "2s", "evaluationInterval": "2s"},
    "observability:alertmanager": {"port": 19293},
    "observability:nodeExporter": {"port": 19300},
    **{f"observability:{name}": value for name, value in SPINE.items() if value is not None and ":" not in name},
}
