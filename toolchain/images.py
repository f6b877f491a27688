"""Container images: in the engine, else pulled, else built here by recipe, else left out with a notice."""

import concurrent.futures
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from docker import DockerClient
from docker.errors import DockerException, ImageNotFound

from toolchain.assemble import LABEL, make
from toolchain.cache import lock
from toolchain.process import ObtainError, last_line
from toolchain.pull import ask_for, pull_one
from toolchain.recipe import KNOWN, Recipe
from toolchain.reference import Reference
from toolchain.report import Report

PULLS: Final = 4
"""Images pulled at a time: a pull waits for the network, not for the CPU."""


@dataclass(frozen=True)
class Missing:
    """An image that is not in the engine and cannot be pulled."""

    service: str
    reference: str
    why: str
    """Why it cannot be pulled."""
    recipe: Recipe | None
    """How to build it, if known."""


def recipe_for(service: str, reference: str, recipes: Mapping[str, Recipe] | None = None) -> Recipe | None:
    """The recipe for exactly this image, wherever its registry; None if there is none, or it is pinned by content."""
    recipe, wanted = (KNOWN if recipes is None else recipes).get(service), Reference.parse(reference)
    if recipe is None or wanted.digest or (recipe.tag != wanted.tag and not recipe.own):
        return None
    # A mirror keeps the name, below its own path.
    return recipe if f"/{wanted.repository}".endswith(f"/{recipe.repository}") else None


def _no_recipe(service: str, reference: str, recipes: Mapping[str, Recipe] | None) -> str:
    recipe = (KNOWN if recipes is None else recipes).get(service)
    if recipe is None:
        return "it cannot be built from package registries"
    return f"the recipe is for {recipe.repository}:{recipe.tag}, not for {reference}"


def state(
    client: DockerClient, service: str, reference: str, recipes: Mapping[str, Recipe] | None = None
) -> str | None:
    """How the engine got the image; None if it is missing, or was built here by a recipe that has changed since."""
    try:
        label = client.images.get(reference).labels.get(LABEL)
    except ImageNotFound:
        return None
    if label is None:
        return "found"
    recipe = recipe_for(service, reference, recipes)
    return "found, built here earlier" if recipe is None or recipe.version == label else None


def pull(
    client: DockerClient, images: Mapping[str, str], report: Report, recipes: Mapping[str, Recipe] | None = None
) -> list[Missing]:
    """Find or pull each image; returns those that are not available, with how to build them."""
    absent: dict[str, str] = {}
    for service, reference in images.items():
        here = state(client, service, reference, recipes)
        if here:
            report.line(_item(service), f"{here}: {reference}")
        else:
            absent[service] = reference
    missing: list[Missing] = []
    if absent:
        with concurrent.futures.ThreadPoolExecutor(PULLS) as pool:
            failures = list(pool.map(lambda service: _pull(service, absent[service], recipes, report), absent))
        for (service, reference), failure in zip(absent.items(), failures, strict=True):
            if failure is None:
                report.line(_item(service), f"pulled {reference}")
            else:
                missing.append(Missing(service, reference, str(failure), recipe_for(service, reference, recipes)))
    return missing


def foresee(
    client: DockerClient, images: Mapping[str, str], recipes: Mapping[str, Recipe] | None = None
) -> dict[str, str]:
    """Why, for each image that would be left out: the engine lacks it, its registry refuses it, no recipe builds it.

    Nothing is pulled or built; an image with a recipe counts as available.
    """
    absent = {
        service: reference
        for service, reference in images.items()
        if state(client, service, reference, recipes) is None and recipe_for(service, reference, recipes) is None
    }
    if not absent:
        return {}
    with concurrent.futures.ThreadPoolExecutor(PULLS) as pool:
        refusals = dict(zip(absent, pool.map(ask_for, absent.values()), strict=True))
    return {
        service: _without_recipe(service, absent[service], str(why), recipes)
        for service, why in refusals.items()
        if why is not None
    }


def _without_recipe(service: str, reference: str, why: str, recipes: Mapping[str, Recipe] | None) -> str:
    return f"{reference} cannot be pulled ({why}), and {_no_recipe(service, reference, recipes)}"


def _item(service: str) -> str:
    return f"image {service}"


def _pull(service: str, reference: str, recipes: Mapping[str, Recipe] | None, report: Report) -> ObtainError | None:
    recipe = recipe_for(service, reference, recipes)
    return ObtainError("nobody publishes it") if recipe and recipe.own else pull_one(reference, report)


def assemble(
    client: DockerClient,
    missing: Iterable[Missing],
    failures: Mapping[str, ObtainError | None],
    report: Report,
    recipes: Mapping[str, Recipe] | None = None,
) -> dict[str, str]:
    """Make images from what was compiled; returns the reason for each service whose image is not available."""
    left_out: dict[str, str] = {}
    for image in missing:
        try:
            report.line(_item(image.service), _assemble(client, image, failures, report, recipes))
        except ObtainError as failure:
            left_out[image.service] = f"{image.reference} cannot be pulled ({image.why}), and {failure}"
            report.line(_item(image.service), f"left out: {left_out[image.service]}")
    return left_out


def _assemble(
    client: DockerClient,
    image: Missing,
    failures: Mapping[str, ObtainError | None],
    report: Report,
    recipes: Mapping[str, Recipe] | None,
) -> str:
    """Make one image and report it."""
    recipe = image.recipe
    if recipe is None:
        raise ObtainError(_no_recipe(image.service, image.reference, recipes))
    compiled = failures.get(recipe.build.name) if recipe.build else None
    if compiled:
        raise ObtainError(f"building it failed: {compiled}")
    try:
        with lock(f"image-{image.service}"):
            if state(client, image.service, image.reference, recipes) is None:
                make(client, recipe, image.reference, report)
    except (ObtainError, DockerException, OSError) as error:
        raise ObtainError(f"assembling it failed: {last_line(str(error))}") from error
    if recipe.own:
        return f"built {image.reference} from this project's own files"
    lacks = f", without {recipe.without}" if recipe.without else ""
    return f"built {image.reference} here{lacks} (it cannot be pulled: {image.why})"
