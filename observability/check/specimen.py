"""A system with every signal and every threshold: rules may read its series where no watched system has them.

Rules, dashboards and runbooks are written once, for all signals; a stack may watch no system that has one of them.
The series that they may read are then those of the system that `obs system new` writes, with all its examples.
"""

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from dashboards.linked_rules import files
from observability.check.catalogue import Catalogue
from observability.check.rulefile import read
from observability.core.types import seconds
from observability.settings.load import StackConfig, validate
from observability.systems.blank import blank, complete

NAME: Final = "specimen"
OTHER: Final = "other-system"

_PLACED: Final[dict[str, Any]] = {
    "instances": {"static": ["specimen.example.com:3000"]},
    "hosts": [{"name": "specimen", "address": "specimen.example.com:9100"}],
    "containers": [{"name": "specimen-1"}],
    "probes": [
        {"name": "specimen", "url": "https://specimen.example.com/", "keyword": "ok"},
        {
            "name": "specimen-api",
            "url": "https://api.specimen.example.com/",
            "json": {"status": "ok"},
            "interval": "1h",
        },
    ],
}


_ELSEWHERE: Final[dict[str, Any]] = {
    "hosts": {"other-host": {"docker": "ssh://root@other-host.example.com"}},
    "edge": {"address": "monitoring.example.com"},
    "otlpMetrics": {},
}
"""A host with an agent, and metrics by OTLP."""


@cache
def config() -> StackConfig:
    """A dev stack that watches this system, and one that it depends on."""
    with TemporaryDirectory() as folder:
        systems = Path(folder) / "systems"
        systems.mkdir()
        (systems / f"{NAME}.yaml").write_text(complete(NAME), encoding="utf-8")
        # The system that it depends on, with the other common name of the label.
        other = re.sub(r"\bstatus\b(?!:)", "status_code", blank(OTHER))
        (systems / f"{OTHER}.yaml").write_text(other, encoding="utf-8")
        settings = {"systems": {NAME: _PLACED, OTHER: {}}, **_ELSEWHERE}
        return validate("dev", settings, frozenset(), Path(folder), complete=False)


@cache
def catalogue() -> Catalogue:
    """The series of that stack."""
    of = config()
    return Catalogue(of, read(files(of), seconds(of.settings.prometheus.evaluation_interval)))
