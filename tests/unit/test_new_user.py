"""A sixth system, an alert and a panel in a project folder, added as in docs/guide.md, with only `./obs`."""

import json
import os
import re
import subprocess
from pathlib import Path

from observability.core import project
from observability.core.documents import load_yaml

SYSTEM = """\
title: Depot
description: Keeps the stock of the warehouse.
team: logistics
scrape: {job: backend, port: 9000, path: /metrics}
series:
  http_requests_total: {kind: counter, labels: [method, route, status], help: Requests answered.}
  parcels_oldest_seconds: {kind: gauge, help: Age of the oldest parcel that was not sent.}
signals:
  httpRequests: {series: http_requests_total, route: route, status: status}
thresholds:
  errorRatio: {warning: 1%, critical: 5%}
"""

RULE = {
    "TODO say in a sentence what these rules are about": "Parcels that lie too long.",
    "TODO_metric": "parcels_oldest_seconds",
    "> 100  # TODO the threshold": "> 3600",
    "TODO what is wrong, in plain words: {{ $value | humanize }} of {{ $labels.system }}": (
        "A parcel of {{ $labels.system }} has been waiting for {{ $value | humanizeDuration }}"
    ),
    "TODO what was measured, over which window, against which threshold.": (
        "For 5 minutes the oldest parcel has been older than an hour."
    ),
}

TEST = {
    "# TODO the metric with its labels, and values just above the threshold": "# one second above",
    "# TODO the same series, with values just under the threshold": "# the threshold itself",
    "# TODO the texts of the rule, with the values filled in": "# as the rule says it",
    'summary: "TODO"': "summary: A parcel of depot has been waiting for 1h 0m 1s",
    'description: "TODO"': "description: For 5 minutes the oldest parcel has been older than an hour.",
    "TODO_metric": "parcels_oldest_seconds",
    "101x40": "3601x40",
    "100x40": "3600x40",
}


def obs(own: Path, *arguments: str, expect: int = 0) -> str:
    """What `./obs` prints, with its exit code as expected; there is no Docker."""
    environment = {**os.environ, project.VARIABLE: str(own), "OBS_DATA_DIR": str(own.parent / "data")}
    environment["DOCKER_HOST"] = "unix:///nonexistent"
    done = subprocess.run(
        [str(project.BUILT_IN / "obs"), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def fill_in(path: Path, replacements: dict[str, str]) -> None:
    """Replace each text in a file, and then every line that still says TODO."""
    text = path.read_text(encoding="utf-8")
    for old, new in replacements.items():
        assert old in text, f"{old} in {path}"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def test_a_sixth_system_an_alert_and_a_panel_need_no_change_of_the_repository(tmp_path: Path) -> None:
    own = tmp_path / "monitoring"
    environment = {**os.environ, "OBS_DATA_DIR": str(tmp_path / "data")}
    environment.pop(project.VARIABLE, None)
    subprocess.run([str(project.BUILT_IN / "obs"), "init", str(own)], env=environment, check=True, capture_output=True)

    (own / "systems" / "depot.yaml").write_text(SYSTEM, encoding="utf-8")
    stack = own / "Pulumi.dev.yaml"
    place = '    depot:\n      instances: {static: ["depot.example.com:9000"]}\n'
    stack.write_text(stack.read_text(encoding="utf-8") + place, encoding="utf-8")

    written = obs(own, "new", "alert", "ParcelTooOld", "--system", "depot", "--component", "business")
    assert "rules/parcel-too-old.yaml written; fill in:" in written
    assert "then name it in a panel" in written
    obs(own, "new", "panel", "Oldest Parcel", "--system", "depot")

    left = obs(own, "check", expect=1)
    assert re.search(r"^rules/parcel-too-old\.yaml:9: TODO is left", left, re.MULTILINE)
    assert "ParcelTooOld: no panel shows it" in left or "TODO is left: @page.panel" in left

    fill_in(own / "rules" / "parcel-too-old.yaml", RULE)
    fill_in(own / "tests" / "rules" / "parcel-too-old.test.yaml", TEST)
    page = own / "runbooks" / "ParcelTooOld.md"
    assert re.search(r"^runbooks/ParcelTooOld\.md:5: TODO is left: First: TODO", left, re.MULTILINE)
    fill_in(page, {"TODO_metric": "parcels_oldest_seconds", "TODO ": "Here stands: "})
    fill_in(
        own / "dashboards" / "depot_own.py",
        {
            'row="TODO the row\'s title", alerts=()': 'row="Parcels", alerts=("ParcelTooOld",)',
            "TODO_metric": "parcels_oldest_seconds",
            "TODO what this dashboard shows, in a sentence.": "The parcels of the depot.",
            "TODO what it shows, in a sentence.": "Age of the oldest parcel.",
            "TODO what it shows.": "Its age.",
            '"short"': '"s"',
        },
    )
    assert "no problems" in obs(own, "check")

    obs(own, "synth", "dev", "--out", str(tmp_path / "out"))
    rules = load_yaml((tmp_path / "out" / "prometheus" / "rules" / "parcel-too-old.yaml").read_text())
    (rule,) = rules["groups"][0]["rules"]
    assert "/d/depot-own?viewPanel=" in rule["annotations"]["dashboard_url"]
    assert rule["annotations"]["runbook_url"].endswith("runbooks/ParcelTooOld.md")
    assert rule["annotations"]["first"].startswith("Here stands: the one step")
    dashboard = json.loads((tmp_path / "out" / "grafana" / "dashboards" / "depot" / "depot-own.json").read_text())
    assert [panel["title"] for panel in dashboard["panels"] if panel["type"] != "row"] == ["Oldest Parcel"]
    jobs = load_yaml((tmp_path / "out" / "prometheus" / "prometheus.yaml").read_text())["scrape_configs"]
    assert any("depot.example.com:9000" in str(job) for job in jobs)
    assert obs(own, "runbook", "parceltooold").startswith("# ParcelTooOld")
