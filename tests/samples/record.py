"""Record the output of the exporters; needs their images.

`python -m tests.samples.record` records all that run here, `… NAME` one of them. For the others, `… NAME FILE …` reads
the exporter's responses from files.
"""

import re
import sys
import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from observability.check.catalogue import SAMPLES
from observability.check.exposition import Family, read, write
from observability.parts.images import PINS
from tests.samples.lab import Lab
from tests.samples.recipe import Origin, Recipe
from tests.samples.recipes import BY_HAND, RECIPES
from tests.samples.trim import trim
from toolchain import ensure_images
from toolchain.recipes.debian import DEBIAN, SERVERS

ROUNDS = 4
"""How often each is scraped, 3 s apart: some series appear and disappear, or exist from the second scrape on."""

NOTE = "every value reads 0; of like series, and of a histogram's bounds, a few are kept"


def sample(origin: Origin, answers: Iterable[str]) -> str:
    """The sample of one exporter, as stored in its file, from all its responses."""
    families: dict[str, Family] = {}
    for answer in answers:
        for name, family in read(answer).items():
            if not re.fullmatch(origin.without, name):
                families.setdefault(name, Family(name, family.kind)).samples.extend(family.samples)
    head = {"exporter": PINS[origin.image], "job": origin.job, "recorded": origin.how, "note": NOTE}
    return write(head, trim(families, origin.masks))


def answers(recipe: Recipe) -> list[str]:
    """The exporter's responses, after it has read its servers."""
    with Lab(recipe.servers) as lab:
        if recipe.prepare is not None:
            recipe.prepare(lab)
        found: list[str] = []
        for _ in range(ROUNDS):
            for url in recipe.urls:
                lab.wait(partial(lab.get, url))
                found.append(lab.get(url))
            time.sleep(3)
        return found


def main(arguments: Sequence[str]) -> None:
    """Write the named sample, or all that can be recorded."""
    if len(arguments) > 1:
        name, *files = arguments
        made = {name: sample(BY_HAND[name], [Path(file).read_text(encoding="utf-8") for file in files])}
    else:
        ensure_images(SERVERS, DEBIAN)
        chosen = {name: RECIPES[name]() for name in arguments or sorted(RECIPES)}
        made = {name: sample(recipe, answers(recipe)) for name, recipe in chosen.items()}
    for name, text in made.items():
        (SAMPLES / f"{name}.prom").write_text(text, encoding="utf-8")
        print(f"{name}.prom: {len(read(text))} metrics")  # noqa: T201 - a program for people


if __name__ == "__main__":
    main(sys.argv[1:])
