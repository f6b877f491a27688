"""The changes: of files in configuration volumes, of containers, and of what happens in a running stack."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from observability.core import naming
from observability.core.naming import LABEL_STACK
from observability.parts.images import PINS
from tests.http import HTTP
from tests.sabotage.stack import ALERTMANAGER, IDLE, PROMETHEUS, STACK, Stack
from tests.waits import until

Document = Any
"""A parsed YAML file."""

# Prometheus' files.


def only_the_watchdog(stack: Stack) -> None:
    files = "for f in rules/*.yaml; do [ $f = rules/prometheus.yaml ] || echo 'groups: []' > $f; done"
    stack.in_volume("prometheus", files)

    def keep(document: Document) -> None:
        for group in document["groups"]:
            group["rules"] = [rule for rule in group["rules"] if rule.get("alert") == "Watchdog"]

    stack.edit("prometheus", "rules/prometheus.yaml", keep, reload=PROMETHEUS)


def drop_metrics(document: Document) -> None:
    for job in document["scrape_configs"]:
        job["metric_relabel_configs"] = [{"source_labels": ["__name__"], "regex": "node_.+", "action": "drop"}]


def remote_write(document: Document) -> None:
    document["remote_write"] = [{"url": "http://stranger.example.com/write"}]


def raise_thresholds(stack: Stack) -> None:
    stack.in_volume("prometheus", "sed -i 's/expr: vector(.*)/expr: vector(99)/' rules/thresholds.yaml")
    HTTP.post(f"{PROMETHEUS}/-/reload", timeout=30).raise_for_status()


def change_an_expression(stack: Stack) -> None:
    stack.in_volume("prometheus", 'sed -i \'s/up{job="node"}/up{job="nothing"}/\' rules/host.yaml rules/stack.yaml')
    HTTP.post(f"{PROMETHEUS}/-/reload", timeout=30).raise_for_status()


def add_a_rule_file(stack: Stack) -> None:
    text = "groups: [{name: strange, rules: [{record: strange, expr: vector(1)}]}]"
    stack.write("prometheus", "rules/strange.yaml", text)
    HTTP.post(f"{PROMETHEUS}/-/reload", timeout=30).raise_for_status()


def load_and_restore(stack: Stack) -> None:
    before = stack.read("prometheus", "prometheus.yaml")
    stack.edit("prometheus", "prometheus.yaml", remote_write, reload=PROMETHEUS)
    stack.write("prometheus", "prometheus.yaml", before.rstrip("\n"))


# Alertmanager's files.


def empty_receivers(document: Document) -> None:
    document["receivers"] = [{"name": one["name"]} for one in document["receivers"]]


def edit_routes(document: Document) -> None:
    document["route"]["routes"] = document["route"]["routes"][:2]


def mute(document: Document) -> None:
    document.setdefault("time_intervals", []).append(
        {"name": "always", "time_intervals": [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]}
    )
    for route in document["route"]["routes"][2:]:
        route["mute_time_intervals"] = ["always"]


def load_and_restore_alertmanager(stack: Stack) -> None:
    before = stack.read("alertmanager", "alertmanager.yaml")
    stack.edit("alertmanager", "alertmanager.yaml", empty_receivers, reload=ALERTMANAGER)
    stack.write("alertmanager", "alertmanager.yaml", before.rstrip("\n"))


def edited(service: str, file: str, change: Callable[[Any], None], address: str) -> Callable[[Stack], None]:
    return lambda stack: stack.edit(service, file, change, reload=address)


def hook(text: str) -> Callable[[Stack], None]:
    return lambda stack: stack.in_volume("alertmanager", f"printf %s '{text}' > secrets/hookUrl")


# Containers.


def root_with_the_hosts_files(config: dict[str, Any], host: dict[str, Any]) -> None:
    config["User"] = "0:0"
    host |= {"Binds": ["/:/host:rw"], "ReadonlyRootfs": False, "CapDrop": None}


def update(service: str, **limits: Any) -> Callable[[Stack], None]:  # noqa: ANN401 - Docker's own
    return lambda stack: stack.client.api.update_container(stack.name(service), **limits)


def changed(service: str, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Callable[[Stack], None]:
    return lambda stack: stack.recreate(service, change)


def attach(stack: Stack) -> None:
    network = stack.client.networks.create(f"{STACK}-other", labels={LABEL_STACK: f"{STACK}-other"})
    network.connect(stack.name("alertmanager"))


def variable(config: dict[str, Any], _: dict[str, Any]) -> None:
    config["Env"] = [*(config.get("Env") or []), "GODEBUG=http2client=0"]


def command(config: dict[str, Any], _: dict[str, Any]) -> None:
    config["Cmd"] = [*config["Cmd"], "--no-collector.cpu"]


def everywhere(_: dict[str, Any], host: dict[str, Any]) -> None:
    for bound in host["PortBindings"].values():
        bound[0]["HostIp"] = "0.0.0.0"  # noqa: S104 - the sabotage


def anonymous(_: dict[str, Any], host: dict[str, Any]) -> None:
    host["Binds"] = [one for one in host["Binds"] if not one.endswith(":/alertmanager:rw")]


def capability(_: dict[str, Any], host: dict[str, Any]) -> None:
    host["CapAdd"] = ["SYS_PTRACE"]


def privileged(_: dict[str, Any], host: dict[str, Any]) -> None:
    host["Privileged"] = True


def other_image(config: dict[str, Any], _: dict[str, Any]) -> None:
    config |= {"Image": PINS["alertmanager"], "Entrypoint": IDLE, "Cmd": None}


def stranger(stack: Stack) -> None:
    stack.client.containers.run(
        PINS["alertmanager"], entrypoint=IDLE, name=f"{STACK}-stranger", detach=True, network=naming.network(STACK)
    )


def labelled(stack: Stack) -> None:
    labels = {LABEL_STACK: STACK, naming.LABEL_SERVICE: "stranger"}
    image = PINS["alertmanager"]
    stack.client.containers.run(image, entrypoint=IDLE, name=f"{STACK}-stranger-2", detach=True, labels=labels)


def remove(name: str) -> Callable[[Stack], None]:
    return lambda stack: stack.client.containers.get(name).remove(force=True, v=True)


# What happens in a running stack.


def refuse(stack: Stack) -> None:
    stack.answer = 500
    labels = {"alertname": "Sabotage", "severity": "warning", "system": "platform"}
    alert = {"labels": labels, "endsAt": (datetime.now(UTC) + timedelta(minutes=10)).isoformat()}
    HTTP.post(f"{ALERTMANAGER}/api/v2/alerts", json=[alert], timeout=10).raise_for_status()
    # The first message leaves after group_wait, and two scrapes must have seen the attempts.
    time.sleep(25)


def accept(stack: Stack) -> None:
    stack.answer = 200


def out_of_memory(stack: Stack) -> None:
    container = stack.client.containers.get(stack.name("prometheus"))
    limit = container.attrs["HostConfig"]["Memory"]
    statistics: Any = container.stats(stream=False)
    used = statistics["memory_stats"]["usage"]
    tight = used + (16 << 20)
    container.update(mem_limit=tight, memswap_limit=tight)
    eat = "for i in 1 2 3 4 5 6 7 8; do dd if=/dev/zero of=/dev/null bs=8M & done; sleep 6; kill $(jobs -p)"
    container.exec_run(["sh", "-c", eat], user="0:0")

    def restarted() -> bool:
        container.reload()
        return bool(container.attrs["RestartCount"])

    until(restarted)
    container.update(mem_limit=limit, memswap_limit=limit)


def started_anew(stack: Stack) -> None:
    """Docker forgets that a container was killed when it is created again."""
    stack.client.containers.get(stack.name("prometheus")).remove(force=True, v=True)
