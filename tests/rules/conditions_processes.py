"""The required alerts on processes and on external services; see `tests.rules.conditions`."""

from typing import Final

from tests.rules import measures
from tests.rules.condition import Condition, Row

PROCESSES: Final = (
    Condition(
        name="memory_usage",
        component="application",
        measure=measures.memory,
        labels={"instance": "{system}-1:3000"},
        floor=False,
        begin=0,
        rows=(
            Row(
                alert="HighMemoryUsage",
                severity="warning",
                wait=300,
                limits={"depot": 0.8},
                summary="depot: a process uses 81.6% of its memory",
                description=(
                    "The process depot-1:3000 of depot uses 81.6% of the memory it may use; 80% is accepted. "
                    "At 100% the kernel kills it."
                ),
            ),
            Row(
                alert="CriticalMemoryUsage",
                severity="critical",
                wait=120,
                limits={"depot": 0.95},
                summary="depot: a process uses 96.9% of its memory",
                description=(
                    "The process depot-1:3000 of depot uses 96.9% of the memory it may use; above 95% it is "
                    "critical. At 100% the kernel kills it."
                ),
            ),
        ),
    ),
    Condition(
        name="goroutines",
        component="application",
        measure=measures.goroutines,
        labels={"instance": "{system}-1:3000"},
        floor=False,
        begin=0,
        rows=(
            Row(
                alert="HighGoroutineCount",
                severity="warning",
                wait=300,
                limits={"depot": 10_000},
                summary="depot: 10200 goroutines",
                description=(
                    "The process depot-1:3000 of depot has 10200 goroutines; 10000 are accepted. A number that only "
                    "grows is a leak."
                ),
            ),
        ),
    ),
    Condition(
        name="event_loop_lag",
        component="application",
        measure=measures.event_loop_lag,
        labels={"instance": "{system}-1:3000"},
        floor=False,
        begin=0,
        rows=(
            Row(
                alert="EventLoopBlocked",
                severity="warning",
                wait=300,
                limits={"academy": 0.5, "studio": 0.5, "print-shop": 0.5},
                summary="academy: the event loop of a process is 510ms late",
                description=(
                    "The event loop of academy-1:3000 of academy is 510ms late; 500ms is accepted. While code runs in "
                    "the loop, the process answers no request."
                ),
            ),
        ),
    ),
    Condition(
        name="heap_usage",
        component="application",
        measure=measures.heap,
        labels={"instance": "{system}-1:3000"},
        floor=False,
        begin=0,
        rows=(
            Row(
                alert="HeapNearLimit",
                severity="warning",
                wait=600,
                limits={"academy": 0.9, "studio": 0.9, "print-shop": 0.9},
                summary="academy: the heap of a process is 91.8% full",
                description=(
                    "The heap of academy-1:3000 of academy uses 91.8% of its limit of 512MiB; 90% is accepted. At the "
                    "limit the runtime ends the process."
                ),
            ),
        ),
    ),
    Condition(
        name="external_api_rate_limit",
        component="application",
        measure=measures.api_rate,
        labels={"api": "openai"},
        floor=False,
        # A rate is that over the whole window.
        begin=300,
        rows=(
            Row(
                alert="ApiRateLimitNear",
                severity="warning",
                wait=300,
                limits={"studio": 0.8},
                summary="studio uses 81.6% of the rate limit of openai",
                description=(
                    "studio called openai 408 times a minute over the last 5 minutes, which is 81.6% of its rate "
                    "limit of 500; 80% is accepted. Calls beyond the limit are refused."
                ),
            ),
        ),
    ),
    Condition(
        name="external_api_time",
        component="application",
        measure=measures.api_time,
        labels={"api": "openai"},
        percentile=True,
        rows=(
            Row(
                alert="ExternalApiSlow",
                severity="warning",
                wait=300,
                limits={"studio": 5},
                summary="studio: 5.102% of calls to openai are slow",
                description=(
                    "5.102% of the calls to openai of studio took longer than 5s in the last 5 minutes; 5% is "
                    "accepted. The 95% point is about 5.1s."
                ),
            ),
        ),
    ),
    Condition(
        name="external_api_errors",
        component="application",
        measure=measures.api_failures,
        labels={"api": "openai"},
        rows=(
            Row(
                alert="ExternalApiErrors",
                severity="warning",
                wait=300,
                limits={"studio": 0.05},
                summary="studio: 5.1% of calls to openai fail",
                description=(
                    "5.1% of the calls that studio made to openai in the last 5 minutes failed; 5% is accepted."
                ),
            ),
        ),
    ),
    Condition(
        name="integration_errors",
        component="application",
        measure=measures.slack_failures,
        labels={"integration": "slack"},
        rows=(
            Row(
                alert="IntegrationIssues",
                severity="info",
                wait=600,
                limits={"studio": 0.05},
                summary="studio: 5.1% of slack events fail",
                description=(
                    "5.1% of the events that studio exchanged with slack in the last 5 minutes failed; 5% is accepted."
                ),
            ),
        ),
    ),
)
