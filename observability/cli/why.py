"""`obs why`: possible causes of an alert, with the evidence."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from observability.cli.common import AsJson, Stack, err, out, print_json
from observability.core.documents import nearest
from observability.core.errors import ConfigError

if TYPE_CHECKING:
    from observability.alerting.causes import Active
    from observability.notifier.evidence import Observer

SHOWN: Final = 5
"""How many causes and groups of error lines are shown."""

_SEVERITIES: Final = {"critical": 0, "warning": 1, "info": 2}


def why(
    alert: Annotated[str, typer.Argument(help="The alert's name.")],
    stack: Stack = "dev",
    system: Annotated[str | None, typer.Option("--system", help="Only the alert of this system.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what may have caused an alert, the most likely first, with the evidence for it."""
    from observability.notifier.evidence import NoAnswerError
    from observability.operations.evidence import observer as of
    from observability.operations.home import Home

    observer = of(Home.find().config(stack))
    try:
        active = observer.alerts()
    except NoAnswerError as error:
        out.print(f"Prometheus of {stack} does not answer: {error}", style="red", markup=False)
        out.print(f"see how it is: ./obs status {stack}", markup=False)
        raise typer.Exit(1) from error
    found = [explained(observer, one, active) for one in chosen(alert, system, stack, active)]
    if as_json:
        print_json(found)
    else:
        for one in found:
            _print(one, stack)
    for sentence in observer.missing:
        err.print(sentence, style="yellow", markup=False)


def chosen(name: str, system: str | None, stack: str, active: list["Active"]) -> list["Active"]:
    """The active alerts of this name, one per system: the most severe, then the oldest."""
    named = [one for one in active if one.name.lower() == name.lower()]
    if not named:
        names = sorted({one.name for one in active})
        raise ConfigError(
            f"no alert {name!r} is active in {stack}",
            f"{nearest(name, names)}active: {', '.join(names) or 'none'}; ./obs alerts --all {stack} shows them",
        )
    by_system: dict[str, Active] = {}
    for one in sorted(named, key=lambda one: (_SEVERITIES.get(one.labels.get("severity", ""), 9), one.since)):
        by_system.setdefault(one.labels.get("system", ""), one)
    if system is None:
        return list(by_system.values())
    if system not in by_system:
        raise ConfigError(
            f"{name} is not active for a system {system!r}",
            f"{nearest(system, by_system)}active for: {', '.join(by_system)}",
        )
    return [by_system[system]]


def explained(observer: "Observer", alert: "Active", active: list["Active"]) -> dict[str, Any]:
    """An active alert with its possible causes and their evidence, as JSON."""
    from observability.alerting.causes import causes

    observed = observer.observed(alert, active)
    own, *others = observer.systems(alert)
    return {
        "alert": alert.name,
        "system": own,
        "severity": alert.labels.get("severity", ""),
        "since": alert.since.isoformat(),
        "state": "firing" if alert.firing else "pending",
        "summary": alert.summary,
        "causes": [
            {"what": cause.what, "evidence": list(cause.evidence)} for cause in causes(alert, observed, others)
        ],
        "servers": [
            {"system": one.system, "kind": one.title, "instance": one.instance, "up": one.up}
            for one in observed.servers
        ],
        "started": [
            {"what": one.what, "at": one.at.isoformat(), "image": one.image, "before": one.before}
            for one in observed.started
        ],
        "lines": [{"service": one.service, "count": one.count, "text": one.text} for one in observed.lines[:SHOWN]],
    }


def _print(found: dict[str, Any], stack: str) -> None:
    out.print(f"{found['alert']} · {found['system']} · {found['severity']} · {found['state']}", style="bold")
    out.print(f"  {found['summary']}", markup=False)
    out.print(f"  since {found['since'][:16].replace('T', ' ')} UTC", markup=False)
    out.print("Likely causes:" if found["causes"] else "No cause was found: no related alert, server or restart.")
    for place, cause in enumerate(found["causes"][:SHOWN], 1):
        out.print(f"  {place}. {cause['what']}", style="bold" if place == 1 else None, markup=False)
        for evidence in cause["evidence"]:
            out.print(f"     {evidence}", markup=False)
    if found["servers"]:
        out.print("Data stores and proxies:")
        for server in found["servers"]:
            state = {True: "up", False: "DOWN", None: "not known"}[server["up"]]
            out.print(f"  {server['kind']} {server['instance']} of {server['system']}: {state}", markup=False)
    if found["lines"]:
        out.print("Error lines since then:")
        for line in found["lines"]:
            out.print(f"  {line['count']} x {line['service']}: {line['text'][:200]}", markup=False)
    out.print(f"Next: ./obs runbook {found['alert']}   all alerts: ./obs alerts {stack}", markup=False)
