"""The scrape jobs of the parts: each asks whether its part runs."""

from collections.abc import Iterator
from dataclasses import replace

from observability.alerting import goalert
from observability.logs import alloy, loki, promtail
from observability.scrape import blackbox, targets
from observability.scrape.job import PLATFORM, Job, Target, own
from observability.settings.load import StackConfig

COLLECTOR_PORTS = {"alloy": alloy.PORT, "promtail": promtail.PORT}


def part_jobs(config: StackConfig) -> Iterator[Job]:
    """The jobs of every part but those with a module of their own."""
    if config.runs("loki"):
        yield own("loki", loki.PORT)
    if config.collector:
        # What it counts carries the stream's own `system`.
        yield replace(
            own("collector", COLLECTOR_PORTS[config.collector], job=config.collector), extra={"honor_labels": True}
        )
    docker = _docker(config)
    if docker:
        yield Job(name="docker", targets=docker)
    if config.runs("blackbox-exporter"):
        yield Job(name="blackbox", path="/probe", targets=_probes(config))
    if config.runs("postgres-exporter"):
        yield Job(name="postgres", path="/probe", targets=_postgres(config))
    if config.runs("redis-exporter"):
        yield Job(name="redis", path="/scrape", targets=_redis(config))
    if config.runs("nginx-exporter"):
        yield Job(name="nginx", targets=_nginx(config))
    if config.runs("mongodb-exporter"):
        yield Job(name="mongodb", path="/scrape", targets=_mongodb(config))
    if config.runs("elasticsearch-exporter"):
        yield Job(name="elasticsearch", path="/probe", targets=_elasticsearch(config))
    if config.runs("goalert"):
        yield own("goalert", goalert.METRICS_PORT)


def _docker(config: StackConfig) -> tuple[Target, ...]:
    """Containers by cAdvisor, and the engine's own metrics where the settings say where they are."""
    address = config.settings.docker.metrics_address
    found = [*(["cadvisor:8080"] if config.runs("cadvisor") else []), *([address] if address else [])]
    return tuple(Target(address=one, labels={"system": PLATFORM, "instance": one}) for one in found)


def _probes(config: StackConfig) -> tuple[Target, ...]:
    return tuple(
        Target(
            address="blackbox-exporter:9115",
            labels={
                "system": probe.system,
                "instance": probe.url,
                "probe": probe.name,
                "__param_target": blackbox.target(probe),
                "__param_module": blackbox.module(probe),
                "__scrape_interval__": probe.interval,
                # The module itself gives up after 5 s.
                "__scrape_timeout__": "5s",
            },
        )
        for probe in targets.probes(config)
    )


def _postgres(config: StackConfig) -> tuple[Target, ...]:
    return tuple(
        Target(
            address="postgres-exporter:9187",
            labels={
                "system": server.system,
                "instance": server.address,
                "__param_target": (
                    f"postgresql://{server.user}@{server.address}/{server.database}?sslmode={server.ssl_mode}"
                ),
            },
        )
        for server in targets.postgres(config)
    )


def _redis(config: StackConfig) -> tuple[Target, ...]:
    return tuple(
        Target(
            address="redis-exporter:9121",
            labels={"system": server.system, "instance": server.address, "__param_target": server.url},
        )
        for server in targets.redis(config)
    )


def _nginx(config: StackConfig) -> tuple[Target, ...]:
    return tuple(
        Target(
            address=f"nginx-exporter-{server.name}:9113",
            labels={"system": server.system, "instance": server.instance},
        )
        for server in targets.nginx(config)
    )


def _mongodb(config: StackConfig) -> tuple[Target, ...]:
    return tuple(
        Target(
            address="mongodb-exporter:9216",
            labels={"system": server.system, "instance": server.address, "__param_target": server.address},
        )
        for server in targets.mongodb(config)
    )


def _elasticsearch(config: StackConfig) -> tuple[Target, ...]:
    return tuple(
        Target(
            address="elasticsearch-exporter:9114",
            labels={
                "system": cluster.system,
                "instance": cluster.address,
                "__param_target": cluster.url,
                **({"__param_auth_module": cluster.address} if cluster.user else {}),
            },
        )
        for cluster in targets.elasticsearch(config)
    )
