"""`obs mutes`: the mute times of a stack, and the alerts that they mute now."""

from datetime import UTC, datetime

import typer
from rich.console import Console

from observability.alerting import mute_times
from observability.alerting.routes import routes
from observability.cli.common import AsJson, Stack, print_json
from observability.operations.alertmanager import Alertmanager, answering

out = Console(highlight=False, soft_wrap=True)


def mutes(stack: Stack = "dev", as_json: AsJson = False) -> None:
    """Show the mute times: when each starts and ends next, its receivers, and the alerts that it mutes now."""
    from observability.operations.home import Home

    config = Home.find().config(stack)
    times = config.notifications.mute_times
    if not times and not as_json:
        out.print(f"{stack} has no mute times; add some in observability:notifications.muteTimes", markup=False)
        return
    server = Alertmanager.of(config)
    with answering(server, stack):
        live = server.mute_times()
        kept = {
            (name, alert["labels"].get("alertname", ""), alert["labels"].get("system", ""), group["receiver"]["name"])
            for group in server.groups()
            for alert in group["alerts"]
            for name in alert["status"]["mutedBy"]
        }
    now = datetime.now(UTC)
    if as_json:
        print_json(
            [
                {
                    "name": name,
                    "times": mute_times.in_words(time),
                    "active": mute_times.active(time, now),
                    "state": mute_times.state_in_words(time, now),
                    "receivers": list(dict.fromkeys(one.receiver for one in routes(config) if name in one.mute)),
                    "muted": [
                        {"alert": alert, "system": system, "receiver": receiver}
                        for mute, alert, system, receiver in sorted(kept)
                        if mute == name
                    ],
                    "known_to_alertmanager": name in live,
                }
                for name, time in times.items()
            ]
        )
        if times.keys() - live:
            raise typer.Exit(1)
        return
    for name, time in times.items():
        out.print(f"{name}: {mute_times.in_words(time)}", style="bold", markup=False)
        colour = "yellow" if mute_times.active(time, now) else "dim"
        out.print(f"  {mute_times.state_in_words(time, now)}", style=colour, markup=False)
        receivers = list(dict.fromkeys(route.receiver for route in routes(config) if name in route.mute))
        out.print(
            f"  mutes: {', '.join(receivers) or 'no receiver; name it in the mute of an audience'}", markup=False
        )
        for _, alert, system, receiver in sorted(one for one in kept if one[0] == name):
            out.print(f"  muted now: {alert} {system}".rstrip() + f" for {receiver}", markup=False)
    missing = sorted(times.keys() - live)
    if missing:
        out.print(f"Alertmanager does not know {', '.join(missing)}", style="red", markup=False)
        out.print(f"update it: ./obs up {stack}", markup=False)
        raise typer.Exit(1)
