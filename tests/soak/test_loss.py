"""100,000 lines on two hosts: Loki stopped, an agent killed, a host cut off. Every line is stored once.

One case has the host cut off for ten minutes, one for an hour; `-k ten` runs the first alone.
"""

import itertools
import json
import os
import signal
import time
from collections import Counter
from functools import partial
from typing import Any, Final

import pytest

from observability.core import http, naming
from observability.parts.images import PINS
from tests.hosts.conftest import host, hosts_stack, running
from tests.hosts.stack import INTERVAL, NAME, STACK, Monitored, write
from tests.waits import until

__all__ = ["host", "hosts_stack", "running"]

EACH: Final = 50_000
"""Lines that the container on each host writes."""
LOKI_STOPPED: Final = 120.0
"""Seconds for which Loki is stopped."""
BESIDE: Final = 240.0
"""Seconds for which lines are written besides those of the cut: before it, while Loki is stopped, and after."""
SLICE: Final = 10
"""Seconds of lines that one request asks for: fewer than Loki returns at most."""
MOST: Final = 5000
"""Lines that Loki returns at most."""


def writer(name: str, seconds: float) -> str:
    """A shell command that writes EACH numbered lines, evenly over a time."""
    burst = EACH / seconds
    steps = f"n={EACH}; i=0; s=0; while [ $i -lt $n ]; do s=$((s+1)); "
    return (
        f"{steps} to=$((s*{round(burst * 1000)}/1000)); [ $to -gt $n ] && to=$n; "
        f"while [ $i -lt $to ]; do i=$((i+1)); echo {name} $i; done; sleep 1; done; sleep 3600"
    )


def stored(selector: str, began: float) -> Counter[str]:
    """Every stored line of a selector, with how often it is stored."""
    found: Counter[str] = Counter()
    with http.client(timeout=60) as client:
        for start in range(int(began), int(time.time()) + 1, SLICE):
            params = {"query": selector, "limit": str(MOST), "direction": "forward"}
            params |= {"start": f"{start}000000000", "end": f"{start + SLICE}000000000"}
            answer = client.get("http://127.0.0.1:19104/loki/api/v1/query_range", params=params)
            answer.raise_for_status()
            lines = [line for one in answer.json()["data"]["result"] for _, line in one["values"]]
            assert len(lines) < MOST, f"{len(lines)} lines in {SLICE} s: more than one request returns"
            found.update(lines)
    return found


def state(running: Monitored, name: str) -> dict[str, Any]:
    """The state of a service on the second host, asked there: its link may be cut."""
    asked = running.host.run("docker", "inspect", "--format", "{{json .State}}", naming.container(STACK, name))
    return dict(json.loads(asked))


def killed(running: Monitored, name: str) -> None:
    """Kill a program of the second host's agent as the kernel does when memory runs out; Docker restarts it."""
    before = state(running, name)
    running.host.run("kill", f"-{signal.SIGKILL}", str(before["Pid"]))
    until(lambda: state(running, name)["StartedAt"] != before["StartedAt"])


@pytest.mark.parametrize("cut", [600.0, 3600.0], ids=["ten minutes", "an hour"])
def test_every_line_is_stored_once_and_every_sample_but_those_of_the_kill(running: Monitored, cut: float) -> None:
    mark = os.urandom(3).hex()
    names = {side: f"{side}-{mark}" for side in ("here", "there")}
    began = time.time()
    image = PINS["alertmanager"]
    running.host.local.containers.run(
        image,
        ["-c", writer("here", cut + BESIDE)],
        name=names["here"],
        entrypoint="/bin/sh",
        user="65534",
        detach=True,
    )
    write(running, names["there"], writer("there", cut + BESIDE))
    selectors = {side: f'{{container="{name}"}}' for side, name in names.items()}
    try:
        for selector in selectors.values():
            until(partial(running.lines, selector, began))
        running.host.cut()
        away = time.time()
        loki = running.host.local.containers.get(naming.container(STACK, "loki"))
        loki.stop()
        time.sleep(LOKI_STOPPED)  # This is the length of the outage, not a wait for something.
        loki.start()
        killed(running, "collector")
        kill = time.time()
        killed(running, "prometheus")
        back = time.time()
        time.sleep(max(0.0, away + cut - time.time()))  # As above.
    finally:
        running.host.join()
    joined = time.time()

    wanted = {side: Counter(f"{side} {i + 1}" for i in range(EACH)) for side in names}
    late: dict[str, float] = {}
    for side, selector in selectors.items():
        query = f"sum(count_over_time({selector}[{cut + BESIDE + 3600:.0f}s]))"

        def complete(query: str = query) -> bool:
            answer = http.get("http://127.0.0.1:19104/loki/api/v1/query", params={"query": query}, timeout=60)
            result = answer.json()["data"]["result"] if answer.status_code == 200 else []
            return bool(result) and int(float(result[0]["value"][1])) >= EACH

        until(complete, cut + BESIDE + 900)
        late[side] = time.time() - joined
        found = stored(selector, began - SLICE)
        missing, extra = wanted[side] - found, found - wanted[side]
        assert found == wanted[side], f"{side}: {missing.total()} missing, {extra.total()} extra"

    (series,) = running.query(f'up{{job="node", host="{NAME}"}}[{time.time() - began:.0f}s]')
    times = [float(sample[0]) for sample in series["values"]]
    gaps = [(before, after) for before, after in itertools.pairwise(times) if after - before > 1.5 * INTERVAL]
    print(  # noqa: T201
        f"cut for {joined - away:.0f} s, Loki stopped for {LOKI_STOPPED:.0f} s: {2 * EACH} lines stored once; "
        + ", ".join(f"{side} complete {seconds:.0f} s after the link" for side, seconds in late.items())
        + f"; {len(times)} samples, gaps of {[round(after - before) for before, after in gaps]} s"
    )
    assert len(gaps) <= 1
    assert all(before <= back and after >= kill for before, after in gaps)
    running.host.local.containers.get(names["here"]).remove(force=True, v=True)
    # Asked there: the client's connection is from before the cut.
    running.host.run("docker", "rm", "--force", "--volumes", names["there"])
