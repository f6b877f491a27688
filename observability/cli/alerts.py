"""`obs alerts` and `obs runbook`: the firing alerts, and their runbooks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from observability.cli.common import AsJson, Stack, out, print_rows
from observability.core import http
from observability.core.alert import NO_PROBLEM
from observability.core.documents import nearest
from observability.core.errors import ConfigError

if TYPE_CHECKING:
    from observability.settings.load import StackConfig

_COLOURS = {"critical": "red", "warning": "yellow", "info": "blue", "pending": "dim"}

_ORDER = {"critical": 0, "warning": 1, "info": 2}


def alerts(
    stack: Stack = "dev",
    everything: Annotated[
        bool, typer.Option("--all", help="Show Watchdog, RecentlyCritical and alerts whose wait is not over as well.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the alerts that fire: since when, what silences or inhibits them, and which receivers were notified."""
    from observability.operations.alertmanager import Alertmanager, answering
    from observability.operations.home import Home

    config = Home.find().config(stack)
    with answering(Alertmanager.of(config), stack):
        rows = active(config, everything=everything)
    if not as_json:
        rows = [{**row, "since": _moment(row["since"])} for row in rows]
    print_rows(rows, as_json=as_json, colours=_COLOURS)
    if not as_json:
        quiet = sum(row["state"] not in ("firing", "pending") for row in rows)
        fires = sum(row["state"] != "pending" for row in rows)
        out.print(f"{stack}: {fires} firing, {quiet} of them kept quiet" if rows else f"{stack}: no alert fires")


def active(config: "StackConfig", *, everything: bool = False) -> list[dict[str, Any]]:
    """The alerts that fire, the most severe first, with what mutes each; httpx.HTTPError without Alertmanager.

    `everything`: also pending ones, and those that report no problem.
    """
    from observability.operations.alertmanager import Alertmanager

    server = Alertmanager.of(config)
    firing = server.alerts()
    silences = {one["id"]: one for one in server.silences()}
    grouped = [alert for group in server.groups() for alert in group["alerts"]]
    muted = {one["fingerprint"]: one["status"].get("mutedBy", []) for one in grouped}
    by_id = {one["fingerprint"]: one["labels"].get("alertname", "") for one in firing}
    rows = [
        _row(one, silences, by_id, muted.get(one["fingerprint"], []))
        for one in firing
        if everything or one["labels"].get("alertname") not in NO_PROBLEM
    ]
    rows += _pending(config) if everything else []
    return sorted(rows, key=lambda row: (_ORDER.get(str(row["severity"]), 9), str(row["since"])))


def runbook(
    alert: Annotated[str, typer.Argument(help="The alert's name.")],
    raw: Annotated[bool, typer.Option("--raw", help="Print the page's Markdown as it is.")] = False,
) -> None:
    """Show an alert's runbook in the terminal."""
    from rich.markdown import Markdown

    text = page(alert)
    if raw or not out.is_terminal:
        typer.echo(text, nl=False)
    else:
        out.print(Markdown(text))


def page(alert: str) -> str:
    """The runbook of an alert, in any case of its name; ConfigError where there is none."""
    from observability.core import project

    pages = {name: path for name, path in project.files("runbooks", ".md").items() if name != "README"}
    by_lower = {name.lower(): name for name in pages}
    name = by_lower.get(alert.lower())
    if name is None:
        raise ConfigError(
            f"there is no runbook of an alert {alert!r}",
            f"{nearest(alert, pages)}./obs alerts lists what fires; the pages are in runbooks/",
        )
    return pages[name].read_text(encoding="utf-8")


def _row(
    alert: Mapping[str, Any], silences: Mapping[str, Mapping[str, Any]], by_id: Mapping[str, str], muted: list[str]
) -> dict[str, Any]:
    """One alert as returned by Alertmanager."""
    labels, status = alert["labels"], alert["status"]
    quiet = [_silence(silences.get(one, {"id": one})) for one in status["silencedBy"]]
    quiet += [f"inhibited by {by_id.get(one, one)}" for one in status["inhibitedBy"]]
    quiet += [f"mute time {one}" for one in muted]
    known = {"alertname", "severity", "system", "team", "component", "condition", "environment", "cluster", "page"}
    return {
        "alert": labels.get("alertname", ""),
        "severity": labels.get("severity", ""),
        "system": labels.get("system", ""),
        "about": " ".join(f"{name}={value}" for name, value in labels.items() if name not in known),
        "since": alert["startsAt"],
        "state": "; ".join(quiet) or "firing",
        "receivers": [] if quiet else [one["name"] for one in alert["receivers"]],
    }


def _silence(silence: Mapping[str, Any]) -> str:
    author = f" by {silence['createdBy']}" if silence.get("createdBy") else ""
    until = f" until {_moment(silence['endsAt'])}" if silence.get("endsAt") else ""
    return f"silenced {silence['id'][:8]}{author}{until}"


def _pending(config: "StackConfig") -> list[dict[str, Any]]:
    """Pending alerts, as returned by Prometheus."""
    import httpx

    try:
        answer = http.get(f"{config.addresses['prometheus']}/api/v1/alerts", timeout=5, trust_env=False)
        found = answer.raise_for_status().json()["data"]["alerts"]
    except httpx.HTTPError:
        return []
    return [
        {
            "alert": one["labels"].get("alertname", ""),
            "severity": one["labels"].get("severity", ""),
            "system": one["labels"].get("system", ""),
            "about": "",
            "since": one["activeAt"],
            "state": "pending",
            "receivers": [],
        }
        for one in found
        if one["state"] == "pending"
    ]


def _moment(text: str) -> str:
    """A time of the API in this machine's time zone, to the minute; with the date where it is not today."""
    moment = datetime.fromisoformat(text).astimezone()
    today = datetime.now(UTC).astimezone().date()
    return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%Y-%m-%d %H:%M}"
