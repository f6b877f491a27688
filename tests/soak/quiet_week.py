"""A week of the demo at real traffic on a simulated clock, and what the alerts of the stack `dev` make of it.

Each system is simulated as the demo does it, by day and night and at the weekend, and read every minute. Before the
week are eight days of what `demo.history` writes for a new stack, for the alerts that compare with a week ago.
promtool evaluates the alerting rules of the stack, with the recording rules of one system at a time and the files
about what that system has; those of all systems and of the stack's own host together are all. The shop, which is a
real program in the demo, is simulated too; the series of hosts, stores and pages follow the load.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Final

from dashboards.linked_rules import files
from demo import history
from demo.chance import DAY, load
from demo.conditions import Conditions
from demo.engine import simulations
from demo.exposition import Exposition
from demo.systems import PROFILES, SHOP, simulation
from demo.systems.profile import Operation, Route
from demo.systems.simulation import Simulation
from observability.core.documents import load_yaml
from observability.settings.load import from_file
from rules.promql import matchers
from tests.rules.harness import MADE, needed
from tests.tools import run_tool

STEP: Final = 60
"""Seconds between two scrapes, and two ticks of the simulation."""

EVERY: Final = 120
"""Seconds between two evaluations of the rules; in a stack they are 5 to 60."""

PAST: Final = round(history.DAYS * DAY)
BEFORE: Final = 3 * 3600
"""Seconds for which the systems run before the week, so that its first hours have whole hours to compare with."""

WEEK: Final = round(7 * DAY)

MONDAY: Final = 1_767_571_200
"""2026-01-05, 00:00 UTC: when the week begins."""

PLATFORM: Final = "platform"

OF_SYSTEMS: Final = (
    *("applications", "business", "external_apis", "objectives", "processes", "security", "stack", "trends"),
)
OF_STORES: Final[Mapping[str, tuple[str, ...]]] = {
    "alawael": ("redis",),
    SHOP.name: ("endpoints", "nginx", "postgres", "redis", "tables"),
}
"""Rule files about systems, and about the stores, proxies and pages that are simulated with one of them."""

SEED: Final = 7

_NOT_OF_THE_PAST: Final = ("app:system:info", "app:http_requests:rate5m", "app:active_users:avg1h")
"""What the rules themselves record in those days, or what they would derive other series of the past from."""

Values = dict[str, dict[int, float]]
"""By series: its value at each time (seconds since 1970)."""


@dataclass(frozen=True, kw_only=True, order=True)
class Fired:
    """An alert that fired in the week: how often it began, and for how many minutes it fired in all."""

    system: str
    alert: str
    severity: str
    page: str
    times: int = 0
    minutes: int = 0


class Shop(Simulation):
    """What the shop exposes, from the mix of its customers' requests."""

    profile = SHOP

    def start_route(self, route: Route) -> None:
        """Start the route's 5xx."""
        self.out.start("http_requests_total", method=route.method, route=route.template, status_code="500")

    def start(self) -> None:
        """Start the cache's outcomes."""
        for result in ("hit", "miss"):
            self.out.start("cache_requests_total", result=result)

    def answered(self, route: Route, status: int, seconds: float) -> None:
        """Count it, its query and its effects."""
        labels = {"method": route.method, "route": route.template, "status_code": str(status)}
        self.out.inc("http_requests_total", **labels)
        self.out.observe("http_request_duration_ms", 1000 * seconds, **labels)
        written = route.method == "POST"
        self.out.observe("db_query_duration_ms", 1000 * self.time(0.004), operation="insert" if written else "select")
        if route.template == "/api/products/{id}":
            self.out.inc("cache_requests_total", result="miss" if self.random.random() < 0.08 else "hit")
        made = {
            "/api/orders": "orders_created_total",
            "/api/messages": "messages_sent_total",
            "/api/users": "user_registrations_total",
            "/api/products": "products_created_total",
        }
        if written:
            self.out.inc(made[route.template])
        if written and route.template == "/api/orders":
            self.out.inc("order_total_amount", self.random.gammavariate(2, self.profile.pace.revenue_usd / 2))

    def queried(self, operation: Operation, seconds: float, *, failed: bool) -> None:
        """It has no operations apart from its requests."""

    def live(self, now: float, busy: float, requests: int, how: Conditions) -> None:  # noqa: ARG002 - not all is used
        """The process and its users."""
        self.run_node(now, busy, how)
        self.out.set("active_users", round(self.level("users", self.profile.pace.users * busy, 0.02)))


