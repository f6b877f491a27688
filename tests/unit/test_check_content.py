"""`obs check`: every kind of fault in content is found, with its file, its line and how to fix it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from observability.check.problem import Problem, of_error
from observability.check.run import check
from observability.cli import project as commands
from observability.core import project
from observability.core.errors import ConfigError


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder as `obs init` writes it, selected."""
    folder = tmp_path / "project"
    commands.init(folder)
    monkeypatch.setenv(project.VARIABLE, str(folder))
    monkeypatch.setattr("observability.check.promtool.find", lambda: None)
    return folder


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def found(where: str) -> Problem:
    """The problem at a location."""
    problems = check().problems
    at = [one for one in problems if str(one).startswith(where)]
    assert len(at) == 1, "\n".join(map(str, problems))
    return at[0]


@pytest.mark.usefixtures("own")
def test_what_init_writes_has_no_problem() -> None:
    report = check()
    assert report.problems == []
    assert report.counts["rules"] == report.counts["dashboards"] == report.counts["stacks"] == 1
    assert report.notes == [
        "promtool was not found (on PATH, or built by ./obs up): PromQL was checked, rule tests not run"
    ]


FAULTS: list[tuple[str, str, str, str, str]] = [
    ("rules/shop.yaml", "orders_waiting{", "orders_wating{", "rules/shop.yaml:8", "did you mean orders_waiting"),
    ("rules/shop.yaml", "    for: 5m", "    for: 5 minutes", "rules/shop.yaml:12", "is not a duration"),
    ("rules/shop.yaml", "        for:", "        fro:", "rules/shop.yaml:12", "an unknown key 'fro'"),
    ("rules/shop.yaml", "max by (system) (", "sum(rate(", "rules/shop.yaml:8", "does not parse"),
    ("rules/shop.yaml", "severity: warning", "severity: urgent", "rules/shop.yaml:8", "urgent is none of"),
    ("rules/shop.yaml", "          component: business\n", "", "rules/shop.yaml:8", "has no label component"),
    ("rules/shop.yaml", "{{ $value | humanize }}", "{{ $value }}", "rules/shop.yaml:8", "has no unit"),
    ("rules/shop.yaml", "groups:", "group:", "rules/shop.yaml:2", "an unknown key 'group'"),
    (
        "rules/shop.yaml",
        "      - alert: OrdersWaiting",
        "\t- alert: OrdersWaiting",
        "rules/shop.yaml:6",
        "not valid YAML",
    ),
    ("systems/shop.yaml", "kind: gauge", "kind: gage", "systems/shop.yaml:10", "gage"),
    ("systems/shop.yaml", "warning: 1%, critical", "warnign: 1%, critical", "systems/shop.yaml:16", "warnign"),
    ("Pulumi.dev.yaml", "instances:", "instance:", "Pulumi.dev.yaml:7", "unknown key"),
    (
        "runbooks/OrdersWaiting.md",
        "## Mitigation",
        "## Cure",
        "runbooks/OrdersWaiting.md",
        "lacks the heading Mitigation",
    ),
    (
        "runbooks/OrdersWaiting.md",
        "\norders_waiting{",
        "\norders{",
        "runbooks/OrdersWaiting.md:17",
        "no metric o",
    ),
    ("runbooks/OrdersWaiting.md", "First: ", "At first: ", "runbooks/OrdersWaiting.md:3", "has no line `First: …`"),
    (
        "runbooks/OrdersWaiting.md",
        "## Meaning",
        "First: Read its log.\n\n## Meaning",
        "runbooks/OrdersWaiting.md:7",
        "more than one line `First: …`: the first is line 5",
    ),
    (
        "runbooks/OrdersWaiting.md",
        "has stopped.",
        f"has stopped{'.' * 48}",
        "runbooks/OrdersWaiting.md:5",
        "its first step has 151 characters",
    ),
    (
        "runbooks/OrdersWaiting.md",
        "Query orders_waiting",
        "Query `orders_waiting`",
        "runbooks/OrdersWaiting.md:5",
        "its first step has markup: `",
    ),
    (
        "runbooks/OrdersWaiting.md",
        "Query orders_waiting",
        "Query {{ $labels.alertname }}",
        "runbooks/OrdersWaiting.md:5",
        "its first step has markup: {{",
    ),
    ("runbooks/OrdersWaiting.md", "# OrdersWaiting", "# Orders", "runbooks/OrdersWaiting.md:1", "alert's name"),
    ("dashboards/shop_queue.py", '"short"', '"shrot"', "dashboards/shop_queue.py:18", "its unit is shrot"),
    ("dashboards/shop_queue.py", "over_time('orders", "over_time('order", "dashboards/shop_queue.py:18", "no metric"),
    ("dashboards/shop_queue.py", "return graph(", "return grpah(", "dashboards/shop_queue.py:17", "NameError"),
    ("dashboards/shop_queue.py", "page = Page(", "other = dict(", "dashboards/shop_queue.py", "NameError"),
    ("dashboards/shop_queue.py", 'alerts=("OrdersWaiting",)', "alerts=()", "rules/shop.yaml:6", "no panel shows it"),
    (
        "tests/rules/shop.test.yaml",
        "exp_alerts: []",
        "exp_alerts: [{}]",
        "rules/shop.yaml:6",
        "in which it does not fire",
    ),
]
"""File, text in it, what replaces the text, where the problem is shown, what it says."""


