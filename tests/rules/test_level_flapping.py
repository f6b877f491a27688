"""Level alerts do not flap: one incident stays one, whatever single scrapes say.

Rules are evaluated every 5 seconds; targets are scraped every 15, as in a stack by default, or every 30.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from tests.rules.harness import Case, Firing, promtool
from tests.rules.raw import series

STARTS: Final = 'changes(ALERTS_FOR_STATE{alertname="%s"}[15m])'
"""How often the condition of an alert began anew, and a series for each time that it was absent before."""

END: Final = "14m50s"


def level(alert: str, severity: str, component: str, condition: str, **more: str) -> Firing:
    labels = {"severity": severity, "component": component, "condition": condition}
    return Firing(alert=alert, labels={**labels, "system": "depot", "team": "depot", **more})


INSTANCE: Final = {"instance": "depot-1:3000"}
EXHAUSTED: Final = level("DatabasePoolExhausted", "critical", "database", "db_pool", **INSTANCE)
USED: Final = level("DatabasePoolUsage", "warning", "database", "db_pool", **INSTANCE)
MEMORY: Final = level("HighMemoryUsage", "warning", "application", "memory_usage", **INSTANCE)
STOCK: Final = level("LowInventory", "warning", "business", "inventory", sku="bolt", warehouse="north")


def dips(bad: float, good: float | None, every: int = 12) -> str:
    """A value every 15 seconds for 15 minutes; every so many of them, one is good, or absent."""
    other = "_" if good is None else f"{good:g}"
    return " ".join(other if number % every == every - 1 else f"{bad:g}" for number in range(60))


def pool(values: str) -> dict[str, str]:
    return {
        series("db_connections_max", "depot"): "100x80",
        series("db_connections_in_use", "depot"): values,
    }


def memory(values: str) -> dict[str, str]:
    return {
        series("memory_limit_bytes", "depot"): "100x80",
        series("process_resident_memory_bytes", "depot"): values,
    }


def stock(values: str) -> dict[str, str]:
    return {series("inventory_stock_level", "depot", {"sku": "bolt", "warehouse": "north"}): values}


def gauge_of(name: str, job: str, values: str, limit: str = "", most: int = 100, **labels: str) -> dict[str, str]:
    """A gauge of an exporter, and its limit."""
    found = {series(name, "depot", labels, job=job): values}
    return found | ({series(limit, "depot", job=job): f"{most}x80"} if limit else {})


CONNECTIONS: Final = level("HighDatabaseConnections", "warning", "database", "db_connections", **INSTANCE)
CLIENTS: Final = level("RedisConnectionsHigh", "warning", "cache", "db_connections", **INSTANCE)
PROXY: Final = level("NginxHighConnections", "warning", "proxy", "proxy_connections", **INSTANCE)
HOST: Final = level("HighMemoryUsage", "warning", "host", "memory_usage", **INSTANCE)
STORES: Final = (
    (CONNECTIONS, "postgres", ("pg_stat_database_numbackends", "postgres", 85, 60, "pg_settings_max_connections")),
    (CLIENTS, "redis", ("redis_connected_clients", "redis", 85, 60, "redis_config_maxclients")),
    (PROXY, "nginx", ("nginx_connections_active", "nginx", 900, 300, "")),
    (HOST, "host", ("node_memory_MemAvailable_bytes", "node", 10, 60, "node_memory_MemTotal_bytes")),
)
"""The alert, its file, and the gauge with its job, a bad and a good value, and the series of its limit of 100."""


def times(*minutes: float) -> list[str]:
    return [f"{round(minute * 60)}s" for minute in minutes]


def one_incident(
    name: str, found: dict[str, str], alerts: Sequence[Firing], file: str, after: float, step: str = "15s"
) -> Case:
    """The first of the alerts fires from `after` minutes on without a break, and its condition began once."""
    first = alerts[0]
    page = "yes" if first.labels["severity"] == "critical" else "no"
    grid = [after + step / 12 for step in range(round((14.5 - after) * 12))]
    return Case(
        name=name,
        alert=first.alert,
        series=found,
        expect={time: list(alerts) for time in times(*grid)},
        load=(file,),
        step=step,
        every="5s",
        values={STARTS % first.alert: [({"alertname": first.alert, "page": page, **first.labels}, 0)]},
        at=END,
    )


def _cases() -> Iterator[Case]:
    for word, every in (("three minutes", 12), ("minute", 4)):
        yield one_incident(
            f"DatabasePoolExhausted is one incident where one scrape every {word} is below its limit",
            pool(dips(96, 94, every)),
            (EXHAUSTED, USED),
            "applications.yaml",
            5.25,
        )
    yield one_incident(
        "DatabasePoolExhausted is one incident where one scrape every three minutes finds an idle pool",
        pool(dips(98, 3)),
        (EXHAUSTED, USED),
        "applications.yaml",
        5.25,
    )
    yield one_incident(
        "DatabasePoolExhausted is one incident where every eighth scrape fails",
        pool(dips(98, None, 8)),
        (EXHAUSTED, USED),
        "applications.yaml",
        5.25,
    )
    for word, every in (("six minutes", 12), ("two minutes", 4)):
        yield one_incident(
            f"DatabasePoolExhausted is one incident where one scrape of 30 seconds every {word} is below its limit",
            pool(dips(96, 94, every)),
            (EXHAUSTED, USED),
            "applications.yaml",
            5.25,
            "30s",
        )
    yield one_incident(
        "HighMemoryUsage of a process is one incident where a scrape follows each garbage collection",
        memory(dips(88, 40)),
        (MEMORY,),
        "processes.yaml",
        5.25,
    )
    yield one_incident(
        "LowInventory is one incident where an instance reports the stock of before at times",
        stock(dips(9, 11)),
        (STOCK,),
        "business.yaml",
        5.25,
    )
    for firing, file, (gauge, job, bad, good, limit) in STORES:
        yield one_incident(
            f"{firing.alert} of {job} is one incident where one scrape every three minutes is below its limit",
            gauge_of(gauge, job, dips(bad, good), limit),
            (firing,),
            f"{file}.yaml",
            5.25,
        )
    yield Case(
        name="DatabasePoolExhausted is silent about single scrapes above its limit",
        alert="DatabasePoolExhausted",
        series=pool(dips(50, 99, 4)),
        expect={time: [] for time in times(2, 5, 9, 14)},
        load=("applications.yaml",),
        step="15s",
        every="5s",
    )
    yield Case(
        name="DatabasePoolExhausted is silent about a scrape of 30 seconds above its limit",
        alert="DatabasePoolExhausted",
        series=pool(dips(50, 99, 4)),
        expect={time: [] for time in times(2, 5, 9, 14)},
        load=("applications.yaml",),
        step="30s",
        every="5s",
    )
    yield Case(
        name="DatabasePoolExhausted resolves within two minutes of its end",
        alert="DatabasePoolExhausted",
        series=pool("96x40 50x40"),
        expect={"10m": [EXHAUSTED, USED], "12m15s": []},
        load=("applications.yaml",),
        step="15s",
        every="5s",
    )


CASES: Final = tuple(_cases())

test_alerts = promtool(CASES)
