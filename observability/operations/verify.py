"""Whether the stack works, by requests to the running servers, one row per check."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import docker
import httpx

from observability.alerting import heartbeat
from observability.alerting.routes import VERIFY_LABEL
from observability.core import http, naming
from observability.core.types import seconds
from observability.operations import (
    comparison,
    host_report,
    labelled,
    observations,
    parts,
    remote_write,
    traces,
    uptime_robot,
)
from observability.operations.containers import states
from observability.operations.drift import Docker
from observability.operations.grafana import Grafana
from observability.operations.grafana import found as found_in_grafana
from observability.operations.hosts import Hosts
from observability.operations.inbox import inbox, wait_for
from observability.operations.log_files import log_files
from observability.operations.preflight import bindings
from observability.operations.rows import Row, verdict
from observability.scrape.jobs import jobs
from observability.settings.load import StackConfig
from observability.synth.declared import Declared
from observability.synth.record import on

PATIENCE = 30.0
"""Total seconds to wait for objects that are still starting."""

PATIENCE_STOPPED = 5.0
"""The same where a container is stopped or missing, which no waiting changes."""

DELIVERY = 20.0
"""Seconds within which a test alert must arrive."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The stack that is checked, and the access to it.

    `changed`: it was changed just now, by `up`, which reports what is not the stack's own and does not wait for it.
    """

    config: StackConfig
    declared: Sequence[Declared]
    client: docker.DockerClient
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    changed: bool = False
    deadline: float = field(default_factory=lambda: time.monotonic() + PATIENCE)
    http: httpx.Client = field(default_factory=lambda: http.client(timeout=10, trust_env=False, verify=False))

    def get(self, service: str, path: str, headers: Mapping[str, str] | None = None, **params: str) -> Any:  # noqa: ANN401 - whatever the API answers
        """The JSON of a server's response; the text where it is no JSON."""
        answer = self.http.get(self.config.addresses[service] + path, params=params, headers=headers)
        answer.raise_for_status()
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    @cached_property
    def engine(self) -> Docker:
        """The stack's objects in Docker."""
        return Docker(self.client, on(self.declared, None))


def verify(subject: Subject, *, quick: bool) -> Iterator[Row]:
    """Every check in turn; `quick` leaves out the one that sends an alert."""
    subject = _as_patient_as_useful(subject)
    checks: list[Callable[[Subject], Iterator[Row]]] = [_containers, _declared, _ports, _targets, _rules, _reloads]
    checks += [_watchdog, _heartbeat, _silences, _messages, _restarts, _alerts, _parts]
    checks += [_grafana] if quick else [_delivery, _grafana]
    for check in checks:
        try:
            yield from check(subject)
        except (httpx.HTTPError, docker.errors.DockerException) as error:
            yield Row.of(check=check.__name__.strip("_"), ok=False, detail=f"{type(error).__name__}: {error}")


def _as_patient_as_useful(subject: Subject) -> Subject:
    """The same; where a container is stopped or missing, with the shorter wait."""
    try:
        found = states(subject.client, subject.config.stack, on(subject.declared, None))
    except docker.errors.DockerException:
        return subject  # The checks report it.
    if not any(state.gone for state in found):
        return subject
    return replace(subject, deadline=min(subject.deadline, time.monotonic() + PATIENCE_STOPPED))


def _containers(subject: Subject) -> Iterator[Row]:
    own = on(subject.declared, None)
    found = states(subject.client, subject.config.stack, own)
    _retry(subject, lambda: _note(found, states(subject.client, subject.config.stack, own)))
    for state in found:
        yield Row.of(check=f"container {state.service}", ok=state.ok, detail=state.state)


def _note(into: list[Any], current: list[Any]) -> bool:
    into[:] = current
    return all(state.ok for state in current)


def _declared(subject: Subject) -> Iterator[Row]:
    yield from comparison.rows(
        subject.config, subject.engine, subject.get, lambda condition: _retry(subject, condition)
    )
    if subject.config.settings.hosts:
        for host, client in Hosts.connect(subject.config).clients.items():
            yield from comparison.of_host(subject.config, Docker(client, on(subject.declared, host)), host)


def _silences(subject: Subject) -> Iterator[Row]:
    return observations.silences(subject.config, subject.get)


def _messages(subject: Subject) -> Iterator[Row]:
    return observations.messages(subject.config, subject.get)


def _restarts(subject: Subject) -> Iterator[Row]:
    return observations.restarts(subject.config, subject.engine)


def _alerts(subject: Subject) -> Iterator[Row]:
    return observations.alerts(subject.get)