class Redis:
    """Look-ups of the cache whose exporter tells them."""

    def __init__(self) -> None:
        self.hits = self.misses = 0

    def __call__(self, hits: int, misses: int) -> None:
        self.hits += hits
        self.misses += misses


def lived(name: str, start: int, end: int) -> Values:
    """What Prometheus reads of a system in this time."""
    redis = Redis()
    profile = PROFILES[name]
    if profile is SHOP:
        out = Exposition(profile.series)
        system: Simulation = Shop(out, Random(SEED))  # noqa: S311 - no secret
    else:
        system, out = simulations(redis, seed=SEED)[name]
    own = {"system": name, "job": profile.job, "instance": profile.instance}
    found: Values = defaultdict(dict)
    names: dict[tuple[str, ...], str] = {}
    short, simulation.LONGEST_TICK = simulation.LONGEST_TICK, float(STEP)  # type: ignore[misc]  # restored below
    try:
        for moment in range(start, end + 1, STEP):
            system.tick(moment, STEP, profile.ordinary)
            for family in out.registry.collect():
                for sample in family.samples:
                    key = (sample.name, *sample.labels.values())
                    if key not in names:
                        names[key] = _own_name(sample.name, profile.series) + matchers({**sample.labels, **own})
                    found[names[key]][moment] = sample.value
            found["up" + matchers(own)][moment] = 1
            if name == "alawael":
                of = matchers({"system": name, "job": "redis", "instance": "alawael.demo:6380"})
                found["redis_keyspace_hits_total" + of][moment] = redis.hits
                found["redis_keyspace_misses_total" + of][moment] = redis.misses
    finally:
        simulation.LONGEST_TICK = short  # type: ignore[misc]  # as it was
    return found


def _own_name(name: str, series: Any) -> str:  # noqa: ANN401 - the demo's own
    """The name that the system exposes: the library adds `_total` to every counter."""
    base = name.removesuffix("_total")
    return base if any(one.name == base and one.kind == "counter" for one in series) else name


@cache
def _past(start: int, end: int) -> Mapping[str, Values]:
    """What the rules recorded before, as `demo.history` writes it, by system."""
    found: dict[str, Values] = {name: defaultdict(dict) for name in PROFILES}
    for line in history.lines(start, end, SHOP.pace.requests):
        series, _, rest = line.rpartition("}")
        if series.startswith("app:") and not series.startswith(_NOT_OF_THE_PAST):
            value, moment = rest.split()
            (name,) = re.findall(r'system="([^"]+)"', series)
            found[name][series + "}"][int(moment)] = float(value)
    return found


