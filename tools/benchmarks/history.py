"""A month of canonical series of many systems, as text from which promtool creates blocks."""

import math
import re
from collections.abc import Iterator, Mapping
from itertools import product
from random import Random
from typing import Final

from dashboards.linked_rules import files
from observability.settings.load import StackConfig
from rules.promql import matchers

SYSTEMS: Final = tuple(f"system-{number:02d}" for number in range(1, 21))
HOSTS: Final = 2
"""Hosts, and instances, of each system."""

STEP: Final = 300
"""Seconds between two samples."""

SHAPES: Final = 16
"""Number of different curves of the values; more would only take longer to write."""

_INPUTS: Final = re.compile(r".*:(bucket|events)_rate5m|slo:sli_(errors|events):.*")
"""Inputs of percentiles and objectives: no panel queries them."""

_MANY: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "route": {"route": tuple(f"/api/things/{number}" for number in range(12))},
    "operation": {"operation": ("select", "insert", "update", "delete", "aggregate")},
    "domain": {"domain": ("crm", "finance", "inventory", "analytics")},
    "quantile5m": {"quantile": ("0.5", "0.95", "0.99")},
    "app:threshold": {"severity": ("warning", "critical")},
    "slo:": {"slo": ("availability", "latency")},
    "instance": {"instance": tuple(f"host-{number}.%s:9100" for number in range(HOSTS))},
    "instance_device": {"device": ("/dev/sda1", "/dev/sda2", "/dev/sdb1")},
}
"""Labels besides `system` of the series whose name contains a word; `%s` stands for the system."""

JOBS: Final = ("backend", "node", "postgres", "redis", "blackbox")

ALERTS: Final = (("HighErrorRate", "warning"), ("CriticalErrorRate", "critical"), ("LowUserActivity", "info"))
FIRING: Final = 0.03
"""Share of the time in which each of them fires."""


def recorded(config: StackConfig) -> list[str]:
    """The names of the canonical series that panels may query."""
    names = {name for text in files(config).values() for name in re.findall(r"record: (\S+)", text)}
    return sorted(name for name in names if not _INPUTS.fullmatch(name))


def series(config: StackConfig) -> Iterator[str]:
    """Every series but the alerts, as text: 20 systems that have all signals."""
    names = recorded(config)
    for system in SYSTEMS:
        for name in names:
            labels = {
                label: values for word, found in _MANY.items() if word in name for label, values in found.items()
            }
            for values in product(*labels.values()):
                own = dict(zip(labels, (value.replace("%s", system) for value in values), strict=True))
                yield name + matchers({"system": system, **own})
        for job, host in product(JOBS, range(HOSTS)):
            yield "up" + matchers({"system": system, "job": job, "instance": f"{job}-{host}.{system}:80"})
        for host in range(HOSTS):
            instance = f"https://{host}.{system}.example.com"
            yield "probe_success" + matchers({"system": system, "job": "blackbox", "instance": instance})


def text(config: StackConfig, start: int, end: int) -> Iterator[str]:
    """The samples from one moment to before another (seconds since 1970), in OpenMetrics' format."""
    random = Random(start)  # noqa: S311 - no secret
    moments = range(start, end, STEP)
    courses = [[f" {_value(shape, moment, random):.4g} {moment}\n" for moment in moments] for shape in range(SHAPES)]
    for number, one in enumerate(series(config)):
        yield one + one.join(courses[number % SHAPES])
    for system, (name, severity) in product(SYSTEMS, ALERTS):
        own = {"alertname": name, "severity": severity, "system": system, "component": "application"}
        began: int | None = None
        for moment in moments:
            # An hour at a time; in the last hour, which tables show, every alert fires.
            firing = moment >= end - 3600 or Random(f"{system}{name}{moment // 3600}").random() < FIRING  # noqa: S311 - no secret
            began = (moment if began is None else began) if firing else None
            if began is not None:
                yield f"ALERTS{matchers({**own, 'alertstate': 'firing'})} 1 {moment}\n"
                yield f"ALERTS_FOR_STATE{matchers(own)} {began} {moment}\n"
    watchdog = "ALERTS" + matchers({"alertname": "Watchdog", "alertstate": "firing", "system": "platform"})
    yield "".join(f"{watchdog} 1 {moment}\n" for moment in moments)
    yield "# EOF\n"


def _value(shape: int, moment: int, random: Random) -> float:
    """A daily curve with some noise, from 0 to 1."""
    wave = 0.5 + 0.4 * math.sin(2 * math.pi * (moment / 86400 + shape / SHAPES))
    return max(0.0, wave * random.gauss(1, 0.03))