def _ports(subject: Subject) -> Iterator[Row]:
    wanted: dict[str, set[tuple[str, str]]] = {}
    for binding in bindings(subject.config, subject.declared):
        if binding.service != "node-exporter":
            name = naming.container(subject.config.stack, binding.service)
            wanted.setdefault(name, set()).add((binding.address, str(binding.port)))
    label = f"{naming.LABEL_STACK}={subject.config.stack}"
    for container in sorted(
        subject.client.containers.list(filters={"label": label}, ignore_removed=True), key=lambda c: str(c.name)
    ):
        published = {
            (binding["HostIp"], binding["HostPort"])
            for bound in (container.attrs["HostConfig"].get("PortBindings") or {}).values()
            for binding in bound or []
        }
        if published or str(container.name) in wanted:
            ok = published == wanted.get(str(container.name), set())
            shown = ", ".join(f"{address}:{port}" for address, port in sorted(published)) or "nothing"
            yield Row.of(check=f"ports of {container.name}", ok=ok, detail=f"published: {shown}")


def _targets(subject: Subject) -> Iterator[Row]:
    targets = [(job, target) for job in jobs(subject.config) for target in job.targets]
    wanted = {(job.name, target.labels["instance"]): target.labels["system"] for job, target in targets}
    # Read so rarely that Prometheus, which has known it since the last update, may not have read it yet.
    rare = {
        (job.name, target.labels["instance"]): every
        for job, target in targets
        if seconds(every := target.labels.get("__scrape_interval__", "0s")) > parts.RARE
    }
    found: dict[tuple[str, str], dict[str, str]] = {}

    def all_up() -> bool:
        active = subject.get("prometheus", "/api/v1/targets", state="active")["data"]["activeTargets"]
        found.clear()
        found.update({(target["labels"]["job"], target["labels"]["instance"]): target for target in active})
        return all(
            found.get(key, {}).get("health") in (("up", "unknown") if key in rare else ("up",))
            for key, system in wanted.items()
            if system == naming.PLATFORM or not subject.changed
        )

    _retry(subject, all_up)
    for (job, instance), system in wanted.items():
        target = found.get((job, instance), {})
        health = target.get("health", "not scraped")
        if subject.changed and health == "unknown" and system != naming.PLATFORM:
            continue  # It was not scraped yet.
        waits = health == "unknown" and (job, instance) in rare
        yield Row(
            check=f"target {job} {instance}",
            verdict=verdict(health == "up" or waits),
            detail=f"not due yet: every {rare[job, instance]}"
            if waits
            else f"{health} {target.get('lastError', '')}".strip(),
            passing=system != naming.PLATFORM,
        )


def _rules(subject: Subject) -> Iterator[Row]:
    groups: list[dict[str, Any]] = []

    def evaluated() -> bool:
        groups[:] = subject.get("prometheus", "/api/v1/rules")["data"]["groups"]
        return bool(groups) and not any(_bad(group) for group in groups)

    _retry(subject, evaluated)
    for group in groups:
        bad = _bad(group)
        yield Row.of(check=f"rules {group['name']}", ok=not bad, detail="; ".join(bad) or _evaluated(group))
    if not groups:
        yield Row.of(check="rules", ok=False, detail="Prometheus has none loaded")


def _bad(group: Mapping[str, Any]) -> list[str]:
    """The problems of a group's rules. One with an interval longer than the wait may not have run yet."""
    fine = {"ok", "unknown"} if group["interval"] > PATIENCE / 2 else {"ok"}
    return [
        f"{rule['name']}: {rule.get('lastError') or rule['health']}"
        for rule in group["rules"]
        if rule["health"] not in fine
    ]


def _evaluated(group: Mapping[str, Any]) -> str:
    due = sum(rule["health"] == "unknown" for rule in group["rules"])
    count = f"{len(group['rules']) - due} evaluated"
    return f"{count}, {due} not due yet: every {group['interval']:.0f} s" if due else count


def _reloads(subject: Subject) -> Iterator[Row]:
    for job, metric in (
        ("prometheus", "prometheus_config_last_reload_successful"),
        ("alertmanager", "alertmanager_config_last_reload_successful"),
    ):
        values: list[str] = []

        def successful(metric: str = metric, values: list[str] = values) -> bool:
            result = subject.get("prometheus", "/api/v1/query", query=metric)["data"]["result"]
            values[:] = [sample["value"][1] for sample in result]
            return set(values) == {"1"}

        ok = _retry(subject, successful)
        detail = "in force" if ok else f"{metric} is {values or 'absent'}"
        yield Row.of(check=f"configuration of {job}", ok=ok, detail=detail)