def beside(start: int, end: int) -> Values:
    """The stack's own host, which is backed up at night, and its targets."""
    of = {"system": PLATFORM, "job": "node", "instance": "docker-host"}
    disk = {**of, "device": "/dev/sda1", "fstype": "ext4", "mountpoint": "/"}
    busy_seconds = 0.0
    size, memory = 200e9, 24e9
    found: Values = defaultdict(dict)
    targets = ("prometheus", "alertmanager", "loki", "collector", "heartbeat", "grafana", "cadvisor", "blackbox")
    for moment in range(start, end + 1, STEP):
        second = moment % round(DAY)
        backed_up = 2 * 3600 <= second < 2 * 3600 + 8 * 60
        busy = 0.6 if backed_up else 0.15 + 0.35 * load(moment)
        busy_seconds += busy * STEP
        age = moment - start
        # Logs and blocks grow by 600 MB a day and are deleted at night.
        used = 0.55 * size + 600e6 * (second / DAY) + 20e6 * age / DAY
        values: Mapping[str, tuple[dict[str, str], float]] = {
            "node_load15": (of, 1.2 * busy),
            "node_memory_MemTotal_bytes": (of, memory),
            "node_memory_MemAvailable_bytes": (of, memory * (0.55 - 0.15 * load(moment))),
            "node_time_seconds": (of, moment),
            "node_boot_time_seconds": (of, start - 30 * DAY),
            "node_filesystem_size_bytes": (disk, size),
            "node_filesystem_free_bytes": (disk, size - used),
            "node_filesystem_avail_bytes": (disk, size - used),
            "node_filesystem_readonly": (disk, 0),
            "node_filesystem_files": (disk, 12e6),
            "node_filesystem_files_free": (disk, 10e6),
            "node_vmstat_oom_kill": (of, 0),
        }
        for series, (labels, value) in values.items():
            found[series + matchers(labels)][moment] = value
        for mode, seconds in (("idle", age - busy_seconds), ("user", busy_seconds)):
            found["node_cpu_seconds_total" + matchers({**of, "cpu": "0", "mode": mode})][moment] = max(0, seconds)
        for job in (*targets, "node"):
            target = of if job == "node" else {"system": PLATFORM, "job": job, "instance": f"{job}:1"}
            found["up" + matchers(target)][moment] = 1
            found["scrape_duration_seconds" + matchers(target)][moment] = 0.05
    return found


def stores(start: int, end: int) -> Values:
    """The shop's data stores, proxy and page; PostgreSQL's transactions and reads follow the load."""

    def of(job: str, instance: str, **more: str) -> str:
        return matchers({"system": SHOP.name, "job": job, "instance": instance, **more})

    found: Values = defaultdict(dict)
    done = 0.0
    database = of("postgres", "social-selling.demo:5432", datname="social_selling", datid="16384")
    page = of("blackbox", "http://social-selling.demo/health", probe="social-selling")
    for moment in range(start, end + 1, STEP):
        done += 8 * load(moment) * STEP
        values = {
            "pg_up" + of("postgres", "social-selling.demo:5432"): 1,
            "redis_up" + of("redis", "social-selling.demo:6379"): 1,
            "nginx_up" + of("nginx", "social-selling"): 1,
            "nginx_connections_active" + of("nginx", "social-selling"): 20 * load(moment),
            "pg_stat_database_xact_commit" + database: round(done),
            "pg_stat_database_xact_rollback" + database: round(0.01 * done),
            "pg_stat_database_blks_hit" + database: round(60 * done),
            "pg_stat_database_blks_read" + database: round(0.3 * done),
            "pg_stat_database_deadlocks" + database: 0,
            "pg_stat_database_numbackends" + database: 6,
            "pg_settings_max_connections" + of("postgres", "social-selling.demo:5432"): 100,
            "probe_success" + page: 1,
            "probe_http_status_code" + page: 200,
            "probe_duration_seconds" + page: 0.03,
            "probe_failed_due_to_regex" + page: 0,
        }
        for series, value in values.items():
            found[series][moment] = value
    return found


def fired(name: str, *, week: int = WEEK) -> list[Fired]:
    """The alerts that fire in the week with one system's series, or with those of the stack's own host."""
    begin = MONDAY - BEFORE
    end = MONDAY + week
    if name == PLATFORM:
        start, found = begin, beside(begin, end)
    else:
        start = begin - PAST
        found = _past(start, begin - STEP)[name] | lived(name, begin, end)
        if name == SHOP.name:
            found |= stores(begin, end)
    return _judged(name, found, start, end)


