"""The rules of Loki's ruler: their files, the series that they record, and errors in them."""

from pathlib import Path

import pytest

from observability.check.catalogue import Catalogue
from observability.core.errors import ConfigError
from observability.logs import log_rules, loki
from tests.unit.conftest import stack_config


def written(folder: Path, text: str) -> Path:
    """A project folder with one file of Loki's rules."""
    (folder / "rules" / "loki").mkdir(parents=True)
    (folder / "rules" / "loki" / "own.yml").write_text(text)
    return folder


def test_the_rule_files_are_part_of_lokis_configuration() -> None:
    files = loki.files(stack_config("dev"))
    assert files["rules/fake/lines.yaml"] == Path("rules/loki/lines.yaml").read_text()


def test_the_recorded_series_have_the_labels_of_their_expressions() -> None:
    found = {one.name: one.labels for one in log_rules.recorded()}
    assert found["app:log_lines:count1m"] == {"system", "service", "level"}
    assert found["app:log_rules:evaluated"] == frozenset()


def test_rules_and_dashboards_know_the_recorded_series_only_with_loki() -> None:
    name = "app:log_lines:count1m"
    assert name in Catalogue(stack_config("dev"), []).names
    assert name not in Catalogue(stack_config("dev", {"loki": {"enabled": False}}), []).names


def test_own_files_record_with_the_interval_of_their_group(tmp_path: Path) -> None:
    text = (
        "groups:\n- name: a\n  interval: 5m\n  rules:\n"
        "  - record: own:lines:count5m\n"
        '    expr: sum by (system) (count_over_time({system="a"}[5m]))\n'
        "    labels: {kind: b}\n"
    )
    (one,) = log_rules.recorded(written(tmp_path, text))
    assert (one.name, one.labels, one.interval) == ("own:lines:count5m", frozenset({"system", "kind"}), 300.0)
    assert one.file == "rules/loki/own.yml"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]\n", "rules/loki/own.yml: not a rule file: it has no list `groups`"),
        ("groups:\n- name: a\n", "rules/loki/own.yml: a group has no list `rules`"),
        (
            "groups:\n- name: a\n  rules:\n  - {record: b, expr: 'rate({a=\"b\"}[5m])'}\n",
            "rules/loki/own.yml: b: its expression does not state the labels of its result",
        ),
    ],
)
def test_a_file_without_its_form_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=r"own\.yml") as error:
        log_rules.recorded(written(tmp_path, text))
    assert says in str(error.value)
