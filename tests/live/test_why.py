"""`obs why` on a running stack: a database is named first, whether it is down or the application cannot reach it."""

import json
from typing import Any

import pytest

from tests.live.conftest import DEMO, STACK, Project, until

pytestmark = pytest.mark.usefixtures("stack")

ACTIVE = 'ALERTS{alertname="CriticalErrorRate",system="social-selling"}'


def explained(stack: Project) -> dict[str, Any]:
    """The output of `obs why` for the shop's error rate."""
    done = stack.obs("why", "CriticalErrorRate", "--system", "social-selling", "--json", STACK)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    return dict(found)


def active(stack: Project) -> bool:
    """Whether the alert is pending or firing."""
    return bool(stack.prometheus("query", query=ACTIVE)["result"])


def naming(stack: Project, cause: str) -> dict[str, Any]:
    """The output once the most likely cause says this."""
    found: list[dict[str, Any]] = []

    def named() -> bool:
        found[:] = [explained(stack)]
        return any(cause in one["what"] for one in found[0]["causes"][:1])

    until(named)
    return found[0]


def test_a_database_that_is_down_is_the_first_cause(stack: Project) -> None:
    database = stack.client.containers.get(f"{DEMO.name}-postgres")
    database.stop(timeout=30)
    try:
        until(lambda: active(stack))
        found = naming(stack, "of social-selling is down")
        assert found["causes"][0]["what"].startswith("PostgreSQL ")
        assert any(line["count"] > 1 for line in found["lines"])
        assert {one["up"] for one in found["servers"] if one["kind"] == "PostgreSQL"} == {False}
    finally:
        database.start()


def test_a_database_unreachable_for_the_application_is_named_with_its_lines(stack: Project) -> None:
    assert stack.obs("fault", "social-selling", "database-gone", "--for", "30m", STACK).returncode == 0
    try:
        until(lambda: active(stack))
        (evidence, *_) = naming(stack, "not by the application")["causes"][0]["evidence"]
        assert "refused" in evidence
        until(lambda: "seen in spans: social-selling calls postgresql" in json.dumps(explained(stack)["causes"]))
    finally:
        assert stack.obs("fault", "social-selling", "database-gone", "--off", STACK).returncode == 0


def test_an_alert_that_is_not_active_is_refused_with_those_that_are(stack: Project) -> None:
    done = stack.obs("why", "NoSuchAlert", STACK)
    assert done.returncode == 2
    assert "no alert 'NoSuchAlert' is active in live" in done.stderr
