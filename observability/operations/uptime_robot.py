"""Keep UptimeRobot's monitors as declared: a line for each change, none where there are no differences.

Only monitors whose name begins with the stack's prefix are changed or removed.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import httpx

from observability.alerting.uptime_robot import Monitor, active, monitors, prefix, unwatched
from observability.core import http
from observability.operations.home import Home
from observability.operations.parts import Answer
from observability.settings.load import StackConfig
from observability.settings.uptime_robot import SECRET

ADDRESS: Final = "https://api.uptimerobot.com/v2"

PAGE: Final = 50
"""Monitors in one response, the most that the API allows."""

ANSWER_SECONDS: Final = 20.0

PATIENCE: Final = 180.0
"""Seconds to wait in all for the end of a rate limit; the free plan has 10 requests a minute."""

DOWN: Final = (8, 9)
"""States of a monitor: seems down, down."""

AGAIN: Final = "try again: ./obs uptimerobot STACK"

Node = dict[str, Any]


class UptimeRobotError(Exception):
    """The service did not respond, or refused; `fix` says what to do. Neither contains the key."""

    def __init__(self, what: str, fix: str) -> None:
        self.what = what
        self.fix = fix
        super().__init__(what)


class Client:
    """The API, version 2: each method is a POST of a form, which contains the key."""

    def __init__(
        self,
        key: str,
        address: str | None = None,
        *,
        patience: float = PATIENCE,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._key = key
        self._http = http.client(base_url=address or ADDRESS, timeout=ANSWER_SECONDS)
        self._wait = wait
        self._left = patience

    def ask(self, method: str, **fields: str) -> Node:
        """The response to a method; UptimeRobotError where it is refused."""
        form = {"api_key": self._key, "format": "json", **fields}
        while True:
            try:
                answer = self._http.post(f"/{method}", data=form)
            except httpx.HTTPError as error:
                raise UptimeRobotError(f"UptimeRobot does not respond: {type(error).__name__}", AGAIN) from error
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return self._read(method, answer)
            pause = _pause(answer.headers.get("Retry-After"))
            if pause > self._left:
                raise UptimeRobotError(f"UptimeRobot's rate limit is reached, for {pause:.0f} s more", AGAIN)
            self._left -= pause
            self._wait(pause)

    def monitors(self) -> list[Node]:
        """Every monitor of the account."""
        found: list[Node] = []
        while True:
            page = self.ask(
                "getMonitors",
                offset=str(len(found)),
                limit=str(PAGE),
                alert_contacts="1",
                custom_http_headers="1",
                ssl="1",
                http_request_details="true",
            )
            found += page["monitors"]
            if len(found) >= int(page["pagination"]["total"]) or not page["monitors"]:
                return found

    def _read(self, method: str, answer: httpx.Response) -> Node:
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise UptimeRobotError(f"UptimeRobot answers {method} with {answer.status_code}", "try again later")
        if body.get("stat") == "ok":
            return body
        error = body.get("error") or {}
        said = str(error.get("message") or error.get("type") or answer.status_code).replace(self._key, "…")
        if error.get("parameter_name") == "api_key" or error.get("type") == "not_authorized":
            raise UptimeRobotError(
                f"UptimeRobot refuses the key: {said}",
                f"store the main API key of the account, which may change monitors: ./obs secret set {SECRET}",
            )
        raise UptimeRobotError(f"UptimeRobot refuses {method}: {said}", "see docs/endpoints.md#uptimerobot")


def _pause(header: str | None) -> float:
    """Seconds of a Retry-After header; a minute where it says none, after which the limit counts anew."""
    return max(float(header), 1.0) if header and header.isdecimal() else 60.0


def apply(home: Home, config: StackConfig, client: Client, *, remove: bool = False) -> Iterator[str]:
    """Synchronize the monitors of a stack, or remove them; yields what was done, and stores which are there."""
    own = prefix(config)
    names = left(home, config.stack)
    try:
        for change in sync(client, own, () if remove else monitors(config)):
            done, _, name = change.partition(" ")
            names = [one for one in names if one != name] + ([name] if done == "created" else [])
            yield change
    finally:
        _remember(home, config.stack, names)


def left(home: Home, stack: str) -> list[str]:
    """Names of the monitors that were created from this data folder and not removed since."""
    path = home.folder / "uptimerobot" / f"{stack}.json"
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def _remember(home: Home, stack: str, names: Sequence[str]) -> None:
    path = home.folder / "uptimerobot" / f"{stack}.json"
    if not names:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(exist_ok=True, mode=0o700)
    path.write_text(json.dumps(sorted(names)), encoding="utf-8")


def rows(config: StackConfig, secrets: Mapping[str, str]) -> Iterator[Answer]:
    """Whether the monitors are as declared and up; a row of `verify` for each endpoint that has none."""
    if not active(config) or SECRET not in secrets:
        return
    own, wanted = prefix(config), {one.name: one for one in monitors(config)}
    try:
        there = {str(one["friendly_name"]): one for one in Client(secrets[SECRET], patience=0).monitors()}
    except UptimeRobotError as error:
        yield "UptimeRobot", "failed", f"{error.what}: {error.fix}"
        return
    strange = [name for name in there if name.startswith(own) and name not in wanted]
    wrong = [f"{name} is missing" for name in wanted.keys() - there.keys()]
    wrong += [f"{name} is not declared" for name in strange]
    for name in wanted.keys() & there.keys():
        changed = differences(wanted[name], there[name])
        wrong += [f"{name} differs in {', '.join(changed)}"] if changed else []
    down = [name for name in wanted if there.get(name, {}).get("status") in DOWN]
    if wrong:
        yield "UptimeRobot", "failed", f"{'; '.join(sorted(wrong))}: ./obs uptimerobot {config.stack}"
    elif down:
        yield "UptimeRobot", "warning", f"{len(wanted)} monitors as declared; down: {', '.join(down)}"
    else:
        yield "UptimeRobot", "passed", f"{len(wanted)} monitors as declared, none down"
    for name, why in unwatched(config):
        yield f"UptimeRobot {name}", "left out", why


def sync(client: Client, prefix: str, wanted: Sequence[Monitor]) -> Iterator[str]:
    """Create, change and remove the monitors of this prefix; yields what was done. An error leaves the rest undone."""
    there: dict[str, Node] = {}
    declared = {one.name: one for one in wanted}
    for found in client.monitors():
        name = str(found.get("friendly_name", ""))
        if not name.startswith(prefix):
            continue
        one = declared.get(name)
        # The type of a monitor cannot be changed; of two with one name, one is left of a request that was repeated.
        if one is None or name in there or int(found["type"]) != one.type:
            client.ask("deleteMonitor", id=str(found["id"]))
            yield f"removed {name}"
        else:
            there[name] = found
    for name, one in declared.items():
        if name not in there:
            client.ask("newMonitor", friendly_name=name, type=str(one.type), **one.fields)
            yield f"created {name}"
        elif changed := differences(one, there[name]):
            client.ask("editMonitor", id=str(there[name]["id"]), friendly_name=name, **one.fields)
            yield f"changed {name}: {', '.join(changed)}"


def differences(wanted: Monitor, found: Mapping[str, Any]) -> list[str]:
    """The fields that differ; one that the service does not show is not compared."""
    return [
        name for name, value in wanted.fields.items() if (said := _said(name, found)) is not None and said != value
    ]


def _said(name: str, found: Mapping[str, Any]) -> str | None:
    """A field of a monitor as the service shows it, in the form in which it is sent; None: not shown."""
    if name == "alert_contacts":
        contacts = found.get(name)
        if contacts is None:
            return None
        return "-".join(f"{one['id']}_{one['threshold']}_{one['recurrence']}" for one in contacts)
    if name == "custom_http_headers":
        headers = found.get(name)
        return None if headers is None else json.dumps(dict(sorted(dict(headers).items())))
    if name == "ignore_ssl_errors":
        shown = (found.get("ssl") or {}).get("ignore_errors")
        return None if shown is None else str(int(shown))
    value = found.get(name)
    return None if value is None else str(value)
