"""A second host that is cut off, loses its credential, changes its way, or is gone: it is missed, and nothing is lost.

The tests follow one course of events and stand in its order.
"""

import itertools
import subprocess
import time
from collections import Counter
from typing import Final

import httpx
import pytest
from docker.errors import NotFound

from observability.core import naming
from observability.parts.images import PINS
from observability.settings.hosts import token
from tests.hosts.conftest import host, hosts_stack, running
from tests.hosts.stack import (
    INTERVAL,
    NAME,
    SETTINGS,
    STACK,
    SUBNET,
    Monitored,
    firing,
    sent,
    write,
)
from tests.hosts.test_agent import AGENT
from tests.waits import until

__all__ = ["host", "hosts_stack", "running"]

PER_SECOND: Final = 10
"""Lines that the container of the outage writes."""


def test_a_labelled_container_that_stopped_is_missed_until_it_runs_again(running: Monitored) -> None:
    container = running.host.docker.containers.run(
        PINS["node-exporter"],
        name="labelled",
        network=naming.network(STACK),
        labels={naming.LABEL_SCRAPE: "true", "obs.port": "9100"},
        detach=True,
    )
    until(lambda: running.query('container_start_time_seconds{name="labelled"}'))
    container.stop(timeout=1)
    stopped = time.time()
    until(lambda: [one for one in firing(running, "ContainerDown") if one["name"] == "labelled"])
    print(f"ContainerDown after {time.time() - stopped:.0f} s")  # noqa: T201
    container.start()
    until(lambda: not [one for one in firing(running, "ContainerDown") if one["name"] == "labelled"])
    container.remove(force=True, v=True)


def test_a_host_that_is_cut_off_is_silent_and_then_misses_nothing(running: Monitored) -> None:
    began = time.time()
    write(running, "counter", f"i=0; while :; do i=$((i+1)); echo line $i; sleep {1 / PER_SECOND}; done")
    selector = f'{{host="{NAME}", container="counter"}}'
    until(lambda: running.lines(selector, began))
    running.host.cut()
    cut = time.time()
    try:
        until(lambda: firing(running, "HostSilent"))
        silent = time.time() - cut
        (labels,) = firing(running, "HostSilent")
        assert (labels["host"], labels["severity"]) == (NAME, "critical")
        # Not only what was on its way, and an `up` in the meantime leaves the host as it is.
        said = running.up()
        assert f"{NAME} is left as it is" in said["said"]
        assert said["changed"] == 0
    finally:
        running.host.join()
    joined = time.time()
    until(lambda: not firing(running, "HostSilent"))
    resolved = time.time() - joined
    counter = running.host.docker.containers.get("counter")
    counter.stop(timeout=1)
    written = Counter(counter.logs().decode().split("\n")[:-1])
    until(lambda: len(running.lines(selector, began - 60)) >= len(written))
    assert Counter(line for _, line in running.lines(selector, began - 60)) == written
    counter.remove()

    (series,) = running.query(f'up{{job="node", host="{NAME}"}}[{time.time() - began + 60:.0f}s]')
    times = [float(sample[0]) for sample in series["values"]]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    print(  # noqa: T201
        f"HostSilent after {silent:.0f} s, resolved {resolved:.0f} s after the link; cut for {joined - cut:.0f} s, "
        f"{len(written)} lines, {len(times)} samples, longest gap {max(gaps):.1f} s"
    )
    assert min(times) < cut
    assert max(times) > joined
    assert max(gaps) < 1.5 * INTERVAL


def test_a_withdrawn_credential_is_refused_and_the_host_sends_with_its_new_one(running: Monitored) -> None:
    own = running.secret(token(NAME))
    assert running.obs("secret", "remove", token(NAME), STACK).returncode == 0
    running.up()
    assert sent(running, "/api/v1/write", own) == 401
    assert sent(running, "/api/v1/write", running.secret(token(NAME))) != 401
    again = time.time()
    until(lambda: running.query(f'timestamp(up{{job="node", host="{NAME}"}}) > {again:.0f}'))
    write(running, "late", "echo here; sleep 600")
    until(lambda: running.lines(f'{{host="{NAME}", container="late"}}', again - 60))
    running.host.docker.containers.get("late").remove(force=True, v=True)


