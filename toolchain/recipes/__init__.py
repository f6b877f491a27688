"""How to build the images that cannot be pulled where only package registries are reachable.

Users, paths, entry points and the lack of a shell are those of the official images at these versions (sources: the
Dockerfiles of each project), so that nothing works here that fails there. One entry is one image. Grafana, Alloy and
cAdvisor have none: no registry of packages holds what their images are built from. Nor has GoAlert: its module lacks
the web pages, where people acknowledge.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from toolchain.recipe import Recipe
from toolchain.recipes.debian import DEBIAN, STACK
from toolchain.recipes.exporters import EXPORTERS
from toolchain.recipes.loki import LOKI
from toolchain.recipes.prometheus import PROMETHEUS

RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {**PROMETHEUS, **EXPORTERS, **LOKI, **STACK, "goalert-postgres": DEBIAN["postgres"]}
)
"""Recipe by the name of the service that runs the image."""
