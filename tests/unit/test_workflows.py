"""The workflows, this repository's and those of `obs init`: what a branch can do before anybody has reviewed it."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest

from observability.core.documents import load_yaml
from observability.settings.load import ROOT

FOLDERS: Final = (ROOT / ".github/workflows", ROOT / "observability/template/project/.github/workflows")
FILES: Final = sorted(path for folder in FOLDERS for path in folder.iterdir())

PINNED: Final = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
"""An action by the commit of a release, and the release."""

BEFORE_REVIEW: Final = {"push", "pull_request", "workflow_dispatch", "schedule"}
"""Events that run a branch's workflow without the rights of the repository where the branch is a fork's."""

SECRET: Final = re.compile(r"\bsecrets\b(?!\.GITHUB_TOKEN)")
OWN: Final = "github.event.pull_request.head.repo.full_name == github.repository"
REVIEWED: Final = re.compile(r"\$\{\{ matrix\.stack \}\}-preview")
"""Environment of a job with secrets; its reviewers are a setting of the repository, docs/pull-requests.md."""


def problems(document: dict[str, Any]) -> Iterator[str]:
    """What a workflow lets a branch do before it is reviewed."""
    events: Any = document["on"]
    named = {events} if isinstance(events, str) else set(events)
    yield from (f"runs on {event}" for event in sorted(named - BEFORE_REVIEW))
    if "permissions" not in document:
        yield "declares no permissions"
    if SECRET.search(json.dumps(document.get("env", {}))):
        yield "gives a secret to every job"
    for name, job in document["jobs"].items():
        rights = job.get("permissions", document.get("permissions"))
        yield from (f"{name}: {one}" for one in _job(job, rights))


def _job(job: dict[str, Any], rights: Any) -> Iterator[str]:  # noqa: ANN401 - any value of YAML
    writes = rights == "write-all" or (isinstance(rights, dict) and "write" in rights.values())
    runs_code = any(
        str(step.get("uses", "")).startswith(("actions/checkout@", "./")) or "obs " in str(step.get("run", ""))
        for step in job.get("steps", [])
    )
    if writes and runs_code:
        yield "runs the branch's code with the right to write"
    if "timeout-minutes" not in job:
        yield "has no time limit"
    if SECRET.search(json.dumps(job)):
        if not REVIEWED.fullmatch(str(job.get("environment", ""))):
            yield "has secrets without an environment that has reviewers"
        if OWN not in str(job.get("if", "")):
            yield "has secrets in a fork's pull request"
        if SECRET.search(json.dumps({key: value for key, value in job.items() if key != "steps"})):
            yield "gives a secret to every step"
    if "uses" in job:
        yield "calls another workflow"
    for step in job.get("steps", []):
        if re.search(r"\$\{\{", str(step.get("run", ""))):
            yield "puts a value of the event into a script"
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            if step.get("with", {}).get("persist-credentials") is not False:
                yield "keeps the token beside the branch's code"
            if "head" in str(step.get("with", {}).get("ref", "")):
                yield "checks out another revision than that of the event"


def load(path: Path) -> dict[str, Any]:
    found = load_yaml(path.read_text(encoding="utf-8"))
    # YAML 1.1 reads the key `on` as true.
    return {"on" if key is True else key: value for key, value in found.items()}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_are_workflows_in_both_places() -> None:
    assert {path.name for path in FOLDERS[0].iterdir()} == {"preview.yaml", "test.yaml"}
    assert {path.name for path in FOLDERS[1].iterdir()} == {"check.yaml", "preview.yaml"}


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_action_is_pinned_to_the_commit_of_a_release(path: Path) -> None:
    used = [line.strip().removeprefix("- ") for line in path.read_text().splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []


def test_an_action_has_one_commit_in_all_workflows() -> None:
    pins: dict[str, set[str]] = {}
    for path in FILES:
        for action, pin in re.findall(r"uses: ([\w./-]+)@(.*)$", path.read_text(), re.MULTILINE):
            pins.setdefault(action, set()).add(pin)
    assert {action: found for action, found in pins.items() if len(found) > 1} == {}


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_branch_has_no_rights_before_it_is_reviewed(path: Path) -> None:
    assert list(problems(load(path))) == []


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_script_can_be_read_by_bash(path: Path) -> None:
    bash = shutil.which("bash")
    assert bash
    for job in load(path)["jobs"].values():
        for step in job["steps"]:
            if "run" in step:
                done = subprocess.run([bash, "-n"], input=step["run"], capture_output=True, text=True, check=False)
                assert done.returncode == 0, done.stderr


def test_a_preview_has_one_job_without_a_secret_and_one_with_a_stacks() -> None:
    for folder in FOLDERS:
        jobs = load(folder / "preview.yaml")["jobs"]
        assert {name for name, job in jobs.items() if SECRET.search(json.dumps(job))} == {"running"}
        scripts = "\n".join(step.get("run", "") for step in jobs["running"]["steps"])
        assert 'secret import "$STACK"' in scripts
        assert 'preview "$STACK"' in scripts
        assert "up" not in scripts.split()
        assert "known_hosts" in scripts
        assert "synth" in "\n".join(step.get("run", "") for step in jobs["declared"]["steps"])


WORKFLOW: Final = FOLDERS[0] / "preview.yaml"


def changed(*path: str, to: Any) -> list[str]:  # noqa: ANN401 - any value of YAML
    """The problems of the workflow with another value at this path; None removes it."""
    document = deepcopy(load(WORKFLOW))
    *way, last = path
    place: Any = document
    for key in way:
        place = place[int(key) if isinstance(place, list) else key]
    if to is None:
        place.pop(last)
    else:
        place[int(last) if isinstance(place, list) else last] = to
    return list(problems(document))


@pytest.mark.parametrize(
    ("path", "to", "problem"),
    [
        (("permissions",), None, "declares no permissions"),
        (("env",), {"KEY": "${{ secrets.KEY }}"}, "gives a secret to every job"),
        (("on",), {"pull_request_target": None}, "runs on pull_request_target"),
        (("on",), "workflow_run", "runs on workflow_run"),
        (("jobs", "running", "environment"), None, "running: has secrets without an environment that has reviewers"),
        (("jobs", "running", "environment"), "prod", "running: has secrets without an environment that has reviewers"),
        (("jobs", "running", "if"), "always()", "running: has secrets in a fork's pull request"),
        (("jobs", "running", "env"), {"A": "${{ secrets.A }}"}, "running: gives a secret to every step"),
        (("jobs", "running", "permissions"), {"contents": "write"}, "running: runs the branch's code with the right"),
        (("jobs", "declared", "permissions"), "write-all", "declared: runs the branch's code with the right to write"),
        (("jobs", "declared", "timeout-minutes"), None, "declared: has no time limit"),
        (("jobs", "declared", "steps", "0", "with"), None, "declared: keeps the token beside the branch's code"),
        (("jobs", "declared", "steps", "2", "env"), {"A": "${{ toJSON(secrets) }}"}, "declared: has secrets without"),
        (
            ("jobs", "comment", "steps", "1", "run"),
            "echo ${{ github.head_ref }}",
            "comment: puts a value of the event",
        ),
        (("jobs", "comment", "steps", "1", "run"), "./obs up prod", "comment: runs the branch's code with the right"),
    ],
)
def test_a_right_that_a_branch_should_not_have_is_found(path: tuple[str, ...], to: object, problem: str) -> None:
    found = changed(*path, to=to)
    assert any(one.startswith(problem) for one in found), found
