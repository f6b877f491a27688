"""What the worked examples report to Sentry, leave out and scrub; against a double of its envelope protocol."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest

from tests.examples.builds import Built, MissingError
from tests.examples.doubles import Database, Web, web
from tests.examples.running import Service, service
from tests.waits import until

SECRETS: Final = ("s3cret-header", "s3cret-cookie", "s3cret-query", "s3cret-body", "s3cret-nested")
HEADERS: Final = {
    "Authorization": "Bearer s3cret-header",
    "Cookie": "sid=s3cret-cookie",
    "X-User-ID": "user-7",
    "User-Agent": "tests",
}
ORDER: Final = {"sku": "cup", "quantity": 1, "password": "s3cret-body", "card": {"access_token": "s3cret-nested"}}

BY_HAND: Final = {
    "python": """
import httpx
from orders import reports
reports.start()
reports.report(ValueError("by hand"), order=7, token="s3cret-body")
reports.report(httpx.ConnectError("no route"))
reports.flush()
""",
    "node": """
const reports = await import('./reports.js');
reports.report(new Error('by hand'), undefined, { order: 7, token: 's3cret-body' });
reports.report(new DOMException('no route', 'NetworkError'));
await reports.flush();
""",
}


@pytest.fixture(params=("python", "node"), scope="module")
def reporting(request: pytest.FixtureRequest, builds: Mapping[str, Built | MissingError]) -> Built:
    """A service that reports; skipped where this machine lacks what it needs."""
    found = builds[request.param]
    if isinstance(found, MissingError):
        pytest.skip(f"the example in {request.param}: {found}")
    return found


@contextmanager
def sentry() -> Iterator[tuple[Web, str]]:
    """A double of Sentry, and its DSN."""
    with web(lambda _: {}) as double:
        yield double, f"http://public@127.0.0.1:{double.port}/1"


@pytest.fixture(scope="module")
def run(
    reporting: Built, server: Database, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[Web, Service]]:
    """The service in an environment, with what it reported after some requests and its end."""
    kept: dict[str, tuple[Web, Service]] = {}

    def once(environment: str) -> tuple[Web, Service]:
        if environment in kept:
            return kept[environment]
        output = tmp_path_factory.mktemp("log") / "log"
        with sentry() as (double, dsn):
            values = {"SENTRY_DSN": dsn, "ENVIRONMENT": environment}
            with service(
                reporting, server, ("127.0.0.1", 9), output, values, f"sentry_{reporting.language}_{environment}"
            ) as one:
                one.ask("POST", "/orders", json={"quantity": 0}, headers=HEADERS)
                one.get("/orders/99999", headers=HEADERS)
                one.get("/nowhere", headers=HEADERS)
                with one.broken():
                    one.ask("POST", "/orders?token=s3cret-query&page=2", json=ORDER, headers=HEADERS)
                one.process.terminate()
                assert one.process.wait() == 0
            kept[environment] = double, one
        return kept[environment]

    return once


def errors(double: Web) -> list[dict[str, Any]]:
    return double.envelopes("event")


def test_an_answer_of_500_is_reported_once_and_others_are_not(run: Callable[[str], tuple[Web, Service]]) -> None:
    double, one = run("dev")
    (event,) = errors(double)
    (error,) = [each for each in event["exception"]["values"] if "does not exist" in each["value"]]
    assert error["stacktrace"]["frames"]
    assert len(one.lines(message="request failed")) == 1


def test_an_event_has_the_users_id_and_the_request(run: Callable[[str], tuple[Web, Service]]) -> None:
    (event,) = errors(run("dev")[0])
    assert event["user"]["id"] == "user-7"
    assert event["environment"] == "dev"
    said = json.dumps([event.get("request"), event["contexts"].get("request")])
    for expected in ("POST", "/orders", "page", '"sku": "cup"'):
        assert expected in said, expected


def test_no_secret_leaves_the_service(run: Callable[[str], tuple[Web, Service]]) -> None:
    double, _ = run("dev")
    (event,) = errors(double)
    assert "[Filtered]" in json.dumps(event)
    sent = b"\n".join(one.body for one in double.requests)
    assert [secret for secret in SECRETS if secret.encode() in sent] == []


@pytest.mark.parametrize(("environment", "rate"), [("dev", 1.0), ("prod", 0.1)])
def test_traces_are_sampled_by_environment(
    run: Callable[[str], tuple[Web, Service]], environment: str, rate: float
) -> None:
    double, _ = run(environment)
    headers = [json.loads(one.body.partition(b"\n")[0]) for one in double.requests if one.path.endswith("/envelope/")]
    rates = {float(one["trace"]["sample_rate"]) for one in headers if "sample_rate" in one.get("trace", {})}
    assert rates == {rate}
    if rate == 1:
        assert double.envelopes("transaction")
        assert double.envelopes("profile") or double.envelopes("profile_chunk")


def test_an_error_is_reported_by_hand_with_context(reporting: Built) -> None:
    with sentry() as (double, dsn):
        flag = {"python": "-c", "node": "--input-type=module"}[reporting.language]
        words = [flag, BY_HAND["python"]] if flag == "-c" else [flag, "-e", BY_HAND["node"]]
        environment = {**os.environ, "SENTRY_DSN": dsn}
        done = subprocess.run(
            [reporting.command[0], *words], cwd=reporting.folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        (event,) = until(lambda: errors(double))
        # A network error is left out.
        assert [one["value"] for one in event["exception"]["values"]] == ["by hand"]
        assert event["contexts"]["context"]["order"] == 7
        assert event["contexts"]["context"]["token"] == "[Filtered]"  # noqa: S105 - what stands for a secret


def test_without_a_dsn_nothing_is_reported(reporting: Built) -> None:
    with sentry() as (double, _):
        words = (
            ["-c", BY_HAND["python"]]
            if reporting.language == "python"
            else ["--input-type=module", "-e", BY_HAND["node"]]
        )
        environment = {name: value for name, value in os.environ.items() if name != "SENTRY_DSN"}
        subprocess.run([reporting.command[0], *words], cwd=reporting.folder, env=environment, check=True)
        assert double.requests == []
