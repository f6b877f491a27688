"""The pages of docs/reference: as generated, and complete by what the files themselves say."""

import json
import re

import pytest
import yaml

from observability.core.documents import RuleLoader
from observability.settings.load import ROOT
from tools import reference
from tools.reference import markdown
from tools.reference.markdown import NONE

CELLS = re.compile(r"(?<!\\)\|")


def rows(page: str, first: str) -> list[list[str]]:
    """The rows of the table of a committed page whose first heading is this."""
    lines = (reference.FOLDER / page).read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in CELLS.split(line)[1:-1]])
    return found


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_committed_page_is_as_generated(name: str) -> None:
    assert (reference.FOLDER / name).read_text(encoding="utf-8") == reference.PAGES[name](), "run: make reference"


def test_the_folder_holds_generated_pages_only() -> None:
    assert {path.name for path in reference.FOLDER.iterdir()} == set(reference.PAGES)


def test_every_alert_of_the_rule_files_has_its_row_and_page() -> None:
    stated = sorted(
        (rule["alert"], rule["labels"]["severity"], str(rule.get("for", NONE)), path.name)
        for path in (ROOT / "rules").glob("*.yaml")
        for group in yaml.load(path.read_text(encoding="utf-8"), RuleLoader)["groups"]  # noqa: S506 - a safe loader
        for rule in group["rules"]
        if "alert" in rule
    )
    shown = []
    for alert, severity, page, wait, *_, file in rows("metrics.md", "alert"):
        name, target = re.fullmatch(r"\[(\w+)\]\((.+)\)", alert).groups()  # type: ignore[union-attr]
        assert (reference.FOLDER / target).resolve() == ROOT / "runbooks" / f"{name}.md"
        assert (reference.FOLDER / target).is_file()
        assert page in ("yes", "no")
        shown.append((name, severity, wait, file.partition("]")[0].removeprefix("[rules/")))
    assert sorted(shown) == stated


def test_a_threshold_has_its_series_unit_default_and_reason() -> None:
    by_name = {row[0]: row[1:] for row in rows("metrics.md", "threshold")}
    series, meaning, breached, unit, default, reason, signal = by_name["`cpuRatio`"]
    assert (series, breached, unit) == ("`app:threshold:cpu_ratio`", "above", "ratio")
    assert (default, signal) == ("warning 80%, critical 95%", NONE)
    assert meaning
    assert len(reason) > 20
    assert by_name["`certificateValidity`"][4] == "warning 14d, critical 3d"
    assert by_name["`errorRatio`"][4:] == ["none; for warning, critical", NONE, "`httpRequests`"]


def test_every_threshold_that_rules_read_is_a_row() -> None:
    shown = {row[1].strip("`") for row in rows("metrics.md", "threshold")}
    read = {
        name
        for path in (ROOT / "rules").glob("*.yaml")
        for name in re.findall(r"app:threshold:\w+", path.read_text(encoding="utf-8"))
    }
    assert {name for name in read if name.removesuffix("_share") not in shown and name not in shown} == set()


def test_the_series_of_a_signal_are_those_that_rules_record_of_it() -> None:
    by_signal = {row[0]: row[2] for row in rows("metrics.md", "signal")}
    assert by_signal["`dbPool`"] == "`app:db_pool:ratio`"
    assert "`app:http_errors:ratio_rate5m`" in by_signal["`httpRequests`"]
    assert "`app:http_requests_by_domain:rate5m`" in by_signal["`httpRequests`"]


def test_every_setting_of_the_schema_has_a_row() -> None:
    schema = json.loads((ROOT / "observability" / "settings" / "schema.json").read_text(encoding="utf-8"))
    names = {name for model in schema["$defs"].values() for name in model.get("properties", {})}
    names |= {name.partition(":")[2] for name in schema["properties"]["config"]["properties"]}
    text = (reference.FOLDER / "settings.md").read_text(encoding="utf-8")
    assert {name for name in names if f"| `{name}` |" not in text} == set()


def test_every_link_within_the_pages_leads_to_something() -> None:
    for path in reference.FOLDER.iterdir():
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)]+)\)", text):
            file, _, anchor = target.partition("#")
            assert not file or (path.parent / file).exists(), target
            if anchor and not file:
                assert f'<a id="{anchor}"></a>' in text, target


def test_a_cell_keeps_its_text_in_one_cell_and_out_of_tags() -> None:
    made = markdown.table(("a",), [("one | two\n<b> `<c>`",)])
    assert made.splitlines()[2] == "| one \\| two &lt;b> `<c>` |"
