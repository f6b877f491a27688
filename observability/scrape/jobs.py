"""The scrape jobs of a stack: every target with its `system`, `job` and `instance`."""

from collections.abc import Iterator
from typing import Any

from observability.core.errors import ConfigError
from observability.parts.model import Here, Scraped, own
from observability.parts.registry import AnyPart, parts
from observability.scrape import containers, labelled, otlp
from observability.scrape.job import PLATFORM, Job, Target
from observability.scrape.systems import health_jobs, system_jobs
from observability.settings.load import StackConfig
from observability.settings.stack_file import PREFIX

__all__ = ["PLATFORM", "Job", "Target", "jobs"]


def jobs(config: StackConfig) -> tuple[Job, ...]:
    """Every job: one for each job of the parts, one for each watched system, one for each exporter of the settings.

    ConfigError where such an exporter has the name of another job: Prometheus refuses two jobs of one name.
    """
    found: dict[str, Job] = {}
    for part in parts().values():
        for job in of_part(config, part):
            earlier = found.get(job.name)
            found[job.name] = job if earlier is None else _joined(earlier, job)
    custom = [
        Job(
            name=exporter.name,
            path=exporter.path,
            targets=(_target(own(f"{exporter.name}:{exporter.port}"), system=exporter.system),),
        )
        for exporter in config.settings.exporters
    ]
    others = (*found.values(), *health_jobs(config), *system_jobs(config), *otlp.jobs(config), *labelled.jobs(config))
    taken = {job.job_name or job.name for job in others}
    for index, job in enumerate(custom):
        if job.name in taken:
            raise ConfigError(
                f"Pulumi.{config.stack}.yaml: {PREFIX}exporters[{index}].name: {job.name!r} is the name of another "
                "scrape job of this stack",
                "give the exporter another name",
            )
    return (*others, *custom)


def of_part(config: StackConfig, part: AnyPart) -> Iterator[Job]:
    """The jobs of a part: of its own metrics where it runs, and of the servers it reads."""
    running = config.runs(part.name)
    here = config.here(part.name)
    job, extra = part.job, dict(part.scrape)
    if part.of_containers and running:
        extra["metric_relabel_configs"] = containers.relabels(config)
    if job is None:
        return
    targets: list[Target] = []
    if running and part.targets is not None:
        targets += (_target(scraped) for scraped in part.targets(here))
    elif running and part.store is None:
        targets.append(_target(own(f"{part.name}:{part.port}")))
    targets += (_target(scraped) for scraped in _servers(part, here, running=running))
    if targets:
        yield Job(name=job, path=part.path, targets=tuple(targets), extra=extra)


def _servers(part: AnyPart, here: Here[Any, Any], *, running: bool) -> Iterator[Scraped]:
    """A target for every server that the part reads; those read at their own address need no exporter of the stack."""
    store = part.store
    for placed in here.servers if store else ():
        server = placed.server
        address = f"{part.name}:{part.port}"
        if store and store.address is not None:
            elsewhere = store.address(server)
            if elsewhere is None:
                continue
            address = elsewhere
        if running or part.idle:
            labels = {"system": placed.system, "instance": server.instance}
            if not getattr(server, "discovered", False):
                yield Scraped(address=address, labels={**labels, **(store.labels(server) if store else {})})


def _target(scraped: Scraped, *, system: str | None = None) -> Target:
    return Target(address=scraped.address, labels={**scraped.labels, **({"system": system} if system else {})})


def _joined(one: Job, other: Job) -> Job:
    """Two parts of one job: all targets of both."""
    return Job(
        name=one.name, path=one.path, targets=(*one.targets, *other.targets), extra={**one.extra, **other.extra}
    )
