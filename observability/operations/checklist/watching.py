"""Items of the checklist about what is watched: hosts, applications, databases, figures of the business."""

from typing import Final

from observability.operations.checklist import lines
from observability.operations.checklist.measured import (
    alerts,
    alerts_of_servers,
    both,
    measured,
    of_hosts,
    of_platform,
    of_series,
    of_servers,
    of_systems,
    thresholds,
)
from observability.operations.checklist.model import Item

QUANTILES: Final = ("0.5", "0.95", "0.99")
"""The percentiles that a checklist of response times asks for."""

_NO_SERVER: Final = "no database server is placed in the settings"
_NO_POSTGRES: Final = "no PostgreSQL server is placed in the settings"
_PLACE_HOST: Final = "./obs verify {stack}: its row `target node` says why; hosts are placed in observability:hosts"
_DECLARE: Final = (
    "declare the series as a signal in systems/<name>.yaml, then ./obs system check FILE --against URL; "
    "./obs verify {stack} names targets that are down"
)
LOAD: Final = "./obs verify {stack} names what is not loaded; ./obs up {stack} loads it again"
_PLACE: Final = "place the server in observability:systems.<name>; ./obs verify {stack} says which are not reached"
_STATE: Final = (
    "state the threshold in systems/<name>.yaml or in observability:systems.<name>.thresholds; ./obs up {stack}"
)
_COUNT: Final = "expose a counter, and declare it in systems/<name>.yaml under series and figures"

_BLOCKS: Final = "count by (system, instance) (pg_stat_database_blks_hit and pg_stat_database_blks_read)"

INFRASTRUCTURE: Final = (
    Item(
        id="infrastructure.cpu",
        text="CPU usage tracked for all servers",
        ask=of_hosts("instance:node_cpu_busy:ratio_rate5m"),
        fix=_PLACE_HOST,
    ),
    Item(
        id="infrastructure.memory",
        text="Memory usage tracked for all servers",
        ask=of_hosts("instance:node_memory_used:ratio"),
        fix=_PLACE_HOST,
    ),
    Item(
        id="infrastructure.disk",
        text="Disk usage tracked for all servers",
        ask=of_hosts("instance:node_filesystem_used:max"),
        fix=_PLACE_HOST,
    ),
    Item(
        id="infrastructure.network",
        text="Network I/O tracked",
        ask=of_hosts("count by (instance) (node_network_receive_bytes_total and node_network_transmit_bytes_total)"),
        fix=_PLACE_HOST,
    ),
    Item(
        id="infrastructure.uptime",
        text="Server uptime monitored",
        ask=of_hosts("node_boot_time_seconds > 0"),
        fix=_PLACE_HOST,
    ),
    Item(
        id="infrastructure.alerts-resources",
        text="Alerts configured for high resource usage",
        ask=both(
            alerts(
                *("HighCPUUsage", "CriticalCPUUsage", "HighMemoryUsage", "CriticalMemoryUsage"),
                *("HighDiskUsage", "CriticalDiskUsage"),
            ),
            measured("thresholds", "", *map(of_platform, ("cpu_ratio", "memory_ratio", "disk_ratio"))),
        ),
        fix=LOAD,
    ),
    Item(
        id="infrastructure.alerts-down",
        text="Alerts configured for server downtime",
        ask=alerts("HostDown", "NodeExporterDown"),
        fix=LOAD,
    ),
)

APPLICATION: Final = (
    Item(
        id="application.requests",
        text="Request rate tracked",
        ask=measured(
            "systems",
            "no watched system declares the signal httpRequests",
            of_systems("app:http_requests:rate5m", lambda system: system.signals.http_requests),
        ),
        fix=_DECLARE,
    ),
    Item(
        id="application.response-time",
        text="Response time tracked (p50, p95, p99)",
        ask=measured(
            "percentiles",
            "no watched system declares the signal httpLatency",
            of_systems(
                "present_over_time(app:http_latency_seconds:quantile5m[1h])",
                lambda system: system.signals.http_latency,
                values=QUANTILES,
            ),
        ),
        fix=_DECLARE,
    ),
    Item(
        id="application.errors",
        text="Error rate tracked",
        ask=measured(
            "systems",
            "no watched system declares the signal httpRequests or failures",
            of_systems("app:http_errors:ratio_rate5m", lambda system: system.signals.http_requests),
            of_systems("app:failures:rate5m", lambda system: system.signals.failures),
        ),
        fix=_DECLARE,
    ),
    Item(
        id="application.connections",
        text="Active connections tracked",
        ask=measured(
            "servers",
            "no proxy and no database server is placed in the settings",
            *of_servers(
                {
                    "nginx": "nginx_connections_active",
                    "postgres": "count by (system, instance) (pg_stat_database_numbackends)",
                    "mongodb": "count by (system, instance) (mongodb_ss_connections)",
                }
            ),
        ),
        fix=_PLACE,
    ),
    Item(
        id="application.cache",
        text="Cache hit rate tracked",
        ask=measured(
            "caches",
            "no watched system declares the signal cache, and no Redis server is placed",
            of_systems("present_over_time(app:cache_hits:ratio_rate5m[1h])", lambda system: system.signals.cache),
            *of_servers({"redis": "redis_keyspace_hits_total"}),
        ),
        fix=_DECLARE,
    ),
    Item(
        id="application.alerts-errors",
        text="Alerts configured for high error rates",
        ask=both(
            measured(
                "thresholds",
                "no watched system declares the signal httpRequests or failures",
                thresholds(
                    "error_ratio|failure_rate", lambda system: system.signals.http_requests or system.signals.failures
                ),
            ),
            alerts("HighErrorRate", "CriticalErrorRate", "HighFailureRate"),
        ),
        fix=_STATE,
    ),
    Item(
        id="application.alerts-slow",
        text="Alerts configured for slow response times",
        ask=both(
            measured(
                "thresholds",
                "no watched system declares the signal httpLatency",
                thresholds("response_time", lambda system: system.signals.http_latency),
            ),
            alerts("HighResponseTime", "CriticalResponseTime"),
        ),
        fix=_STATE,
    ),
)