def test_a_rotated_credential_is_replaced_and_no_sample_is_missing(running: Monitored) -> None:
    own, began = running.secret(token(NAME)), time.time()
    rotated = running.obs("secret", "rotate", token(NAME), STACK)
    assert rotated.returncode == 0, rotated.stderr
    assert running.secret(token(NAME)) != own
    assert sent(running, "/api/v1/write", own) == 401
    assert sent(running, "/api/v1/write", running.secret(token(NAME))) != 401
    again = time.time()
    until(lambda: running.query(f'timestamp(up{{job="node", host="{NAME}"}}) > {again:.0f}'))
    (series,) = running.query(f'up{{job="node", host="{NAME}"}}[{time.time() - began + 60:.0f}s]')
    times = [float(sample[0]) for sample in series["values"]]
    longest = max(after - before for before, after in itertools.pairwise(times))
    print(f"rotated in {again - began:.0f} s, longest gap between samples {longest:.1f} s")  # noqa: T201
    assert running.up()["changed"] == 0


def test_the_engine_may_be_reached_by_tcp_with_tls_instead(running: Monitored) -> None:
    folder = running.data / "tls"
    folder.mkdir()
    tls = running.host.tls
    for name, path in (("ca", tls.authority), ("cert", tls.client.certificate), ("key", tls.client.key)):
        (folder / f"{name}.pem").write_bytes(path.read_bytes())
    values = running.settings()
    values["hosts"][NAME] = {"docker": running.host.tcp, "tls": str(folder), "subnet": SUBNET}
    running.configure(values)
    # Over the new way a container that someone removed is created again.
    before = running.host.docker.containers.get(f"obs-{STACK}-prometheus").id
    running.host.docker.containers.get(f"obs-{STACK}-node-exporter").remove(force=True, v=True)
    running.up()
    assert running.host.docker.containers.get(f"obs-{STACK}-node-exporter").status == "running"
    assert running.host.docker.containers.get(f"obs-{STACK}-prometheus").id == before


def test_a_removed_host_loses_its_agent_and_its_credential(running: Monitored) -> None:
    own = running.secret(token(NAME))
    removed = running.obs("host", "remove", NAME, STACK)
    assert removed.returncode == 0, removed.stderr
    assert "hosts" not in running.settings()
    running.up()
    for service in AGENT:
        with pytest.raises(NotFound):
            running.host.docker.containers.get(f"obs-{STACK}-{service}")
    volumes = {volume.name for volume in running.host.docker.volumes.list()}
    assert f"obs-{STACK}-prometheus-data" in volumes
    with pytest.raises((httpx.ConnectError, AssertionError)):
        assert sent(running, "/api/v1/write", own) != 401


def test_a_host_that_is_gone_for_good_is_forgotten(running: Monitored) -> None:
    running.configure({**SETTINGS, "edge": {**SETTINGS["edge"], "address": running.host.gateway}})
    added = running.obs("host", "add", NAME, "--docker", running.host.ssh, "--subnet", SUBNET, STACK)
    assert added.returncode == 0, added.stderr
    running.up()
    running.host.cut()
    try:
        refused: subprocess.CompletedProcess[str] = running.obs("host", "remove", NAME, STACK)
        assert refused.returncode == 2
        assert "--forget" in refused.stderr
        assert running.obs("host", "remove", NAME, STACK, "--forget").returncode == 0
        running.up()
    finally:
        running.host.join()
    assert {one.name for one in running.host.docker.containers.list(ignore_removed=True)} >= {
        f"obs-{STACK}-prometheus"
    }
