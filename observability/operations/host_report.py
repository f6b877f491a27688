"""What is known of each other host of a running stack: its Docker, its agent, and the age of what it sent last."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import httpx

from observability.core import http
from observability.operations import labelled
from observability.operations.hosts import Hosts
from observability.operations.log_files import log_files
from observability.operations.parts import Answer, Get, Retry
from observability.operations.rows import verdict
from observability.settings.load import StackConfig
from observability.synth.declared import Declared
from observability.synth.record import record

FRESH: Final = 60.0
"""Age in seconds that the newest sample of a host may have."""

_LOOK_BACK: Final = "12h"


def report(config: StackConfig, rules: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row for each host; ages in seconds, None where nothing arrived lately or the stack does not answer."""
    hosts = Hosts.connect(config)
    declared = record(config, rules)
    states = hosts.states(declared)
    rows = []
    for name, host in config.settings.hosts.items():
        own = [state for state in states if state.service.startswith(f"{name}/")]
        well = sum(state.ok for state in own)
        sample, line = _age(last_sample, config, name), _age(last_line, config, name)
        ok = well == len(own) and sample is not None and sample < FRESH
        bad = ", ".join(f"{state.service.partition('/')[2]} {state.state}" for state in own if not state.ok)
        rows.append(
            {
                "host": name,
                "docker": host.docker,
                "state": "unreachable" if name in hosts.silent else "reachable",
                "agent": f"{well} of {len(own)} well" + (f": {bad}" if bad and name in hosts.clients else ""),
                "last_sample": None if sample is None else round(sample),
                "last_line": None if line is None else round(line),
                "ok": ok,
                "detail": hosts.silent.get(name, ""),
            }
        )
    return rows


def checks(config: StackConfig, declared: Sequence[Declared], get: Get, retry: Retry) -> Iterator[Answer]:
    """For `verify`: every container of an agent, and whether each host has sent a sample within a minute."""
    if not config.settings.hosts:
        return
    hosts = Hosts.connect(config)
    found = hosts.states(declared)

    def all_well() -> bool:
        found[:] = hosts.states(declared)
        return all(state.ok or state.state == "unreachable" for state in found)

    retry(all_well)
    for name, reason in hosts.silent.items():
        yield f"Docker of {name}", "failed", reason
    for state in found:
        yield f"container {state.service}", verdict(state.ok), state.state
    for name in config.settings.hosts:
        age: float | None = None

        def fresh(name: str = name) -> bool:
            nonlocal age
            age = last_sample(get, name)
            return age is not None and age < FRESH

        ok = retry(fresh)
        detail = f"its last sample arrived {age:.0f} s ago" if age is not None else f"no sample in {_LOOK_BACK}"
        yield f"{name} sends", verdict(ok), detail
    for name, client in hosts.clients.items():
        yield from log_files(config, client, name)
        yield from labelled.containers(config, client, get, retry, name)


def last_sample(get: Get, host: str) -> float | None:
    """Age in seconds of the newest sample of a host; None: none in 12 hours."""
    query = f'time() - max(max_over_time(host:last_sample:timestamp{{host="{host}"}}[{_LOOK_BACK}]))'
    result = get("prometheus", "/api/v1/query", query=query)["data"]["result"]
    return max(float(result[0]["value"][1]), 0.0) if result else None


def last_line(get: Get, host: str) -> float | None:
    """Age in seconds of the newest log line of a host; None: none in an hour."""
    start = f"{time.time() - 3600:.0f}000000000"
    found = get(
        "loki", "/loki/api/v1/query_range", query=f'{{host="{host}"}}', limit="1", start=start, direction="backward"
    )
    values = [value for stream in found["data"]["result"] for value in stream["values"]]
    return time.time() - max(int(value[0]) for value in values) / 1e9 if values else None


def sent_since(config: StackConfig, hosts: Sequence[str], moment: float) -> set[str]:
    """Those of these hosts that have sent a sample taken after a moment, waiting a minute for it at the most."""
    found: set[str] = set()
    while True:
        for host in set(hosts) - found:
            age = _age(last_sample, config, host)
            if age is not None and time.time() - age > moment:
                found.add(host)
        if len(found) == len(set(hosts)) or time.time() > moment + FRESH:
            return found
        time.sleep(1)


def _age(read: Any, config: StackConfig, host: str) -> float | None:  # noqa: ANN401 - one of the two above
    """What a server says of a host; None where it does not answer."""

    known = config.addresses

    def get(service: str, path: str, **params: str) -> Any:  # noqa: ANN401 - whatever the API answers
        answer = http.get(known[service] + path, params=params, timeout=5)
        answer.raise_for_status()
        return answer.json()

    try:
        found: float | None = read(get, host)
    except (httpx.HTTPError, KeyError):
        return None
    return found
