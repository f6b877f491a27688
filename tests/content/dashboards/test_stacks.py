"""No dashboard of this repository's stacks has a fault that the lint detects."""

import json
from typing import Final

import pytest

from dashboards.registry import dashboards
from observability.check.dashboard_queries import QUERIES
from observability.check.dashboards import STRUCTURE, surroundings
from observability.settings.load import ROOT
from tests.content.stacks import stack_config
from tests.unit.conftest import PARTS

CONFIGS: Final = {"dev": stack_config("dev"), "prod-with-every-part": stack_config("prod", PARTS)}


@pytest.mark.parametrize("name", CONFIGS)
def test_no_dashboard_has_a_fault(name: str) -> None:
    documents = [json.loads(entry.text) for entry in dashboards(CONFIGS[name])]
    pages = frozenset(path.stem for path in (ROOT / "runbooks").glob("*.md"))
    known = surroundings(documents, frozenset(CONFIGS[name].systems), pages)
    found = [
        f"{one['uid']}: {check.__name__}: {fault}"
        for one in documents
        for check in (*STRUCTURE, *QUERIES)
        for fault in check(one, known)
    ]
    assert found == []
