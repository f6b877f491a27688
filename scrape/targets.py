"""What the exporters watch: the targets of the settings, and in a dev stack the demo's servers."""

from config.exporters import NginxTarget, PostgresTarget, ProbeSettings, RedisTarget
from config.load import StackConfig

DEMO_SYSTEM = "social-selling"
"""The system whose part the demo plays."""

_PROBE = ProbeSettings(
    name="demo", url="http://demo-nginx/health", keyword='"status":"ok"', interval="15s", system=DEMO_SYSTEM
)
_POSTGRES = PostgresTarget(
    address="demo-postgres:5432", database="social_selling", ssl_mode="disable", system=DEMO_SYSTEM
)
_REDIS = RedisTarget(address="demo-redis:6379", system=DEMO_SYSTEM)
_NGINX = NginxTarget(name="demo", url="http://demo-nginx:8081/stub_status", system=DEMO_SYSTEM)


def probes(config: StackConfig) -> tuple[ProbeSettings, ...]:
    """Every address that is probed."""
    return config.settings.blackbox_exporter.probes + ((_PROBE,) if config.runs("demo") else ())


def postgres(config: StackConfig) -> tuple[PostgresTarget, ...]:
    """Every PostgreSQL server that is watched."""
    return config.settings.postgres_exporter.targets + ((_POSTGRES,) if config.runs("demo") else ())


def redis(config: StackConfig) -> tuple[RedisTarget, ...]:
    """Every Redis server that is watched."""
    return config.settings.redis_exporter.targets + ((_REDIS,) if config.runs("demo") else ())


def nginx(config: StackConfig) -> tuple[NginxTarget, ...]:
    """Every nginx server that is watched."""
    return config.settings.nginx_exporter.targets + ((_NGINX,) if config.runs("demo") else ())
