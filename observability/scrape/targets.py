"""What the exporters watch: the targets of the settings, and in a dev stack the demo's servers."""

from typing import TypeVar

from observability.settings.exporters import (
    ElasticsearchTarget,
    MongodbTarget,
    NginxTarget,
    PostgresTarget,
    ProbeSettings,
    RedisTarget,
)
from observability.settings.load import StackConfig
from observability.settings.watched import health_probes

DEMO_SYSTEM = "social-selling"
"""The system whose part the demo's servers play."""

DEMO = {
    "alawael": "demo:3002",
    "erpgo": "demo:8080",
    "neuroerp": "demo:3001",
    "social-selling": "demo:3000",
    "syncup": "demo:3003",
}
"""Where the demo exposes the metrics of each system, in a dev stack that says nothing else."""

_PROBES = (
    ProbeSettings(
        name="demo", url="http://demo-nginx/health", keyword='"status":"ok"', interval="15s", system=DEMO_SYSTEM
    ),
)
_POSTGRES = (
    PostgresTarget(address="demo-postgres:5432", database="social_selling", ssl_mode="disable", system=DEMO_SYSTEM),
)
_REDIS = (
    RedisTarget(address="demo-redis:6379", system=DEMO_SYSTEM),
    RedisTarget(address="demo-redis-alawael:6379", system="alawael"),
)
_NGINX = (NginxTarget(name="demo", url="http://demo-nginx:8081/stub_status", system=DEMO_SYSTEM),)

_Owned = TypeVar("_Owned", ProbeSettings, PostgresTarget, RedisTarget, NginxTarget)


def instances(config: StackConfig, system: str) -> tuple[str, ...]:
    """Addresses of the system's instances that are known before anything runs."""
    targets = config.system_settings(system).targets
    if not targets and system in DEMO and config.runs("demo"):
        return (DEMO[system],)
    return targets.static


def probes(config: StackConfig) -> tuple[ProbeSettings, ...]:
    """Every address that is probed."""
    found = config.settings.blackbox_exporter.probes + _of_demo(config, _PROBES)
    for name, system in config.systems.items():
        if not config.system_settings(name).targets:
            found += tuple(probe for address in instances(config, name) for probe in health_probes(system, address))
    return found


def postgres(config: StackConfig) -> tuple[PostgresTarget, ...]:
    """Every PostgreSQL server that is watched."""
    return config.settings.postgres_exporter.targets + _of_demo(config, _POSTGRES)


def redis(config: StackConfig) -> tuple[RedisTarget, ...]:
    """Every Redis server that is watched."""
    return config.settings.redis_exporter.targets + _of_demo(config, _REDIS)


def nginx(config: StackConfig) -> tuple[NginxTarget, ...]:
    """Every nginx server that is watched."""
    return config.settings.nginx_exporter.targets + _of_demo(config, _NGINX)


def mongodb(config: StackConfig) -> tuple[MongodbTarget, ...]:
    """Every MongoDB server that is watched."""
    return config.settings.mongodb_exporter.targets


def elasticsearch(config: StackConfig) -> tuple[ElasticsearchTarget, ...]:
    """Every Elasticsearch cluster that is watched."""
    return config.settings.elasticsearch_exporter.targets


def _of_demo(config: StackConfig, found: tuple[_Owned, ...]) -> tuple[_Owned, ...]:
    """The demo's servers, where it runs and their system is watched."""
    return tuple(one for one in found if config.runs("demo") and one.system in config.systems)
