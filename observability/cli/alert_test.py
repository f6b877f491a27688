"""`obs alert-test`: sends a marked test alert through Alertmanager, and shows the result at each receiver."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from observability.alerting.alerts import Alert, Alerts, alerts, filled
from observability.alerting.explain import destination
from observability.alerting.routes import GROUP_WAIT, MARK_LABEL, TEST_LABEL, recipients, taken
from observability.cli.common import AsJson, Stack, err, print_json, stack_last
from observability.cli.silences import whoami
from observability.core import naming
from observability.core.alert import SEVERITIES
from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.core.types import seconds
from observability.operations.alertmanager import Alertmanager, answering
from observability.operations.deliveries import (
    Post,
    Row,
    Samples,
    Verdict,
    Watch,
    judge,
    kinds,
    muted_by,
    names_receivers,
    posts,
    refusals,
    tally,
)
from observability.settings.load import StackConfig

NAME: Final = "ObsAlertTest"
"""Name of the test alert for a receiver."""

PATIENCE: Final = 25.0
"""Seconds within which a message must be delivered or have failed: Alertmanager retries for ten, and a group left from
an earlier test waits as long."""

POLL: Final = 0.2

LASTS: Final = timedelta(minutes=5)
"""When the test alert resolves by itself."""

_COLOURS: Final[Mapping[Verdict, str]] = {"ok": "green", "FAIL": "red", "muted": "yellow", "later": "yellow"}

out = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Test alerts, and the integrations that must be notified of them."""

    alerts: tuple[dict[str, Any], ...]
    posts: tuple[Post, ...]
    later: tuple[Post, ...] = ()
    """Integrations that get it in a digest, for which the command does not wait."""
    wait: float = 0.0
    """Seconds for which Alertmanager collects alerts before it sends the first message."""
    patience: float = PATIENCE
    """Timeout in seconds after that."""


