"""What the code of a page in a browser reports to Sentry, leaves out and scrubs; against a double of its protocol."""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.examples.builds import MissingError, page
from tests.examples.doubles import Web
from tests.examples.pages import CHROMIUM, browser, served
from tests.waits import until

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

SECRETS: Final = ("s3cret-query", "s3cret-fragment", "s3cret-body", "s3cret-nested", "s3cret-context", "s3cret-cookie")
TYPED: Final = "typed-by-a-person"

DRIVER: Final = f"""
import {{ ask, flush, report }} from './reports.js';
const ready = () => document.body.dataset.ready === 'yes';
while (!ready()) await new Promise((done) => setTimeout(done, 20));
document.cookie = 'sid=s3cret-cookie';
const send = (id) => document.getElementById(id).click();
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const form = document.getElementById('order');
form.sku.value = '{TYPED}';
// Left out: what a person typed, an answer of 404, a request without an answer, a line without an exception.
form.quantity.value = '0';
form.requestSubmit();
send('find');
await fetch('http://127.0.0.1:9/nowhere').catch(report);
console.error('a line without an exception');
await wait(200);
form.quantity.value = '1';
form.password.value = 's3cret-body';
form.requestSubmit();
await wait(500);
await ask('POST', '/orders?token=s3cret-query&page=2', {{ sku: 'cup', card: {{ access_token: 's3cret-nested' }} }});
console.error('the drawing failed', new Error('logged'), {{ token: 's3cret-context' }});
report(new Error('by hand'), {{ order: 7, token: 's3cret-context' }});
setTimeout(() => {{ throw new Error('nobody caught it'); }});
await wait(300);
await flush();
await fetch('/done');
"""
"""What a person does on the page, and what its code does besides."""

REPORTED: Final = {"POST /orders was answered with 500", "logged", "by hand", "nobody caught it"}


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What the page sent."""

    double: Web

    @property
    def events(self) -> list[dict[str, Any]]:
        """The errors."""
        return self.double.envelopes("event")

    def event(self, message: str) -> dict[str, Any]:
        """The last error with this message."""
        found = [event for event in self.events if event["exception"]["values"][-1]["value"] == message]
        return found[-1]

    @property
    def sent(self) -> str:
        """All of what Sentry got."""
        bodies = [one.body for one in self.double.requests if one.path.endswith("/envelope/")]
        return b"\n".join(bodies).decode(errors="replace") + self.double.recordings()

    @property
    def rates(self) -> set[float]:
        """Rates by which its traces were sampled."""
        heads = [
            json.loads(one.body.partition(b"\n")[0]) for one in self.double.requests if one.path.endswith("/envelope/")
        ]
        return {float(one["trace"]["sample_rate"]) for one in heads if "sample_rate" in one.get("trace", {})}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with its packages; skipped where this machine lacks what it needs."""
    try:
        return page(tmp_path_factory.mktemp("page"))
    except MissingError as error:
        pytest.skip(f"the example of a page: {error}")


@pytest.fixture(scope="module")
def visit(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Visit]:
    """A visit to the page in an environment; without one, the page has no DSN."""
    kept: dict[str, Visit] = {}

    def once(environment: str) -> Visit:
        if environment not in kept:
            settings: Mapping[str, Any] = {
                "dsn": bool(environment),
                "environment": environment,
                "release": "orders@1.4.2",
                "user": "user-7",
            }
            with ExitStack() as stack:
                double = stack.enter_context(served(folder, settings, DRIVER))
                address = f"{double.address}/?view=all&access_token=s3cret-query#token=s3cret-fragment"
                stack.enter_context(browser(address, tmp_path_factory.mktemp("profile")))
                until(lambda: any(one.path == "/done" for one in double.requests))
                if environment == "dev":
                    until(lambda: double.envelopes("replay_event") and double.recordings())
                    until(lambda: double.envelopes("transaction"))
                    until(lambda: double.envelopes("profile_chunk") or double.envelopes("profile"))
                kept[environment] = Visit(double=double)
        return kept[environment]

    return once


def test_errors_of_the_page_are_reported_and_what_is_none_is_left_out(visit: Callable[[str], Visit]) -> None:
    found = [event["exception"]["values"][-1]["value"] for event in visit("dev").events]
    assert set(found) == REPORTED
    assert len(found) == len(REPORTED) + 1, "each once, and two orders failed"


def test_an_event_names_the_release_the_environment_and_the_user(visit: Callable[[str], Visit]) -> None:
    for event in visit("dev").events:
        assert (event["release"], event["environment"], event["user"]) == ("orders@1.4.2", "dev", {"id": "user-7"})


def test_an_answer_of_500_has_the_request_with_its_body_scrubbed(visit: Callable[[str], Visit]) -> None:
    one = visit("dev")
    request = one.event("POST /orders was answered with 500")["contexts"]["request"]
    assert request["method"] == "POST"
    assert request["url"] == f"{one.double.address}/orders"
    assert request["query"] == {"token": "[Filtered]", "page": "2"}
    assert request["body"] == {"sku": "cup", "card": {"access_token": "[Filtered]"}}


def test_an_error_that_is_logged_or_reported_by_hand_has_its_context(visit: Callable[[str], Visit]) -> None:
    assert visit("dev").event("by hand")["contexts"]["context"] == {"order": 7, "token": "[Filtered]"}
    assert "the drawing failed" in json.dumps(visit("dev").event("logged")["extra"])


def test_no_secret_leaves_the_browser(visit: Callable[[str], Visit]) -> None:
    sent = visit("dev").sent
    assert "Filtered" in sent
    assert [secret for secret in SECRETS if secret in sent] == []


def test_a_replay_has_neither_the_page_texts_nor_what_was_typed(visit: Callable[[str], Visit]) -> None:
    recorded = visit("dev").double.recordings()
    assert '"type":2' in recorded, "the page itself"
    assert "***" in recorded
    assert TYPED not in recorded
    assert "Find order" not in recorded


@pytest.mark.parametrize(("environment", "rate"), [("dev", 1.0), ("prod", 0.1)])
def test_traces_are_sampled_by_environment(visit: Callable[[str], Visit], environment: str, rate: float) -> None:
    assert visit(environment).rates == {rate}


def test_a_trace_has_a_profile_in_dev(visit: Callable[[str], Visit]) -> None:
    double = visit("dev").double
    assert double.envelopes("profile_chunk") or double.envelopes("profile")


def test_every_error_has_a_replay_also_in_prod(visit: Callable[[str], Visit]) -> None:
    for environment in ("dev", "prod"):
        assert all(event["tags"].get("replayId") for event in visit(environment).events[1:])


def test_the_trace_continues_in_the_service(visit: Callable[[str], Visit]) -> None:
    asked = [one for one in visit("dev").double.requests if one.path == "/orders"]
    assert asked
    assert all("sentry-trace" in one.headers for one in asked)


def test_without_a_dsn_nothing_is_reported(visit: Callable[[str], Visit]) -> None:
    assert not [one for one in visit("").double.requests if one.path.endswith("/envelope/")]
