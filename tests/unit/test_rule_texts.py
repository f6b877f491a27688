"""Labels and annotations of a rule file are the text as written, as Prometheus reads them."""

from pathlib import Path

import pytest
import yaml

import rules
from observability.alerting.alerts import alerts
from observability.check.rulefile import read
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from tests.unit.test_typical_mistakes import RULES, SYSTEM

WRITTEN = ("yes", "no", "on", "true", "1.10", "5", "1_000", "017", "22:22", "2026-11-29", "1e3", ".inf", "0x1F")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a system and no rules."""
    for folder in ("systems", "rules"):
        (tmp_path / folder).mkdir()
    (tmp_path / "systems/shop.yaml").write_text(SYSTEM)
    return tmp_path


def load(root: Path, text: str) -> rules.Source:
    (root / "rules/mine.yaml").write_text(text)
    return rules.load(root)["mine.yaml"]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("place", ["labels", "annotations", "of the group"])
def test_a_value_is_the_text_that_is_written(root: Path, place: str, written: str) -> None:
    old, new = {
        "labels": ("{severity: warning}", f"{{severity: warning, own: {written}}}"),
        "annotations": ("summary: Busy", f"summary: Busy\n          own: {written}"),
        "of the group": ("- name: mine", f"- name: mine\n    labels: {{own: {written}}}"),
    }[place]
    source = load(root, RULES.replace(old, new))
    group = source.document["groups"][0]
    found = group["labels"] if place == "of the group" else group["rules"][0][place]
    assert found["own"] == written
    # Prometheus, which reads the rendered file, gets the same text.
    assert load_yaml(yaml.safe_dump(found))["own"] == written


def test_the_label_page_may_be_written_without_quotes(root: Path) -> None:
    source = load(root, RULES.replace("{severity: warning}", "{severity: warning, page: yes}"))
    assert source.document["groups"][0]["rules"][0]["labels"] == {"severity": "warning", "page": "yes"}
    (alert,) = alerts({"mine.yaml": source.text})["Busy"]
    assert alert.labels["page"] == "yes"
    (rule,) = read({"mine.yaml": source.text}, 15)
    assert rule.labels["page"] == "yes"


def test_other_values_are_read_by_their_type(root: Path) -> None:
    with pytest.raises(ConfigError, match=r"for: 5: is no text"):
        load(root, RULES.replace("for: 5m", "for: 5"))
    with pytest.raises(ConfigError, match="limit: true: is no whole number"):
        load(root, RULES.replace("- name: mine", "- name: mine\n    limit: yes"))