DATABASE: Final = (
    Item(
        id="database.queries",
        text="Query performance tracked",
        ask=measured(
            "percentiles",
            "no watched system declares the signal dbLatency",
            of_systems(
                "present_over_time(app:db_latency_seconds:quantile5m[1h])",
                lambda system: system.signals.db_latency,
                values=QUANTILES,
            ),
        ),
        fix=_DECLARE,
    ),
    Item(
        id="database.pool",
        text="Connection pool usage tracked",
        ask=measured(
            "pools",
            "no watched system declares the signal dbPool, and " + _NO_POSTGRES,
            of_systems("count by (system) (app:db_pool:ratio)", lambda system: system.signals.db_pool),
            *of_servers({"postgres": "pg_settings_max_connections"}),
        ),
        fix=_DECLARE,
    ),
    Item(
        id="database.cache",
        text="Cache hit ratio tracked",
        ask=measured(
            "servers",
            _NO_SERVER,
            *of_servers(
                {
                    "postgres": _BLOCKS,
                    "mongodb": "mongodb_ss_wt_cache_bytes_currently_in_the_cache",
                }
            ),
        ),
        fix=_PLACE,
    ),
    Item(
        id="database.deadlocks",
        text="Deadlocks tracked",
        ask=measured(
            "servers",
            _NO_POSTGRES,
            *of_servers({"postgres": "count by (system, instance) (pg_stat_database_deadlocks)"}),
        ),
        fix=_PLACE,
    ),
    Item(
        id="database.slow-queries",
        text="Slow queries logged",
        ask=lines.of_loki(lines.slow_queries),
        fix="set log_min_duration_statement of the server, and select its container in observability:systems.<name>"
        ".logs",
    ),
    Item(
        id="database.tables",
        text="Table sizes monitored",
        ask=measured(
            "servers",
            _NO_SERVER,
            *of_servers(
                {
                    "postgres": "count by (system, instance) (pg_stat_user_tables_table_size_bytes)",
                    "mongodb": "count by (system, instance) (mongodb_dbstats_dataSize)",
                }
            ),
        ),
        fix=_PLACE,
    ),
    Item(
        id="database.alerts-connections",
        text="Alerts configured for high connections",
        ask=alerts_of_servers({"postgres": "HighDatabaseConnections", "mongodb": "MongoConnectionsHigh"}, _NO_SERVER),
        fix=LOAD,
    ),
    Item(
        id="database.alerts-cache",
        text="Alerts configured for low cache hit ratio",
        ask=alerts_of_servers({"postgres": "LowDatabaseCacheHitRatio"}, _NO_POSTGRES),
        fix=LOAD,
    ),
)

BUSINESS: Final = (
    Item(
        id="business.registrations",
        text="User registrations tracked",
        ask=measured(
            "systems", "no watched system declares a series of registrations", of_series(r"(?i)regist|sign_?up")
        ),
        fix=_COUNT,
    ),
    Item(
        id="business.users",
        text="Active users tracked",
        ask=measured(
            "systems",
            "no watched system declares the signal activeUsers",
            of_systems("app:active_users:count", lambda system: system.signals.active_users),
        ),
        fix=_DECLARE,
    ),
    Item(
        id="business.orders",
        text="Orders created tracked",
        ask=measured(
            "systems",
            "no watched system declares the signal orders",
            of_systems("app:orders:rate5m", lambda system: system.signals.orders),
        ),
        fix=_DECLARE,
    ),
    Item(
        id="business.revenue",
        text="Revenue tracked",
        ask=measured(
            "systems",
            "no watched system declares the signal revenue",
            of_systems("app:revenue_usd:rate5m", lambda system: system.signals.revenue),
        ),
        fix=_DECLARE,
    ),
    Item(
        id="business.products",
        text="Products listed tracked",
        ask=measured(
            "systems",
            "no watched system declares a series of products listed",
            of_series(r"(?i)products?_(creat|list|add)"),
        ),
        fix=_COUNT,
    ),
    Item(
        id="business.messages",
        text="Messages sent tracked",
        ask=measured(
            "systems", "no watched system declares a series of messages sent", of_series(r"(?i)messages?_sent")
        ),
        fix=_COUNT,
    ),
)

WATCHING: Final = (*INFRASTRUCTURE, *APPLICATION, *DATABASE, *BUSINESS)
