"""A second host with an agent: its metrics, its containers and their lines arrive. Outages of it: tests/soak.

The tests follow one course of events and stand in its order.
"""

import base64
import json
import time
from typing import Final

from observability.core import naming
from observability.parts.images import PINS
from observability.settings.hosts import token
from tests import networks
from tests.hosts.stack import LABEL, NAME, STACK, Monitored, sent, write
from tests.waits import until

AGENT: Final = {"prometheus", "node-exporter", "cadvisor", "docker-proxy", "collector"}


def test_host_add_refuses_the_engine_that_the_stack_runs_on(hosts_stack: Monitored) -> None:
    before = hosts_stack.file.read_bytes()
    done = hosts_stack.obs(
        "host", "add", "other", "--docker", "unix:///var/run/docker.sock", "--edge", "10.0.0.1", STACK
    )
    assert done.returncode == 2
    assert "is the engine that the stack itself runs on" in done.stderr
    assert hosts_stack.file.read_bytes() == before


def test_host_add_says_why_an_engine_does_not_answer(hosts_stack: Monitored) -> None:
    nobody = str(networks.SUBNETS["second host"][3])
    done = hosts_stack.obs("host", "add", "other", "--docker", f"ssh://root@{nobody}", "--edge", "10.0.0.1", STACK)
    assert done.returncode == 2
    assert f"Docker at ssh://root@{nobody} does not answer: " in done.stderr
    assert nobody in done.stderr.split("does not answer: ")[1]


def test_up_brings_the_agent_to_the_host(running: Monitored) -> None:
    there = {
        str(container.name).removeprefix(f"obs-{STACK}-"): container
        for container in running.host.docker.containers.list(filters=LABEL, ignore_removed=True)
    }
    assert set(there) == AGENT
    for name, container in there.items():
        assert container.attrs["State"]["Health"]["Status"] == "healthy", name


def test_a_second_up_changes_nothing(running: Monitored) -> None:
    assert running.up()["changed"] == 0


def test_metrics_of_the_host_and_of_its_containers_have_its_name(running: Monitored) -> None:
    until(lambda: running.query(f'node_load1{{instance="{NAME}", host="{NAME}", system="platform"}}'))
    query = f'container_start_time_seconds{{instance="{NAME}:8080", name="obs-{STACK}-collector", system="platform"}}'
    until(lambda: running.query(query))
    until(lambda: running.query(f'min(up{{host="{NAME}"}}) == 1'))


def test_a_compose_project_nobody_announced_is_seen_within_a_minute(running: Monitored) -> None:
    began = time.time()
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    write(running, "shop-web-1", "while :; do echo order taken; sleep 1; done", **labels)
    until(lambda: running.lines(f'{{host="{NAME}", service="web"}}', began))
    arrived = time.time() - began
    found, line = running.lines(f'{{host="{NAME}", service="web"}}', began)[0]
    assert line == "order taken"
    assert (found["compose_project"], found["container"], found["system"]) == ("shop", "shop-web-1", "unassigned")
    selector = f'{{instance="{NAME}:8080", name="shop-web-1", container_label_com_docker_compose_project="shop"}}'
    until(lambda: running.query(f"container_memory_working_set_bytes{selector}"))
    print(f"lines after {arrived:.0f} s, metrics after {time.time() - began:.0f} s")  # noqa: T201
    running.host.docker.containers.get("shop-web-1").remove(force=True, v=True)


def test_a_labelled_container_is_scraped_by_the_agent(running: Monitored) -> None:
    labels = {naming.LABEL_SCRAPE: "true"}
    for name, network in (("labelled", naming.network(STACK)), ("elsewhere", "bridge")):
        running.host.docker.containers.run(
            PINS["node-exporter"], name=name, network=network, labels={**labels, "obs.port": "9100"}, detach=True
        )
    instance = f"{NAME}:labelled:9100"
    until(
        lambda: running.query(
            f'up{{instance="{instance}", host="{NAME}", job="containers", system="unassigned"}} == 1'
        )
    )
    rows = {row["check"]: row for row in json.loads(running.obs("verify", "--quick", "--json", STACK).stdout)}
    assert rows[f"container {NAME}/labelled is scraped"]["verdict"] == "passed"
    assert rows[f"container {NAME}/elsewhere is scraped"]["verdict"] == "failed"
    assert f"join the network {naming.network(STACK)}" in rows[f"container {NAME}/elsewhere is scraped"]["detail"]
    for name in ("labelled", "elsewhere"):
        running.host.docker.containers.get(name).remove(force=True, v=True)


def test_verify_and_host_list_pass_for_a_host_that_sends(running: Monitored) -> None:
    listed = running.obs("host", "list", "--json", STACK)
    assert listed.returncode == 0, listed.stdout + listed.stderr
    (row,) = json.loads(listed.stdout)
    assert (row["host"], row["state"], row["agent"], row["ok"]) == (NAME, "reachable", "5 of 5 well", True)
    assert row["last_sample"] < 60
    verified = {row["check"]: row for row in json.loads(running.obs("verify", "--quick", "--json", STACK).stdout)}
    assert verified[f"{NAME} sends"]["verdict"] == "passed", verified[f"{NAME} sends"]
    for service in AGENT:
        assert verified[f"container {NAME}/{service}"]["verdict"] == "passed"


def test_the_edge_takes_a_hosts_credential_and_no_other(running: Monitored) -> None:
    own = running.secret(token(NAME))
    for path in ("/api/v1/write", "/otlp/v1/logs"):
        assert sent(running, path, own) not in (401, 403, 404)
        assert sent(running, path, None) == 401
        assert sent(running, path, base64.b64encode(own.encode()).decode()) == 401
