"""What grows with the number of systems, and how fast: counted in rules, which Prometheus evaluates."""

from itertools import pairwise
from pathlib import Path

from dashboards.linked_rules import files
from observability.core.documents import load_yaml
from observability.settings.load import validate
from tests.unit.conftest import REFERENCE


def rules_of(count: int, folder: Path) -> int:
    """Number of rules of a stack that watches so many systems, all of one kind."""
    text = next((REFERENCE / "systems").glob("*.yaml")).read_text()
    systems = folder / str(count) / "systems"
    systems.mkdir(parents=True)
    names = [f"system-{index}" for index in range(count)]
    for name in names:
        (systems / f"{name}.yaml").write_text(text)
    config = validate("dev", {"systems": {name: {} for name in names}}, frozenset(), systems.parent)
    assert len(config.systems) == count
    documents = (load_yaml(each) for each in files(config).values())
    return sum(len(group["rules"]) for document in documents for group in document["groups"])


def test_each_further_system_adds_the_same_number_of_rules(tmp_path: Path) -> None:
    counts = [rules_of(count, tmp_path) for count in (1, 2, 3, 4)]
    added = {later - earlier for earlier, later in pairwise(counts)}
    assert len(added) == 1
    assert added.pop() > 0
