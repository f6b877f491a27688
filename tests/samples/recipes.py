"""Every sample that can be recorded, by the name of its file."""

from collections.abc import Callable, Mapping

from tests.samples import container_recipes as containers
from tests.samples import probe_recipes as probes
from tests.samples import stack_recipes as stack
from tests.samples import store_recipes as stores
from tests.samples import trace_recipes as traces
from tests.samples.recipe import Origin, Recipe

RECIPES: Mapping[str, Callable[[], Recipe]] = {
    "alertmanager": stack.alertmanager,
    "blackbox": probes.blackbox,
    "cadvisor": containers.cadvisor,
    "collector": stack.collector,
    "jaeger": traces.store,
    "loki": stack.loki,
    "docker-proxy": stack.proxy,
    "edge": containers.edge,
    "nginx": stores.nginx,
    "node": stack.node,
    "notifier": stack.notifier,
    "postgres": stores.postgres,
    "prometheus": stack.prometheus,
    "redis": stores.redis,
    "spans": stack.spans,
    "status-page": stack.status_page,
}
"""Samples whose servers run here."""

BY_HAND: Mapping[str, Origin] = {"elasticsearch": stores.ELASTICSEARCH, "mongodb": stores.MONGODB}
"""Samples of servers without an image here; made from files with the exporter's responses."""
