"""GoAlert's API: sign-in, GraphQL queries and mutations, and the administrator on a new server."""

import contextlib
import re
from typing import Any, Final

import docker
import httpx

from observability.core import http, naming

ADMIN: Final = "admin"

ADMIN_MAIL: Final = "admin@goalert.invalid"
"""GoAlert requires one; nothing is sent to it."""

ADMIN_SECRET: Final = "goalertAdminPassword"  # noqa: S105 - its name

ANSWER_SECONDS: Final = 10.0

START: Final = ("/bin/sh", "/etc/goalert/current/start-goalert.sh", "/etc/goalert/current")
"""Runs a GoAlert command in its container; see components/goalert/."""

Node = dict[str, Any]


class GoAlertError(Exception):
    """GoAlert did not respond, or refused; the message has the details."""


class Client:
    """GoAlert as the administrator, or as another user."""

    def __init__(self, address: str, public: str, user: str, password: str) -> None:
        # It accepts a sign-in only with a referrer of its own pages.
        self._http = http.client(base_url=address, headers={"Referer": f"{public}/"}, timeout=ANSWER_SECONDS)
        answer = self._send("/api/v2/identity/providers/basic", data={"username": user, "password": password})
        self.signed_in = "login_error" not in answer.headers.get("location", "login_error")

    def ask(self, query: str, **variables: Any) -> Node:  # noqa: ANN401 - the query's variables
        """The data of a response; GoAlertError with GoAlert's message where it rejects the request."""
        answer = self._send("/api/graphql", json={"query": query, "variables": variables})
        if answer.status_code != httpx.codes.OK:
            raise GoAlertError(f"answers {answer.status_code}: {answer.text.strip()[:200]}")
        body: Node = answer.json()
        if body.get("errors"):
            raise GoAlertError("; ".join(str(error["message"]) for error in body["errors"]))
        data: Node = body["data"]
        return data

    def all(self, kind: str, fields: str) -> list[Node]:
        """Every object of a kind."""
        query = (
            f"query ($after: String) {{ {kind}(input: {{first: 100, after: $after}}) "
            f"{{ nodes {{ id name {fields} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        )
        found: list[Node] = []
        after: str = ""
        while True:
            page = self.ask(query, after=after)[kind]
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    def change(self, mutation: str, kind: str, value: object, answer: str = "") -> Any:  # noqa: ANN401 - as requested
        """Run a mutation with an input of this type."""
        query = f"mutation ($input: {kind}) {{ done: {mutation}(input: $input) {answer} }}"
        return self.ask(query, input=value)["done"]

    def _send(self, path: str, **body: Any) -> httpx.Response:  # noqa: ANN401 - form or JSON
        try:
            return self._http.post(path, **body)
        except httpx.HTTPError as error:
            raise GoAlertError(str(error) or type(error).__name__) from error


def administrator(address: str, public: str, password: str, engine: docker.DockerClient, stack: str) -> Client:
    """GoAlert as its administrator, who is created if there is none."""
    client = Client(address, public, ADMIN, password)
    if not client.signed_in:
        _add_administrator(engine, stack, password)
        client = Client(address, public, ADMIN, password)
    if not client.signed_in:
        raise GoAlertError("does not let its administrator in")
    return client


def _add_administrator(engine: docker.DockerClient, stack: str, password: str) -> None:
    """By GoAlert's own command, which prompts for the password: so it is on no command line."""
    container = naming.container(stack, "goalert")
    command = [*START, "add-user", "--admin", "--user", ADMIN, "--email", ADMIN_MAIL]
    try:
        made = engine.api.exec_create(container, command, stdin=True, tty=True)
        stream = engine.api.exec_start(made["Id"], tty=True, socket=True)
    except docker.errors.APIError as error:
        raise GoAlertError(f"its container cannot be asked to make its administrator: {error.explanation}") from error
    line: Any = getattr(stream, "_sock", stream)  # the connection to the Docker Engine: a socket, or SSH's
    line.settimeout(ANSWER_SECONDS)
    said = b""
    with contextlib.suppress(TimeoutError):
        while b"assword:" not in said and (part := line.recv(4096)):
            said += part
        if b"assword:" in said:
            line.sendall(f"{password}\n".encode())
        while part := line.recv(4096):
            said += part
    stream.close()
    if b"duplicate key" in said:
        raise GoAlertError(f"has an administrator with another password than the secret {ADMIN_SECRET}")
    if engine.api.exec_inspect(made["Id"])["ExitCode"]:
        words = said.decode(errors="replace")
        why = re.search(r'error\S*="(.*)"', words)
        raise GoAlertError(f"made no administrator: {why[1] if why else words.strip()[-200:]}")