def _judged(name: str, found: Values, start: int, end: int) -> list[Fired]:
    by = "sum by (alertname, severity, page, system)"
    firing = 'ALERTS{alertstate="firing",alertname!~"Watchdog|RecentlyCritical"}'
    week = f"{end - MONDAY}s"
    began = f"({firing} unless {firing} offset {EVERY}s)"
    asked = {
        "times": f"{by} (count_over_time({began}[{week}:{EVERY}s]))",
        "minutes": f"{by} (count_over_time({firing}[{week}])) * {EVERY / 60:g}",
    }
    document = {
        "rule_files": ["rules.json"],
        "evaluation_interval": f"{EVERY}s",
        "group_eval_order": [group["name"] for group in _groups(name)],
        "tests": [
            {
                "name": name,
                "interval": f"{STEP}s",
                "start_timestamp": start,
                "input_series": [
                    {"series": series, "values": _notation(values, start, end)} for series, values in found.items()
                ],
                # What is expected is wrong on purpose: promtool then prints what there is.
                "promql_expr_test": [
                    {"expr": expr, "eval_time": f"{end - start}s", "exp_samples": [{"labels": "{}", "value": -1}]}
                    for expr in asked.values()
                ],
            }
        ],
    }
    written = {"rules.json": json.dumps({"groups": _groups(name)}), "week.test.json": json.dumps(document)}
    output = run_tool("prometheus", ["promtool", "test", "rules", "week.test.json"], written).output
    answers = re.findall(r"^\s*got: ?(.*)$", output, re.MULTILINE)
    assert len(answers) == len(asked), output
    times, minutes = (dict(_samples(answer)) for answer in answers)
    return sorted(
        Fired(
            system=labels["system"],
            alert=labels["alertname"],
            severity=labels["severity"],
            page=labels["page"],
            times=max(1, round(times.get(key, 0))),
            minutes=round(value),
        )
        for key, value in minutes.items()
        for labels in [dict(key)]
    )


def _notation(values: Mapping[int, float], start: int, end: int) -> str:
    """promtool's notation of a value at each step from the start to the end."""
    first = min(values)
    written = [f"_x{(first - start) // STEP}"] if first > start else []
    for moment in range(first, end + 1, STEP):
        value = values.get(moment)
        if value is None and moment > max(values):
            break
        written.append("_" if value is None else f"{value:.10g}")
    return " ".join(written)


def _samples(answer: str) -> Iterator[tuple[frozenset[tuple[str, str]], float]]:
    for labels, value in re.findall(r"\{([^}]*)\} ([0-9.E+-]+)", answer):
        yield frozenset(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)


@cache
def _rules() -> Mapping[str, list[dict[str, Any]]]:
    """The rule groups of the stack `dev`, by file."""
    texts = files(from_file("dev", complete=False))
    return {name: load_yaml(text)["groups"] for name, text in texts.items()}


def rule_files(name: str) -> list[str]:
    """The rule files of alerts that are evaluated with this system; with the stack's own host, all that are left."""
    written = {file.removesuffix(".yaml") for file in _rules()} - {*MADE}
    own = {*OF_SYSTEMS, *OF_STORES.get(name, ())}
    left = written - {*OF_SYSTEMS}.union(*OF_STORES.values()) | {"stack"}
    return sorted(left if name == PLATFORM else own & written)


@cache
def _groups(name: str) -> list[dict[str, Any]]:
    """The alerts, without texts, whose templates are no concern here, and the recordings of one system they read."""
    wanted: Callable[[str], bool] = lambda group: bool(re.fullmatch(rf"[a-z]+-{name}(/.*)?", group))  # noqa: E731
    made = [group for file in MADE for group in _rules()[f"{file}.yaml"] if wanted(group["name"])]
    static = [
        {**group, "rules": [{key: rule[key] for key in rule if key != "annotations"} for rule in group["rules"]]}
        for file in rule_files(name)
        for group in _rules()[f"{file}.yaml"]
    ]
    return [*needed(made, json.dumps(static)), *static]