def alert_test(
    name: Annotated[str | None, typer.Argument(help="A receiver, or an alert; none: every receiver.")] = None,
    stack: Stack = "dev",
    system: Annotated[str | None, typer.Option(help="The system that the alert is about.")] = None,
    severity: Annotated[
        str | None, typer.Option(help="The alert's severity, where it has several; by default the highest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send a marked test alert through Alertmanager; show which receivers got it, or their servers' errors."""
    from dashboards.linked_rules import files
    from observability.operations.home import Home

    (name,), stack = stack_last((name,), stack)
    home = Home.find()
    config = home.config(stack)
    mark = uuid.uuid4().hex[:8]
    trial = trial_of(config, alerts(files(config)), name, system, severity, mark)
    server = Alertmanager.of(config)
    console = err if as_json else out
    with answering(server, stack):
        _check_known(server, trial, stack, console)
        began = datetime.now(UTC)
        if trial.posts:
            most = trial.wait + trial.patience
            console.print(f"test {mark}: waiting for an answer, {most:.0f} s at most", style="dim", markup=False)
        watch = _send(server, trial, mark)
    said = _log(config, began) if any(one.refused for one in watch.tallies.values()) else ""
    alertname = trial.alerts[0]["labels"]["alertname"]
    rows = judge(trial.posts, watch, refusals(said, alertname, tuple(home.secrets(stack).values())))
    rows += [
        Row(post=post, verdict="later", detail=f"in the digest; its channel at once: ./obs alert-test {post.name}")
        for post in trial.later
    ]
    delivered = sum(row.verdict == "ok" for row in rows)
    if as_json:
        results = [
            {
                "receiver": row.post.name,
                "route": row.post.receiver,
                "destination": destination(row.post.name, config.notifications.receivers[row.post.name]),
                "verdict": row.verdict,
                "detail": row.detail,
            }
            for row in rows
        ]
        print_json({"test": mark, "alert": alertname, "delivered": delivered, "results": results})
    else:
        _show(config, rows, delivered)
    if any(row.verdict == "FAIL" for row in rows) or (trial.posts and not delivered):
        raise typer.Exit(1)


def _show(config: StackConfig, rows: Sequence[Row], delivered: int) -> None:
    """A line for each receiver, and how many of them got the message."""
    for row in rows:
        where = destination(row.post.name, config.notifications.receivers[row.post.name])
        out.print(f"[{_COLOURS[row.verdict]}]{row.verdict:<5}[/] ", end="")
        route = "" if row.post.receiver == f"only-{row.post.name}" else f"{row.post.receiver:<20} "
        out.print(f"{route}{row.post.name:<20} {where:<34} {row.detail}", markup=False)
    ended = "; the test is resolved, and they are notified of that too" if delivered else ""
    out.print(f"delivered: {delivered} of {len(rows)}{ended}", markup=False)


def trial_of(
    config: StackConfig,
    known: Alerts,
    name: str | None,
    system: str | None,
    severity: str | None,
    mark: str,
) -> Trial:
    """The test of an alert, of a receiver, or of every receiver; ConfigError where there is none of that name."""
    if name is not None and name in known:
        found = _of_alert(config, known, name, system, severity, mark)
    else:
        found = _of_receivers(config, name, known, mark)
    return replace(found, patience=PATIENCE + config.settings.alertmanager.longest_turn)


def _of_receivers(config: StackConfig, name: str | None, known: Alerts, mark: str) -> Trial:
    """A test of one receiver, or of every one, each by its own route."""
    receivers = config.notifications.receivers
    if name is not None and name not in receivers:
        listed = f"receivers here: {', '.join(receivers) or 'none'}; a stack is the last argument"
        raise ConfigError(
            f"there is no receiver and no alert {name!r} in {config.stack}",
            f"{nearest(name, [*receivers, *known])}{listed}",
        )
    if not receivers:
        raise ConfigError(
            f"{config.stack} has no receivers, so alerts are not sent",
            f"name some in observability:notifications of Pulumi.{config.stack}.yaml; see docs/notifications.md",
        )
    chosen = [name] if name is not None else list(receivers)
    labels = {"alertname": NAME, "severity": "info", "component": "monitoring", "system": "platform"}
    return Trial(
        alerts=tuple(
            _alert(config, {**labels, "team": "platform", TEST_LABEL: one}, mark, f"the receiver {one} works")
            for one in chosen
        ),
        posts=tuple(post for one in chosen for post in posts(f"only-{one}", {one: receivers[one]})),
    )


def _of_alert(
    config: StackConfig, known: Alerts, name: str, system: str | None, severity: str | None, mark: str
) -> Trial:
    """A test with the labels of a rule, so that the routes decide."""
    given = {
        "alertname": name,
        **({"system": system} if system else {}),
        **({"severity": severity} if severity else {}),
    }
    labels = min(filled(config, known, given), key=lambda one: SEVERITIES.index(one["severity"]))
    if name == "Watchdog":
        raise ConfigError(
            "Watchdog is the heartbeat: it always fires, so a test of it would show nothing",
            f"./obs verify {config.stack} checks that it is sent",
        )
    if "system" not in labels:
        raise ConfigError(
            f"{name} may be about any system, and its route depends on which",
            f"name it: ./obs alert-test {name} --system {next(iter(config.systems), 'platform')}",
        )
    receivers = config.notifications.receivers
    channels = {one.name: one.channels for one in recipients(config)}
    soon: list[Post] = []
    later: list[Post] = []
    wait = 0.0
    for route in taken(config, labels):
        found = posts(route.receiver, {one: receivers[one] for one in channels.get(route.receiver, ())})
        digest = route.digest
        (later if digest else soon).extend(found)
        wait = wait if digest else max(wait, seconds(route.group_wait or GROUP_WAIT))
    if not soon and not later:
        raise ConfigError(
            f"{name} has no receiver", f"see ./obs route {name} --system {labels['system']} {config.stack}"
        )
    rule = next(one for one in known[name] if one.labels["severity"] == labels["severity"])
    alert = _alert(config, labels, mark, f"{name} of {labels['system']} reaches its receivers", rule)
    return Trial(alerts=(alert,), posts=tuple(soon), later=tuple(later), wait=wait)


def _alert(
    config: StackConfig, labels: Mapping[str, str], mark: str, what: str, rule: Alert | None = None
) -> dict[str, Any]:
    """A test alert, with the labels that Prometheus adds when it sends alerts."""
    links = {name: text for name, text in (rule.annotations if rule else {}).items() if name.endswith("_url")}
    return {
        "labels": {
            **labels,
            MARK_LABEL: mark,
            "environment": config.settings.environment,
            "cluster": config.settings.cluster,
        },
        "annotations": {
            "summary": f"This is only a test: whether {what}",
            "description": f"Sent by {whoami()} with obs alert-test. Nothing is wrong, and no action is needed.",
            **{name: text for name, text in links.items() if "{{" not in text},
        },
        "startsAt": datetime.now(UTC).isoformat(),
        "endsAt": (datetime.now(UTC) + LASTS).isoformat(),
    }


def _check_known(server: Alertmanager, trial: Trial, stack: str, console: Console) -> None:
    """Exit 1 where the running Alertmanager does not have these settings."""
    missing = sorted({post.receiver for post in trial.posts} - server.receivers())
    unnamed = not names_receivers(server.metrics())
    if missing or unnamed:
        what = f"does not know {', '.join(missing)}" if missing else "does not count by receiver"
        console.print(f"the Alertmanager that runs {what}: it is older than the settings", style="red", markup=False)
        console.print(f"update it: ./obs up {stack}", markup=False)
        raise typer.Exit(1)


def _send(server: Alertmanager, trial: Trial, mark: str) -> Watch:
    """Send the alerts, wait until each integration has succeeded or failed, or the timeout, and resolve them."""
    watch = Watch()
    if not trial.posts:
        return watch
    before = server.metrics()
    began = time.monotonic()
    server.post(trial.alerts)
    try:
        while not _through(trial, watch) and time.monotonic() - began < trial.wait + trial.patience:
            time.sleep(POLL)
            _look(server, trial, watch, before, mark, time.monotonic() - began)
    finally:
        ended = datetime.now(UTC).isoformat()
        server.post([{**alert, "endsAt": ended} for alert in trial.alerts])
    return watch


def _look(server: Alertmanager, trial: Trial, watch: Watch, before: Samples, mark: str, after: float) -> None:
    now = server.metrics()
    for key, members in kinds(trial.posts).items():
        earlier, found = watch.tallies.get(key), tally(before, now, *key)
        # A failure is counted shortly after its attempt; between the two it would look like a success.
        if key not in watch.took and found == earlier and found.through >= len(members) and after >= trial.wait:
            watch.took[key] = after
        watch.tallies[key] = found
    grouped = [(group["receiver"]["name"], one) for group in server.groups() for one in group["alerts"]]
    names = {one["fingerprint"]: one["labels"].get("alertname", "") for _, one in grouped}
    for receiver, one in grouped:
        why = muted_by(one["status"], names)
        if why and one["labels"].get(MARK_LABEL) == mark:
            watch.muted[receiver] = why


def _through(trial: Trial, watch: Watch) -> bool:
    return all(key in watch.took or key[0] in watch.muted for key in kinds(trial.posts))


def _log(config: StackConfig, since: datetime) -> str:
    """Alertmanager's log since then."""
    import docker

    from observability.operations.preflight import connect

    try:
        container = connect().containers.get(naming.container(config.stack, "alertmanager"))
    except docker.errors.NotFound:
        return ""
    logged: bytes = container.logs(since=since - timedelta(seconds=1))
    return logged.decode(errors="replace")
