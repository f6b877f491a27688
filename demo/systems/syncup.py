"""SyncUp: meetings, and a chat about them with OpenAI and Slack."""

from collections import deque
from typing import Final

from demo.alerts import ERROR_RATE, FAILURES
from demo.conditions import Conditions
from demo.faults import fault
from demo.systems import node
from demo.systems.profile import (
    UNMATCHED,
    Operation,
    Pace,
    Profile,
    Route,
    counter,
    gauge,
    histogram,
)
from demo.systems.simulation import Simulation

POOL: Final = 20
MODELS: Final = ("gpt-4o", "gpt-4o-mini")
ERRORS: Final = {"internal": "high", "validation": "low", "transcription": "medium", "export": "medium"}
"""Severity by type."""

MEETINGS: Final = 1.0
CHATS: Final = 0.9
SLACK_EVENTS: Final = 1.2
"""Per second, at the busiest hour."""

EMBEDDING: Final = "text-embedding-3-small"
EMBEDDED_TOKENS: Final = 40
"""Average of a text."""

TOKENS: Final = (380, 70)
"""Average of a call's prompt and of its completion."""

_HTTP: Final = (0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
_DATABASE: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
"""Upper bounds of its histograms, seconds: not those of the other systems."""

_ROUTE_LABELS: Final = ("method", "route", "status")
_SEARCH: Final = "/api/meetings/search"

PROFILE: Final = Profile(
    name="syncup",
    port=3003,
    path="/api/metrics",
    job="syncup-api",
    series=(
        counter("http_requests_total", "Requests answered.", *_ROUTE_LABELS),
        histogram("http_request_duration_seconds", "Time to answer a request.", _HTTP, *_ROUTE_LABELS),
        counter("db_queries_total", "Database queries by outcome.", "operation", "table", "status"),
        histogram("db_query_duration_seconds", "Time a database query took.", _DATABASE, "operation", "table"),
        gauge("db_connection_pool_size", "Connections of the pool."),
        gauge("db_connection_pool_available", "Connections of the pool that are free."),
        counter("meetings_processed_total", "Meetings processed by outcome.", "status"),
        counter("chat_queries_total", "Questions asked in the chat by outcome.", "model", "status"),
        histogram("chat_query_duration_seconds", "Time to answer a question of the chat.", _HTTP, "model"),
        gauge("active_users", "Users who are active."),
        counter("slack_integration_events_total", "Slack events by outcome.", "event_type", "status"),
        counter("errors_total", "Errors by type and severity.", "type", "severity"),
        gauge("error_rate", "Errors of the last minute."),
        counter("openai_api_calls_total", "Calls of OpenAI by outcome.", "operation", "model", "status"),
        histogram("openai_api_duration_seconds", "Time a call of OpenAI took.", _HTTP, "operation", "model"),
        counter("openai_api_tokens_total", "OpenAI tokens used.", "type"),
        *node.SERIES,
    ),
    pace=Pace(requests=12, users=140),
    routes=(
        Route(method="GET", template="/api/meetings", weight=24, median=0.05),
        Route(method="GET", template="/api/meetings/[id]", weight=26, median=0.03),
        Route(method="POST", template="/api/meetings", weight=6, median=0.09, status=201, refused=0.02),
        Route(method="GET", template=_SEARCH, weight=12, median=0.1),
        # The model's response comes later, as a stream.
        Route(method="POST", template="/api/chat", weight=9, median=0.06, status=202),
        Route(method="POST", template="/api/slack/events", weight=12, median=0.02),
        Route(method="GET", template="/api/users/me", weight=10, median=0.012),
        Route(method="GET", template=UNMATCHED, weight=1, median=0.004, status=404),
    ),
    slow_route=_SEARCH,
    operations=(
        Operation(name="select", on="meetings", median=0.006, per_request=1.1),
        Operation(name="select", on="users", median=0.003, per_request=0.5),
        Operation(name="insert", on="messages", median=0.008, per_request=0.15),
        Operation(name="update", on="meetings", median=0.009, per_request=0.1),
        Operation(name="analyze", on="meetings", median=0.1, per_second=0.4, report=True),
    ),
    error_types=tuple(ERRORS),
    faults=(
        fault("high-error-rate", "2.5 % of the requests are answered with 500", errors=0.025, also=(FAILURES,)),
        fault("critical-error-rate", "15 % of the requests are answered with 500", errors=0.15, also=(FAILURES,)),
        fault(
            "route-failing",
            "every search is answered with 500, which is an eighth of all requests",
            broken_route=_SEARCH,
            also=(*ERROR_RATE, FAILURES),
        ),
        fault("high-client-error-rate", "two fifths of the requests are refused with 400", client_errors=0.4),
        fault("high-failure-rate", "transcriptions fail, one every four seconds", background_errors=0.25),
        fault(
            "high-response-time",
            "a quarter of the searches take 2.5 seconds",
            slow_share=0.25,
            slow_seconds=(2.1, 2.9),
        ),
        fault(
            "critical-response-time", "half of the searches take four seconds", slow_share=0.5, slow_seconds=(3, 4.6)
        ),
        fault("slow-database-queries", "the queries for reports take two seconds", slow_queries=(1.4, 2.4)),
        fault("database-pool-usage", "17 of the pool's 20 connections are in use", pool=0.85),
        fault("database-pool-exhausted", "every connection of the pool is in use", pool=1),
        fault("database-errors", "3 % of the queries fail and are made again", query_errors=0.03),
        fault(
            "queries-per-request",
            "a list reads each of its rows by a query: twelve times the queries",
            queries=12,
        ),
        fault("event-loop-blocked", "code in the event loop delays every callback by 0.8 seconds", event_loop_lag=0.8),
        fault("heap-near-limit", "what is never freed fills 96 % of the heap", heap=0.96),
        fault(
            "api-rate-limit-near",
            "a job embeds all old meetings, eight calls of OpenAI a second",
            api_calls=8,
        ),
        fault("external-api-slow", "half of the calls of OpenAI take eight seconds", api_seconds=(6.5, 9.5)),
        fault("external-api-errors", "15 % of the calls of OpenAI fail", api_errors=0.15),
        fault("integration-issues", "15 % of the Slack events fail", integration_errors=0.15),
        fault("new-error-type", "an error of a type never seen before occurs"),
        fault("unusual-traffic", "a crawler reads five times as much as all users", crawler=5),
        fault("performance-degradation", "every request takes four times as long", slowness=4),
        fault("low-user-activity", "an eighth of the usual users is active", users=0.125),
        fault("meetings-failing", "a quarter of the meetings cannot be processed", meeting_errors=0.25),
        fault(
            "token-budget",
            "a runaway agent uses up a day's tokens in three minutes; what it used counts for a day",
            tokens=400_000,
        ),
    ),
)


class Syncup(Simulation):
    """Simulation of SyncUp."""

    profile = PROFILE

    def start_route(self, route: Route) -> None:
        """Start the route's 5xx counter."""
        self.out.start("http_requests_total", **_labels(route, 500))

    def start(self) -> None:
        """Start every outcome and type."""
        self._errors: deque[float] = deque()
        self._now = 0.0
        for status in ("success", "error"):
            self.out.start("meetings_processed_total", status=status)
            self.out.start("slack_integration_events_total", event_type="message", status=status)
            for operation in PROFILE.operations:
                self.out.start("db_queries_total", operation=operation.name, table=operation.on, status=status)
            for model in MODELS:
                self.out.start("chat_queries_total", model=model, status=status)
                self.out.start("openai_api_calls_total", operation="chat", model=model, status=status)
            self.out.start("openai_api_calls_total", operation="embedding", model=EMBEDDING, status=status)
        for error, severity in ERRORS.items():
            self.out.start("errors_total", type=error, severity=severity)
        self.out.set("db_connection_pool_size", POOL)

    def answered(self, route: Route, status: int, seconds: float) -> None:
        """Count it; a 500 is an error of the application."""
        self.out.inc("http_requests_total", **_labels(route, status))
        self.out.observe("http_request_duration_seconds", seconds, **_labels(route, status))
        if status >= 500:
            self._failed("internal", "high")

    def queried(self, operation: Operation, seconds: float, *, failed: bool) -> None:
        """Count it, by outcome."""
        status = "error" if failed else "success"
        self.out.inc("db_queries_total", operation=operation.name, table=operation.on, status=status)
        self.out.observe("db_query_duration_seconds", seconds, operation=operation.name, table=operation.on)

    def fail_anew(self, name: str) -> None:
        """An error of a type that was never seen before."""
        self._failed(name, "medium")

    def live(self, now: float, busy: float, requests: int, how: Conditions) -> None:  # noqa: ARG002 - not all is used
        """Update meetings, the chat, Slack, and the process."""
        self._now = now
        self.run_node(now, busy, how)
        for _ in range(self.events(MEETINGS * busy)):
            self.out.inc("meetings_processed_total", status=self._outcome("meetings", how.meeting_errors))
        for _ in range(self.events(CHATS * busy)):
            self._chat(how)
        for _ in range(self.events(how.api_calls)):
            self._embed(how)
        for _ in range(self.events(SLACK_EVENTS * busy)):
            status = self._outcome("slack", how.integration_errors)
            kind = self.random.choice(("message", "message", "reaction", "command"))
            self.out.inc("slack_integration_events_total", event_type=kind, status=status)
        if how.tokens:
            self._use_tokens(round(how.tokens * self.seconds), 0)
        for _ in range(self.events(how.background_errors)):
            error = self.random.choice(("transcription", "validation", "export"))
            self._failed(error, ERRORS[error])
        while self._errors and self._errors[0] < now - 60:
            self._errors.popleft()
        self.out.set("error_rate", len(self._errors))
        self.out.set("active_users", round(self.level("users", PROFILE.pace.users * busy * how.users, 0.02)))
        pool = how.pool if how.pool is not None else self.level("pool", 0.15 + 0.3 * busy, 0.08)
        self.out.set("db_connection_pool_available", max(0, POOL - round(pool * POOL)))

    def _chat(self, how: Conditions) -> None:
        """One chat question: one call of the model."""
        (model,) = self.random.choices(MODELS, (1, 3))
        seconds = self.time(1.1)
        if how.api_seconds and self.pick("slow call", 0.5):
            seconds = self.random.uniform(*how.api_seconds)
        status = self._outcome("api", how.api_errors)
        self.out.inc("openai_api_calls_total", operation="chat", model=model, status=status)
        self.out.observe("openai_api_duration_seconds", seconds, operation="chat", model=model)
        self.out.inc("chat_queries_total", model=model, status=status)
        self.out.observe("chat_query_duration_seconds", seconds + self.time(0.08), model=model)
        if status == "success":
            prompt, answer = TOKENS
            self._use_tokens(round(self.time(prompt)), round(self.time(answer)))

    def _embed(self, how: Conditions) -> None:
        """One call that computes the embedding of a text."""
        status = self._outcome("api", how.api_errors)
        self.out.inc("openai_api_calls_total", operation="embedding", model=EMBEDDING, status=status)
        self.out.observe("openai_api_duration_seconds", self.time(0.2), operation="embedding", model=EMBEDDING)
        if status == "success":
            self._use_tokens(round(self.time(EMBEDDED_TOKENS)), 0)

    def _use_tokens(self, prompt: int, answer: int) -> None:
        for kind, count in (("prompt", prompt), ("completion", answer), ("total", prompt + answer)):
            self.out.inc("openai_api_tokens_total", count, type=kind)

    def _outcome(self, name: str, failing: float) -> str:
        return "error" if self.pick(name, failing) else "success"

    def _failed(self, error: str, severity: str) -> None:
        self.out.inc("errors_total", type=error, severity=severity)
        self._errors.append(self._now)


def _labels(route: Route, status: int) -> dict[str, str]:
    return {"method": route.method, "route": route.template, "status": str(status)}
