"""From an alert to the panel that shows it, and from the panel to the alert's runbook."""

import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

OWNER: Final = "{{ $labels.system }}"
"""How an alert's link names its system."""


def panel_id(title: str) -> int:
    """The id of the panel with this title, on whatever dashboard: it stays when panels are added or moved.

    A panel whose title differs from system to system is given the id of the part that does not, so that one alert can
    lead to it everywhere. A checksum of 31 bits: 30 titles share one on one dashboard in five million.
    """
    return zlib.crc32(title.encode()) & 0x7FFFFFFF


_DASHBOARDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        f"{OWNER}-application": {
            "Error Rate": ("HighErrorRate", "CriticalErrorRate"),
            "Failures": ("HighFailureRate",),
            "Response Time": ("HighResponseTime", "CriticalResponseTime"),
            "Cache Hit Rate": ("LowCacheHitRate", "CriticalCacheHitRate"),
            "Memory of the Process Against Its Limit": ("HighMemoryUsage", "CriticalMemoryUsage"),
            "Goroutines": ("HighGoroutineCount",),
            "External API Call Time": ("ExternalApiSlow",),
            "External API Failures": ("ExternalApiErrors",),
            "Integration Failures": ("IntegrationIssues",),
            "Kinds of Errors": ("NewErrorType",),
            "Traffic Against the Usual": ("UnusualTraffic",),
            "Response Time Against the Last Day": ("PerformanceDegradation",),
            "nginx Answers": ("NginxDown",),
            "nginx Connections": ("NginxHighConnections",),
            "nginx Dropped Connections": ("NginxDroppedConnections",),
        },
        f"{OWNER}-database": {
            "Database Query Duration": ("SlowDatabaseQueries",),
            "Database Pool Usage": ("DatabasePoolUsage", "DatabasePoolExhausted"),
            "Failed Queries": ("DatabaseErrors",),
            "Query Timeouts": ("DatabaseTimeouts",),
            "Data Stores": ("DatabaseDown",),
            "Connection Pool": ("HighDatabaseConnections",),
            "Cache Hit Ratio": ("LowDatabaseCacheHitRatio",),
            "Deadlocks": ("DatabaseDeadlocks",),
            "Replication Lag": ("ReplicationLag", "ReplicationStopped"),
            "Slow Queries": ("SlowStatements",),
            "MongoDB Replication Lag": ("MongoReplicationLag",),
            "MongoDB Connections": ("MongoConnectionsHigh",),
            "MongoDB Cursors Timed Out": ("MongoCursorsTimeouts",),
            "MongoDB Members": ("MongoNoPrimary", "MongoMemberDown"),
        },
        f"{OWNER}-redis": {
            "Data Stores": ("RedisDown",),
            "Redis Memory": ("RedisMemoryHigh",),
            "Redis Connections": ("RedisConnectionsHigh",),
            "Redis Rejected Connections": ("RedisRejectedConnections",),
            "Redis Replicas": ("RedisReplicationBroken",),
            "Redis Saving": ("RedisSavingFailing",),
            "Redis Cluster": ("RedisClusterBroken",),
        },
        f"{OWNER}-elasticsearch": {
            "Data Stores": ("ElasticsearchDown",),
            "Elasticsearch Health": ("ElasticsearchClusterRed", "ElasticsearchClusterYellow"),
            "Elasticsearch Heap": ("ElasticsearchHeapHigh",),
            "Elasticsearch Disk": ("ElasticsearchDiskHigh",),
        },
        f"{OWNER}-postgres": {
            "Rollbacks for Each Commit": ("HighRollbackRate",),
            "Longest Transaction": ("LongRunningTransaction",),
            "Rows Read Without an Index": ("HighSequentialScans",),
            "Dead Rows": ("TableBloat",),
            "Idle Indexes": ("UnusedIndexes",),
            "Checkpoints": ("CheckpointsForced",),
            "Write-ahead Log": ("ReplicationSlotUnused",),
            "Log Archiving": ("WalArchivingFailing",),
            "Transaction IDs in Use": ("DatabaseWraparound",),
            "Collectors That Fail": ("DatabaseMetricsMissing",),
        },
        f"{OWNER}-business": {
            "Orders Against Last Week": ("LowOrderRate",),
            "Share of Cancelled Orders": ("HighCancellationRate",),
            "Revenue Against Last Week": ("RevenueDrop",),
            "Active Users Against Last Week": ("LowUserActivity",),
            "Lowest Stock": ("LowInventory",),
            "Transactions Against Last Week": ("TransactionsStalled",),
            "Share of Failed Meetings": ("MeetingsFailing",),
            "Paid Tokens Against the Budget": ("TokenBudget",),
        },
        f"{OWNER}-security": {
            "Failed Sign-ins": ("AuthenticationFailureSpike",),
            "Refused Requests": ("RateLimitViolations",),
            "Suspicious Events": ("SuspiciousActivity",),
        },
        f"{OWNER}-system": {
            "Hosts": ("HostDown",),
            "CPU Usage": ("HighCPUUsage", "CriticalCPUUsage"),
            "Memory Usage": ("HighMemoryUsage", "CriticalMemoryUsage"),
            "Disk Usage": ("HighDiskUsage", "CriticalDiskUsage"),
            "Free Space in 24 Hours": ("DiskWillFill",),
            "Disk Queue": ("HighDiskIO",),
            "Inode Usage": ("HighInodeUsage",),
            "Network Errors": ("HostNetworkErrors",),
            "Killed for Want of Memory": ("HostOOMKill",),
            "Read-only Filesystems": ("FilesystemReadOnly",),
            "Disks Missing in RAID": ("RaidDegraded",),
            "File Descriptors": ("HostFileDescriptorsNearLimit",),
            "Tracked Connections": ("HostConntrackNearLimit",),
            "Clock Offset": ("HostClockSkew",),
        },
        "obs-overview": {"Targets That Answer": ("ServiceDown",)},
        "obs-slos": {"Error Budget Left": ("SLOErrorBudgetBurn",)},
        "obs-alerts": {
            "Configuration of Alertmanager": ("AlertmanagerConfigReloadFailed",),
            "Failed Messages": ("AlertmanagerNotificationsFailing",),
            "Members of the Cluster": ("AlertmanagerClusterSplit",),
        },
        "obs-containers": {
            "Container Restarts": ("ContainerRestarting",),
            "Killed for Want of Memory": ("ContainerOOMKilled",),
            "Memory Against the Limit": ("ContainerMemoryNearLimit",),
            "CPU Throttling": ("ContainerCPUThrottled",),
        },
        "obs-endpoints": {
            "Availability": ("EndpointDown",),
            "Keyword Missing": ("EndpointKeywordMissing",),
            "Time to Answer": ("EndpointSlow",),
            "Certificates": ("CertificateExpiring",),
        },
        "obs-logs": {
            "Failed Requests to Loki": ("LokiRequestErrors",),
            "Refused by Loki": ("LokiIngestFailing",),
            "Age of the Last Compaction": ("LokiCompactionStalled",),
            "Dropped by the Collector": ("CollectorDroppingLogs",),
        },
        "obs-stack": {
            "Heartbeat": ("Watchdog",),
            "Parts": ("GrafanaDown",),
            "Configuration in Force": ("PrometheusConfigReloadFailed",),
            "Targets by Job": ("PrometheusTargetMissing",),
            "Duration of Scrapes": ("ScrapeSlow",),
            "Series by Target": ("CardinalityHigh",),
            "Failed Rule Evaluations": ("PrometheusRuleFailures",),
            "Skipped Rule Evaluations": ("PrometheusRuleEvaluationsMissed",),
            "Alerts That Did Not Reach Alertmanager": ("PrometheusNotificationsDropped",),
            "Failed Storage Operations": ("PrometheusStorageFailing",),
            "Age of Backups": ("BackupOverdue", "BackupFailed", "BackupFinished", "BackupRecordUnreadable"),
            "Remote Write Behind": ("PrometheusRemoteWriteBehind",),
        },
    }
)
"""Which panel shows which alerts: uid of the dashboard → title of the panel → names of the alerts."""

PANELS: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        uid: {alert: panel_id(title) for title, names in panels.items() for alert in names}
        for uid, panels in _DASHBOARDS.items()
    }
)
"""uid of the dashboard → name of the alert → id of the panel."""


def panel_url(alert: str, dashboard_url: str) -> str:
    """An alert's link to a dashboard, made one to the panel that shows the alert; as it is where none does."""
    path, _, query = dashboard_url.partition("?")
    panel = PANELS.get(path.removeprefix("/d/"), {}).get(alert)
    if panel is None:
        return dashboard_url
    return f"{path}?" + "&".join(part for part in (query, f"viewPanel={panel}") if part)


def alerts_of(uid: str, system: str | None) -> Mapping[int, list[str]]:
    """The names of the alerts that each panel of a dashboard shows, by the panel's id."""
    found: dict[int, list[str]] = {}
    pattern = uid if system is None else OWNER + uid.removeprefix(system)
    for alert, panel in PANELS.get(pattern, {}).items():
        found.setdefault(panel, []).append(alert)
    return found


def page(runbooks: str, alert: str) -> str:
    """Address of an alert's runbook."""
    return f"{runbooks.rstrip('/')}/{alert}.md"
