"""Rows of `verify` about what happens in a running stack: silences, failed messages, restarts, firing alerts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from observability.core.naming import PLATFORM
from observability.operations.drift import Docker
from observability.operations.rows import Row
from observability.settings.load import StackConfig
from observability.synth.declared import CONTAINER, Declared

Get = Callable[..., Any]
Document = Mapping[str, Any]

RECENT: Final = timedelta(hours=1)
"""A restart that is older is not reported."""

FAILING: Final = 300
"""Seconds within which failed messages are counted."""

NARROW: Final = ("alertname", "system")
"""Labels of which a silence must state one by equality; otherwise it may mute what nobody thought of."""

_OPERATORS: Final = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}


def silences(config: StackConfig, get: Get) -> Iterator[Row]:
    """Silences that mute more than one alert or one system, or the Watchdog."""
    found = [one for one in get("alertmanager", "/api/v2/silences") if one["status"]["state"] != "expired"]
    wide = [one for one in found if _wide(one["matchers"])]
    if not wide:
        yield Row.of("silences", f"{len(found)}, each of one alert or one system", ok=True)
    for one in wide:
        matchers = ", ".join(_matcher(each) for each in one["matchers"])
        until = datetime.fromisoformat(one["endsAt"]).astimezone(UTC)
        yield Row.of(
            f"silence {one['id'][:8]}",
            f"{matchers} until {until:%Y-%m-%d %H:%M} UTC, by {one['createdBy']}",
            ok=False,
            fix=f"./obs silence expire {one['id'][:8]} {config.stack}".removesuffix(" dev"),
        )


def _wide(matchers: Sequence[Document]) -> bool:
    equal = {
        one["name"]: one["value"]
        for one in matchers
        if not one["isRegex"] and one.get("isEqual", True) and one["value"]
    }
    return not any(name in equal for name in NARROW) or equal.get("alertname") == "Watchdog"


def _matcher(one: Document) -> str:
    return f'{one["name"]}{_OPERATORS[one.get("isEqual", True), one["isRegex"]]}"{one["value"]}"'


def messages(config: StackConfig, get: Get) -> Iterator[Row]:
    """Receivers that refuse messages, since the last change of their configuration."""
    if not config.notifications.receivers:
        return
    reloaded = _values(get, "max(alertmanager_config_last_reload_success_timestamp_seconds)")
    age = datetime.now(UTC).timestamp() - float(reloaded[0][1]) if reloaded else FAILING
    window = f"[{max(1, min(FAILING, int(age)))}s]"
    by = "sum by (receiver_name, integration)"
    labels = '{job="alertmanager", receiver_name!="verify"}'
    requests = dict(_named(get, f"{by} (increase(alertmanager_notification_requests_total{labels}{window}))"))
    failed = dict(_named(get, f"{by} (increase(alertmanager_notification_requests_failed_total{labels}{window})) > 0"))
    if not failed:
        yield Row.of("messages are accepted", f"none refused in the last {min(FAILING, int(age))} s", ok=True)
    for (receiver, integration), count in sorted(failed.items()):
        total = max(requests.get((receiver, integration), count), count)
        yield Row(
            check=f"messages to {receiver}",
            verdict="failed",
            detail=f"{integration}: {count / total:.0%} of the attempts of {min(FAILING, int(age))} s failed",
            fix=f"./obs alert-test {receiver} {config.stack} shows the answer".replace(" dev ", " "),
            passing=True,
        )


def _named(get: Get, query: str) -> Iterator[tuple[tuple[str, str], float]]:
    for labels, value in _values(get, query):
        yield (labels.get("receiver_name", ""), labels.get("integration", "")), float(value)


def _values(get: Get, query: str) -> list[tuple[Document, str]]:
    result = get("prometheus", "/api/v1/query", query=query)["data"]["result"]
    return [(one["metric"], one["value"][1]) for one in result]


def restarts(config: StackConfig, engine: Docker) -> Iterator[Row]:
    """Services that Docker restarted in the last hour, and those that ran out of memory."""
    found = [row for one in engine.declared if _is_service(one) for row in _restart(config, engine, one)]
    yield from found
    if not found:
        yield Row.of("restarts", f"none in the last {RECENT.total_seconds() / 3600:.0f} h", ok=True)


def _is_service(one: Declared) -> bool:
    return one.type == CONTAINER and not one.inputs.get("attach")


def _restart(config: StackConfig, engine: Docker, one: Declared) -> Iterator[Row]:
    seen = engine.container(one.inputs["name"])
    if seen is None:
        return
    state, count = seen["State"], int(seen.get("RestartCount") or 0)
    killed = bool(state.get("OOMKilled"))
    if not killed and not count:
        return
    started = _moment(state["StartedAt"])
    age = datetime.now(UTC) - started
    if age > RECENT and state["Running"]:
        return
    name, limit = one.inputs["name"], one.inputs.get("memory")
    when = f"{count} restart{'s' if count != 1 else ''}, the last {int(age.total_seconds() // 60)} min ago"
    if killed:
        yield Row(
            check=f"memory of {name}",
            verdict="failed",
            detail=f"killed at its limit of {limit} MiB; {when}",
            fix=f"raise memoryMb of the part in Pulumi.{config.stack}.yaml",
            passing=True,
        )
    else:
        yield Row(check=f"restarts of {name}", verdict="warning", detail=when, fix="see its log", passing=True)


def _moment(text: str) -> datetime:
    """A time as Docker writes it, with nanoseconds."""
    return datetime.fromisoformat(text[:19] + "+00:00")


def alerts(get: Get) -> Iterator[Row]:
    """Firing alerts about the stack itself; those of its host are warnings. What is only information is no row."""
    found = [
        one["labels"]
        for one in get("prometheus", "/api/v1/alerts")["data"]["alerts"]
        if one["state"] == "firing"
        and one["labels"].get("system") == PLATFORM
        and one["labels"]["alertname"] != "Watchdog"
        and one["labels"].get("severity") != "info"
    ]
    if not found:
        yield Row.of("alerts about the stack", "none fires", ok=True)
    for labels in found:
        own = labels.get("component") == "monitoring"
        about = " ".join(labels[name] for name in ("severity", "component", "instance", "name") if labels.get(name))
        yield Row(
            check=f"alert {labels['alertname']}",
            verdict="failed" if own else "warning",
            detail=f"fires: {about}",
            fix=f"./obs runbook {labels['alertname']}",
            passing=True,
        )