@pytest.mark.parametrize(("file", "old", "new", "where", "says"), FAULTS, ids=[f"{one[0]}-{one[4]}" for one in FAULTS])
def test_a_fault_is_found_with_file_line_and_fix(
    own: Path, file: str, old: str, new: str, where: str, says: str
) -> None:
    replaced(own / file, old, new)
    problems = [one for one in check().problems if str(one).startswith(where)]
    assert problems, "\n".join(map(str, check().problems))
    assert any(says in one.what for one in problems), "\n".join(map(str, problems))
    assert all(one.fix for one in problems)


def test_a_first_step_of_150_characters_is_accepted(own: Path) -> None:
    page = own / "runbooks" / "OrdersWaiting.md"
    replaced(page, "has stopped.", f"has stopped{'.' * 47}")
    assert len(page.read_text(encoding="utf-8").splitlines()[4].removeprefix("First: ")) == 150
    assert check().problems == []


def test_an_alert_without_a_runbook_is_found(own: Path) -> None:
    (own / "runbooks" / "OrdersWaiting.md").unlink()
    assert "has no runbook" in found("rules/shop.yaml:6").what


def test_an_alert_without_tests_is_found(own: Path) -> None:
    (own / "tests" / "rules" / "shop.test.yaml").unlink()
    assert "no test in which it fires and none in which it does not fire" in found("rules/shop.yaml:6").what


def test_a_rule_file_may_end_in_yml(own: Path) -> None:
    (own / "rules" / "shop.yaml").rename(own / "rules" / "shop.yml")
    assert check().problems == []
    replaced(own / "rules" / "shop.yml", "orders_waiting{", "orders_wating{")
    assert "did you mean" in found("rules/shop.yml:8").what


def test_every_invalid_system_is_reported_and_not_only_the_first(own: Path) -> None:
    text = (own / "systems" / "shop.yaml").read_text(encoding="utf-8")
    (own / "systems" / "other.yaml").write_text(text.replace("title:", "titel:"), encoding="utf-8")
    replaced(own / "systems" / "shop.yaml", "kind: gauge", "kind: gage")
    assert {one.file for one in check().problems} == {"systems/other.yaml", "systems/shop.yaml"}


def test_a_dashboard_with_a_uid_in_use_is_refused(own: Path) -> None:
    replaced(own / "dashboards" / "shop_queue.py", '"shop-queue"', '"obs-overview"')
    assert "that of a built-in dashboard" in found("dashboards/shop_queue.py").what


def test_the_line_of_a_yaml_path_is_that_of_its_key(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text("config:\n  observability:systems:\n    shop:\n      hosts:\n      - name: a\n      - name: b\n")
    said = "Pulumi.dev.yaml: observability:systems.shop.hosts[1].name: is wrong"
    assert of_error(ConfigError(said, "x"), path).line == 6


@pytest.mark.usefixtures("own")
def test_built_in_content_is_not_reported_where_there_is_a_project() -> None:
    # Without the systems that expose its series, a built-in rule reads series that are not exposed here.
    assert all(not (one.file or "").startswith("rules/applications") for one in check().problems)


def obs(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it."""
    environment = {**os.environ, "OBS_DATA_DIR": str(data), "PYTHONPATH": str(project.BUILT_IN), "DOCKER_HOST": "none"}
    environment.pop(project.VARIABLE, None)
    command = [str(project.BUILT_IN / ".venv" / "bin" / "python"), "-P", "-m", "observability.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("arguments", [lambda path: ("check", path), lambda path: ("--project", path, "check")])
def test_the_exit_code_is_1_where_content_is_invalid(
    own: Path, tmp_path: Path, arguments: Callable[[str], tuple[str, ...]]
) -> None:
    replaced(own / "rules" / "shop.yaml", "orders_waiting{", "orders_wating{")
    done = obs(*arguments(str(own)), data=tmp_path)
    assert done.returncode == 1, done.stderr
    first, fix, *_ = done.stdout.splitlines()
    assert first.startswith("rules/shop.yaml:8: OrdersWaiting: there is no metric orders_wating")
    assert fix.strip().startswith("fix: correct the name; or declare the series")


def test_the_exit_code_is_2_where_the_folder_does_not_exist(tmp_path: Path) -> None:
    done = obs("check", str(tmp_path / "none"), data=tmp_path)
    assert done.returncode == 2
    assert "does not exist" in done.stderr or "is not a folder" in done.stderr
    assert "./obs init" in done.stderr


def test_preview_and_up_are_refused_where_content_is_invalid(own: Path, tmp_path: Path) -> None:
    replaced(own / "rules" / "shop.yaml", "orders_waiting{", "orders_wating{")
    for command in ("preview", "up"):
        done = obs("--project", str(own), command, data=tmp_path)
        assert done.returncode == 2
        assert "rules/shop.yaml:8: OrdersWaiting: there is no metric orders_wating" in done.stderr
        assert "nothing was changed" in done.stderr
