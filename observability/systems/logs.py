"""Thresholds of what the log lines of a system contain."""

from collections.abc import Mapping
from typing import Final

from observability.systems.threshold_spec import ThresholdSpec, spec

LOGS: Final[Mapping[str, ThresholdSpec]] = {
    "log_errors": spec(
        "Lines of a service with the levels error and critical in 5 minutes.",
        "count",
        warning=50,
        reason="A failed request logs one or two lines; ten failures a minute are more than single ones.",
    ),
    "log_error_growth": spec(
        "The same, relative to the average of the last day.",
        "factor",
        warning=3,
        reason="A service that always logs errors varies with its traffic, by a factor of two or three in a day.",
    ),
    "log_new_error_lines": spec(
        "Lines in an hour of one kind of error that a service did not log in the day before.",
        "count",
        info=4,
        reason="A failure that a release brings repeats; a line or two of a new kind are chance.",
    ),
    "log_crashes": spec(
        "Lines of a service in 5 minutes that report a panic or another crash.",
        "count",
        warning=0,
        reason="Each is a process that ended, with the requests that it was handling.",
    ),
    "log_auth_failures": spec(
        "Lines a second of a system that report a failed sign-in.",
        "per_second",
        warning=0.5,
        reason="As auth_failure_rate: users fail a few times a minute, an attack every second.",
    ),
    "log_slow_queries": spec(
        "Lines a second of a service that report a slow query.",
        "per_second",
        warning=0.1,
        reason="One every ten seconds for minutes is a query of every request, not a report at night.",
    ),
    "log_lines_hour": spec(
        "Lines of a system in an hour above which it is expected to log in each quarter of an hour.",
        "count",
        warning=60,
        floor=True,
        reason="One a minute; a quarter of an hour without a line is then unlikely by chance.",
    ),
}
