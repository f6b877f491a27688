"""Which of the observations are named as an alert's cause, and in which order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from observability.alerting.calls import Call
from observability.alerting.causes import Active, Cause, Layer, Lines, Observed, Server, Started, causes, grouped

AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


def alert(name: str, component: str, condition: str, *, ago: int = 0, firing: bool = True, **labels: str) -> Active:
    """An alert of `shop` that began `ago` minutes before 03:00."""
    own = {"alertname": name, "component": component, "condition": condition, "system": "shop", "severity": "critical"}
    return Active(labels={**own, **labels}, since=AT - timedelta(minutes=ago), firing=firing, summary=f"{name} said")


ERRORS = alert("CriticalErrorRate", "application", "error_rate")
DATABASE = alert("DatabaseDown", "database", "down", ago=-1, instance="db:5432", host="db")
POOL = alert("DatabasePoolExhausted", "database", "db_pool", ago=-1)
HOST = alert("HostDown", "host", "down", ago=-1, host="app-1")
STORE = Server(system="shop", title="PostgreSQL", kind="postgres", instance="db:5432", up=False)


def named(found: list[Cause]) -> list[str]:
    return [cause.what for cause in found]


def test_a_data_store_that_is_down_comes_first_with_its_alert_as_evidence() -> None:
    found = causes(ERRORS, Observed(alerts=[ERRORS, POOL, DATABASE], servers=[STORE]))
    assert named(found) == ["PostgreSQL db:5432 of shop is down", "DatabasePoolExhausted said"]
    assert found[0].evidence == ("DatabaseDown since 03:01 UTC",)


def test_a_data_store_that_is_down_is_named_before_its_alert_fires() -> None:
    found = causes(ERRORS, Observed(alerts=[ERRORS], servers=[STORE]))
    assert [(one.what, one.evidence) for one in found] == [
        ("PostgreSQL db:5432 of shop is down", ("its exporter does not reach it",))
    ]


def test_a_store_that_refuses_the_application_is_named_with_the_log_lines() -> None:
    up = Server(system="shop", title="PostgreSQL", kind="postgres", instance="db:5432", up=True)
    lines = [
        Lines(service="web", count=40, text="dial tcp db:5432: connect: connection refused"),
        Lines(service="web", count=90, text="order 17 not found"),
    ]
    (found,) = causes(ERRORS, Observed(alerts=[ERRORS], servers=[up], lines=lines))
    assert found.what == "PostgreSQL db:5432 of shop is reached by its exporter, and not by the application"
    assert found.evidence == ("40 lines of web like: dial tcp db:5432: connect: connection refused",)


def test_a_store_that_is_reached_again_is_not_down_where_its_alert_is_only_pending() -> None:
    up = Server(system="shop", title="PostgreSQL", kind="postgres", instance="db:5432", up=True)
    missed = alert("DatabaseDown", "database", "down", ago=-1, firing=False, instance="db:5432")
    lines = [Lines(service="web", count=40, text="dial tcp db:5432: connect: connection refused")]
    (found,) = causes(ERRORS, Observed(alerts=[ERRORS, missed], servers=[up], lines=lines))
    assert found.what == "PostgreSQL db:5432 of shop is reached by its exporter, and not by the application"
    firing = causes(ERRORS, Observed(alerts=[ERRORS, DATABASE], servers=[up], lines=lines))
    assert named(firing) == ["DatabaseDown said", found.what]


@pytest.mark.parametrize(
    "text",
    [
        'FATAL: password authentication failed for user "app" at postgresql',
        "postgresql: sorry, too many clients already: too many connections",
        "ECONNREFUSED db:5432",
        "could not connect to db: timed out",
    ],
)
def test_each_kind_of_refusal_of_a_store_is_recognised(text: str) -> None:
    up = Server(system="shop", title="PostgreSQL", kind="postgres", instance="db:5432", up=True)
    found = causes(ERRORS, Observed(servers=[up], lines=[Lines(service="web", count=1, text=text)]))
    assert [one.layer for one in found] == [Layer.REFUSED]


@pytest.mark.parametrize("text", ["postgresql: relation does not exist", "cache:6379 refused", "adb:54321 refused"])
def test_an_unrelated_line_names_no_store_as_cause(text: str) -> None:
    up = Server(system="shop", title="PostgreSQL", kind="postgres", instance="db:5432", up=True)
    assert causes(ERRORS, Observed(servers=[up], lines=[Lines(service="web", count=1, text=text)])) == []


def test_a_host_that_is_down_explains_its_store_as_well() -> None:
    on_host = alert("DatabaseDown", "database", "down", instance="db:5432", host="app-1")
    found = causes(on_host, Observed(alerts=[on_host, HOST]))
    assert named(found) == ["HostDown said"]
    assert causes(HOST, Observed(alerts=[on_host, HOST], servers=[STORE])) == []


def test_a_host_of_another_system_is_not_a_cause_unless_the_alert_is_on_it() -> None:
    other = alert("HostDown", "host", "down", host="app-9", system="erp")
    assert causes(ERRORS, Observed(alerts=[other])) == []
    here = alert("ServiceDown", "service", "down", host="app-9")
    assert named(causes(here, Observed(alerts=[other]))) == ["HostDown said"]


def test_a_system_that_the_alerts_system_depends_on_is_a_cause_where_it_fails() -> None:
    theirs = alert("CriticalErrorRate", "application", "error_rate", system="payments")
    mild = alert("HighMemoryUsage", "application", "memory_usage", system="payments", severity="warning")
    seen = Observed(alerts=[ERRORS, theirs, mild])
    assert causes(ERRORS, seen) == []
    assert named(causes(ERRORS, seen, ["payments"])) == ["CriticalErrorRate said"]


def test_what_began_long_before_comes_after_what_began_with_the_alert() -> None:
    old = alert("HighDiskUsage", "host", "disk_usage", ago=9 * 60, severity="warning", host="app-1")
    found = causes(ERRORS, Observed(alerts=[old, POOL]))
    assert named(found) == ["DatabasePoolExhausted said", "HighDiskUsage said"]


def test_what_began_long_after_the_alert_is_not_a_cause() -> None:
    assert causes(ERRORS, Observed(alerts=[alert("HostDown", "host", "down", ago=-16)])) == []


def test_a_warning_is_not_a_cause_of_its_own_critical() -> None:
    warning = alert("HighErrorRate", "application", "error_rate", severity="warning")
    assert causes(ERRORS, Observed(alerts=[warning, ERRORS])) == []


def test_the_application_explains_symptoms_and_not_the_reverse() -> None:
    endpoint = alert("EndpointDown", "endpoint", "down", instance="https://shop.example.com/")
    assert named(causes(endpoint, Observed(alerts=[ERRORS, endpoint]))) == ["CriticalErrorRate said"]
    assert causes(ERRORS, Observed(alerts=[ERRORS, endpoint])) == []


def test_a_new_image_comes_before_a_restart_and_both_only_of_the_last_hour() -> None:
    started = [
        Started(what="container web", at=AT - timedelta(minutes=3)),
        Started(what="container api", at=AT - timedelta(minutes=9), image="api:2", before="api:1"),
        Started(what="container old", at=AT - timedelta(minutes=61)),
        Started(what="container after", at=AT + timedelta(minutes=3)),
    ]
    found = causes(ERRORS, Observed(started=started))
    assert named(found) == ["container api was replaced at 02:51 UTC", "container web was restarted at 02:57 UTC"]
    assert found[0].evidence == ("started 9 minutes before the alert, image api:1 before and api:2 now",)


def test_an_external_api_comes_before_an_exhausted_resource() -> None:
    api = alert("ExternalApiErrors", "application", "external_api_errors", severity="warning", api="openai")
    assert named(causes(ERRORS, Observed(alerts=[POOL, api]))) == [
        "ExternalApiErrors said",
        "DatabasePoolExhausted said",
    ]


def test_a_pending_alert_is_marked_as_pending() -> None:
    pending = alert("DatabasePoolExhausted", "database", "db_pool", firing=False)
    (found,) = causes(ERRORS, Observed(alerts=[pending]))
    assert found.evidence == ("DatabasePoolExhausted since 03:00 UTC, its wait is not over",)


def test_lines_that_differ_in_numbers_only_are_one_group_with_the_newest() -> None:
    lines = [
        ("web", "12:00:03 order 18 failed after 250ms"),
        ("web", "12:00:02 order 17 failed after 90ms"),
        ("api", "12:00:02 order 17 failed after 90ms"),
    ]
    assert grouped(lines) == [
        Lines(service="web", count=2, text="12:00:03 order 18 failed after 250ms"),
        Lines(service="api", count=1, text="12:00:02 order 17 failed after 90ms"),
    ]


def test_the_message_and_the_error_of_a_json_line_are_used() -> None:
    lines = [
        ("web", '{"level": "error", "time": "03:00:01", "msg": "query failed", "error": "connection refused"}'),
        ("web", '{"level": "error", "time": "03:00:00", "msg": "query failed", "error": "connection refused"}'),
        ("web", '{"level": "error"}'),
        ("web", "{not json"),
    ]
    assert [(one.count, one.text) for one in grouped(lines)] == [
        (2, "query failed: connection refused"),
        (1, '{"level": "error"}'),
        (1, "{not json"),
    ]


STOCK: Final = Call(
    system="shop", client="orders", server="stock", server_system="depot", rate=4, failed=0.25, slowest=0.2, before=0.2
)


def test_a_system_that_is_called_in_spans_alone_is_a_cause_where_it_fails() -> None:
    theirs = alert("CriticalErrorRate", "application", "error_rate", system="depot")
    sound = replace(STOCK, failed=0.0)
    (found,) = causes(ERRORS, Observed(alerts=[ERRORS, theirs], calls=[sound]))
    assert found.what == "CriticalErrorRate said"
    assert found.evidence == ("CriticalErrorRate since 03:00 UTC", "seen in spans: orders calls stock")


def test_a_system_that_is_called_by_a_called_system_is_a_cause() -> None:
    theirs = alert("CriticalErrorRate", "application", "error_rate", system="ledger")
    beyond = Call(system="depot", client="stock", server="books", server_system="ledger", rate=1)
    observed = Observed(alerts=[ERRORS, theirs], calls=[replace(STOCK, failed=0.0), beyond])
    assert named(causes(ERRORS, observed)) == ["CriticalErrorRate said"]
    assert causes(ERRORS, replace(observed, calls=[beyond])) == []


def test_calls_that_fail_are_a_cause_with_their_share_as_evidence() -> None:
    (found,) = causes(ERRORS, Observed(alerts=[ERRORS], calls=[STOCK]))
    assert found.what == "Calls of orders to stock fail"
    assert found.evidence == ("seen in spans: orders calls stock, 25 % of 4 calls a second fail",)
    assert causes(ERRORS, Observed(alerts=[ERRORS], calls=[replace(STOCK, failed=0.04)])) == []


def test_failing_calls_within_a_system_are_no_cause_of_its_own_errors() -> None:
    call = replace(STOCK, server="prices", server_system="shop")
    assert causes(ERRORS, Observed(alerts=[ERRORS], calls=[call])) == []
    endpoint = alert("EndpointDown", "endpoint", "down", instance="https://shop.example.com/")
    assert named(causes(endpoint, Observed(calls=[call]))) == ["Calls of orders to prices fail"]


def test_calls_of_another_system_that_fail_are_no_cause() -> None:
    assert causes(ERRORS, Observed(alerts=[ERRORS], calls=[replace(STOCK, system="press")])) == []


@pytest.mark.parametrize(("slowest", "before", "caused"), [(3.2, 0.2, True), (0.09, 0.01, False), (0.3, 0.2, False)])
def test_calls_that_take_far_longer_than_before_are_a_cause(slowest: float, before: float, caused: bool) -> None:
    call = replace(STOCK, failed=0.0, slowest=slowest, before=before)
    found = causes(ERRORS, Observed(alerts=[ERRORS], calls=[call]))
    assert named(found) == (["Calls of orders to stock became slow"] if caused else [])
    if caused:
        assert found[0].evidence == ("seen in spans: orders calls stock, p95 3.2 s, an hour before 200 ms",)


def test_failing_calls_of_a_database_that_is_down_are_evidence_for_that() -> None:
    call = Call(system="shop", client="orders", server="postgresql db:5432", kind="database", rate=2, failed=1.0)
    (found,) = causes(ERRORS, Observed(alerts=[ERRORS], servers=[STORE], calls=[call]))
    assert found.what == "PostgreSQL db:5432 of shop is down"
    assert found.evidence == ("seen in spans: orders calls postgresql db:5432, 100 % of 2 calls a second fail",)
    (other,) = causes(ERRORS, Observed(alerts=[ERRORS], calls=[call]))
    assert (other.what, other.layer) == ("Calls of orders to postgresql db:5432 fail", Layer.REFUSED)


def test_failing_calls_of_an_external_api_are_no_cause_of_its_own_alert() -> None:
    api = alert("ExternalApiErrors", "application", "external_api_errors", severity="warning", api="weather")
    call = replace(STOCK, kind="external", server="api.weather.example.com", server_system="")
    assert causes(api, Observed(alerts=[api], calls=[call])) == []
    assert named(causes(ERRORS, Observed(calls=[call]))) == ["Calls of orders to api.weather.example.com fail"]