def _watchdog(subject: Subject) -> Iterator[Row]:
    """Prometheus' rules, its connection to Alertmanager, and Alertmanager: the Watchdog has arrived there."""

    def arrived() -> bool:
        return bool(subject.get("alertmanager", "/api/v2/alerts", filter='alertname="Watchdog"'))

    ok = _retry(subject, arrived)
    yield Row.of(
        check="alerts reach Alertmanager",
        ok=ok,
        detail="Watchdog is there" if ok else "Watchdog has not arrived from Prometheus",
    )


def _heartbeat(subject: Subject) -> Iterator[Row]:
    """The heartbeat service has received the Watchdog within its interval and the delay of Alertmanager's metrics."""
    if not heartbeat.has_listener(subject.config) or subject.changed:
        return
    settings = subject.config.settings
    window = seconds(settings.notifications.heartbeat.interval) + 2 * seconds(settings.prometheus.scrape_interval)
    query = f"{_pings('0s')} > 0 unless {_pings('0s')} == {_pings(f'{window:.0f}s')}"

    def sent() -> bool:
        return bool(subject.get("prometheus", "/api/v1/query", query=query)["data"]["result"])

    ok = _retry(subject, sent)
    detail = f"the address of heartbeatUrl has {'taken' if ok else 'not taken'} it within {window:.0f} s"
    yield Row.of(check="the heartbeat leaves", ok=ok, detail=detail)


def _pings(ago: str) -> str:
    """PromQL for the number of pings accepted until that time."""
    labels = f'{{job="alertmanager", receiver_name="heartbeat"}} offset {ago}'
    series = "alertmanager_notification_requests"
    return f"(sum({series}_total{labels}) - sum({series}_failed_total{labels}))"


def _parts(subject: Subject) -> Iterator[Row]:
    """Parts that are left out, and whether the exporters and the collector work."""

    def retry(condition: Callable[[], bool]) -> bool:
        return condition() if subject.changed else _retry(subject, condition)

    stated = (
        *(parts.left_out(subject.config), parts.unplaced(subject.config), parts.receivers(subject.config)),
        uptime_robot.rows(subject.config, subject.secrets),
    )
    observed = (
        parts.exporters(subject.config, subject.get, retry),
        parts.lines(subject.config, subject.client, subject.get, retry),
        log_files(subject.config, subject.client),
        labelled.containers(subject.config, subject.client, subject.get, retry),
        remote_write.targets(subject.config, subject.client, subject.get, retry),
        traces.rows(subject.config, subject.get, retry),
        host_report.checks(subject.config, subject.declared, subject.get, retry),
    )
    for answers in observed if subject.changed else (*stated, *observed):
        for check, found, detail in answers:
            yield Row(check=check, verdict=found, detail=detail, passing=True)


def _grafana(subject: Subject) -> Iterator[Row]:
    """The declared objects of Grafana, by its API; or the reason why it does not run."""
    if "grafana" in subject.config.left_out:
        yield Row(check="Grafana", verdict="left out", detail=subject.config.left_out["grafana"])
    if subject.config.grafana_url is None:
        return
    asked = Grafana.of(subject.config, subject.secrets)
    if asked is None:
        yield Row.of(check="Grafana", ok=False, detail="its password is not stored: ./obs up was never run here")
        return
    for what, ok, detail in found_in_grafana(asked, subject.config):
        yield Row.of(check=f"Grafana: {what}", ok=ok, detail=detail)


def _delivery(subject: Subject) -> Iterator[Row]:
    """A test alert is delivered to a webhook on the stack's network."""
    mark = uuid.uuid4().hex
    stack = subject.config.stack
    with inbox(subject.client, stack, subject.config.settings.image("alertmanager")) as container:
        alert = {
            "labels": {"alertname": "ObsVerify", VERIFY_LABEL: "true", "severity": "info", "run": mark},
            "annotations": {"summary": "Raised on purpose by obs verify"},
            "endsAt": (datetime.now(UTC) + timedelta(minutes=1)).isoformat(),
        }
        posted = http.post(subject.config.addresses["alertmanager"] + "/api/v2/alerts", json=[alert], timeout=5)
        posted.raise_for_status()
        patience = DELIVERY + subject.config.settings.alertmanager.longest_turn
        took = wait_for(container, mark, patience)
        said = "" if took is not None else container.logs(tail=3).decode(errors="replace").strip()
    yield Row.of(
        check="an alert is delivered",
        ok=took is not None,
        detail=f"received by a webhook after {took:.1f} s"
        if took is not None
        else f"nothing received in {patience:.0f} s {said}".strip(),
    )


def _retry(subject: Subject, condition: Callable[[], bool]) -> bool:
    """Whether the condition holds before the timeout; a server that refuses the connection is tried again."""
    while True:
        try:
            if condition():
                return True
        except httpx.TransportError:
            if time.monotonic() > subject.deadline:
                raise
        if time.monotonic() > subject.deadline:
            return False
        time.sleep(0.5)
