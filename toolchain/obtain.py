"""Obtains the four things that a new machine may lack, one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from docker import DockerClient

from observability.core.errors import ConfigError
from toolchain import docker_plugin, engine, gobuild, pulumi_cli
from toolchain import images as container_images
from toolchain.cache import refusal
from toolchain.process import ObtainError
from toolchain.recipe import Recipe
from toolchain.report import ConsoleReport, Report


@dataclass(frozen=True)
class Toolchain:
    """What was obtained."""

    pulumi: Path
    """The CLI's program."""
    plugin_dir: Path | None
    """Folder to put first on PATH for a run, with the stand-in plugin; None where the official one is used."""
    plugin_notice: str | None
    """Notice about the plugin that every run prints."""
    left_out: Mapping[str, str]
    """The reason, for each service whose image is not available."""
    docker_host: str
    """The engine's address, as DOCKER_HOST takes it, so that a run uses the same engine."""


@dataclass(frozen=True)
class Finding:
    """One result of `obs doctor`."""

    name: str
    ok: bool
    detail: str


def ensure(images: Mapping[str, str], report: Report | None = None) -> Toolchain:
    """Obtain what is missing; report for each thing how it was obtained and why.

    `images` holds a full reference for each service. `ConfigError` if a required thing is not available; an image
    that is not available is left out.
    """
    report = report or ConsoleReport()
    docker_plugin.choice()  # a wrong value is reported before anything is built
    docker = engine.obtain(report)
    pulumi, why = _pulumi(report)
    missing = container_images.pull(docker.client, images, report)
    wanted = [image.recipe.build for image in missing if image.recipe and image.recipe.build]
    failures = gobuild.build_all([*([] if pulumi else [pulumi_cli.BUILD]), *wanted], report)
    if pulumi is None:
        pulumi = _built_pulumi(failures.get(pulumi_cli.BUILD.name), why, report)
    left_out = container_images.assemble(docker.client, missing, failures, report)
    plugin = docker_plugin.obtain(pulumi, report)
    return Toolchain(pulumi, plugin.folder, plugin.notice, left_out, docker.host)


def foresee(images: Mapping[str, str]) -> dict[str, str]:
    """The reason for each image that `ensure` would leave out; queries registries, pulls and builds nothing.

    `ConfigError` if Docker does not respond.
    """
    try:
        client = engine.connect().client
    except ObtainError as failure:
        raise ConfigError(
            f"Docker does not answer: {failure}", "start it, or point DOCKER_HOST at an engine"
        ) from None
    return container_images.foresee(client, images)


def ensure_images(
    images: Mapping[str, str], recipes: Mapping[str, Recipe], report: Report | None = None
) -> tuple[DockerClient, Mapping[str, str]]:
    """Obtain Docker and these images, by service, and nothing else.

    `recipes` say how to build the images that cannot be pulled. Returns the engine's client, and the reason for each
    service whose image cannot be obtained.
    """
    report = report or ConsoleReport()
    client = engine.obtain(report).client
    missing = container_images.pull(client, images, report, recipes)
    builds = [image.recipe.build for image in missing if image.recipe and image.recipe.build]
    failures = gobuild.build_all(builds, report) if builds else {}
    return client, container_images.assemble(client, missing, failures, report, recipes)


def _pulumi(report: Report) -> tuple[Path | None, str]:
    """The CLI, or None if it must be built, and why it must be built."""
    found = pulumi_cli.find()
    if found:
        report.line(pulumi_cli.ITEM, f"found {found[1]}")
        return found[0], ""
    missing = pulumi_cli.why_not_the_users()
    try:
        path = pulumi_cli.download(report)
    except ObtainError as failure:
        return None, f"{missing}; the official one cannot be downloaded: {failure}"
    report.line(pulumi_cli.ITEM, f"downloaded the official one ({missing})")
    return path, ""


def _built_pulumi(failure: ObtainError | None, why: str, report: Report) -> Path:
    if failure:
        raise ConfigError(
            f"the Pulumi CLI is not available: {why}; building it failed: {failure}",
            "install it (https://www.pulumi.com/docs/install/), so that `pulumi version` answers",
        )
    report.line(pulumi_cli.ITEM, f"built {pulumi_cli.BUILD.version} from its Go module ({why})")
    return pulumi_cli.built()


def inspect(images: Mapping[str, str]) -> list[Finding]:
    """Check whether each thing is available; quick, changes nothing and uses no network."""
    found = pulumi_cli.find()
    findings = [Finding(pulumi_cli.ITEM, found is not None, found[1] if found else pulumi_cli.why_not_the_users())]
    findings.append(Finding(docker_plugin.ITEM, *docker_plugin.describe()))
    try:
        docker = engine.connect(5)
    except ObtainError as failure:
        return [Finding(engine.ITEM, False, f"does not answer: {failure}"), *findings]
    findings.insert(0, Finding(engine.ITEM, True, docker.describe()))
    for service, reference in images.items():
        here = container_images.state(docker.client, service, reference)
        refused = None if here else refusal(reference)
        detail = f"{here}: {reference}" if here else f"not there yet: {reference}"
        detail += f" (its registry refused it: {refused})" if refused else ""
        findings.append(Finding(f"image {service}", here is not None, detail))
    return findings
