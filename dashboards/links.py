"""Links from an alert to the panel that shows it, and from the panel to the alert's runbook."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from observability.core.naming import OWNER, runbook
from observability.parts.registry import parts
from observability.settings.load import StackConfig

_INSTANCE: Final = "var-instance={{ $labels.instance }}"


def panel_id(title: str) -> int:
    """The id of the panel with this title, on any dashboard: it is stable when panels are added or moved.

    A panel whose title differs from system to system gets the id of the part that does not, so that one alert can
    link to it for every system. A checksum of 31 bits: 30 titles collide on one dashboard in five million.
    """
    return zlib.crc32(title.encode()) & 0x7FFFFFFF


_DASHBOARDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        f"{OWNER}-application": {
            "Error Rate": ("HighErrorRate", "CriticalErrorRate"),
            "Failures": ("HighFailureRate",),
            "Error Rate by Route": ("RouteFailing",),
            "Response Time": ("HighResponseTime", "CriticalResponseTime"),
            "Cache Hit Rate": ("LowCacheHitRate", "CriticalCacheHitRate"),
            "Memory of the Process Against Its Limit": (
                "application/HighMemoryUsage",
                "application/CriticalMemoryUsage",
            ),
            "Goroutines": ("HighGoroutineCount",),
            "Event Loop Lag": ("EventLoopBlocked",),
            "Heap Against Its Limit": ("HeapNearLimit",),
            "External API Call Time": ("ExternalApiSlow",),
            "External API Failures": ("ExternalApiErrors",),
            "Integration Failures": ("IntegrationIssues",),
            "Error Types": ("NewErrorType",),
            "Traffic Against the Usual": ("UnusualTraffic", "NoTraffic"),
            "Client Errors": ("HighClientErrorRate",),
            "Declared Series": ("SystemSilent",),
            "Response Time Against the Last Day": ("PerformanceDegradation",),
            "nginx Availability": ("NginxDown",),
            "nginx Connections": ("NginxHighConnections",),
            "nginx Dropped Connections": ("NginxDroppedConnections",),
        },
        f"{OWNER}-database": {
            "Database Query Duration": ("SlowDatabaseQueries",),
            "Database Pool Usage": ("DatabasePoolUsage", "DatabasePoolExhausted"),
            "Failed Queries": ("DatabaseErrors",),
            "Query Timeouts": ("DatabaseTimeouts",),
            "Database Queries per Request": ("QueriesPerRequest",),
        },
        f"{OWNER}-external-apis": {
            "External API Rate Limit": ("ApiRateLimitNear",),
        },
        f"{OWNER}-database?{_INSTANCE}": {
            "Data Stores": ("DatabaseDown",),
            "Connection Pool": ("HighDatabaseConnections",),
            "Cache Hit Ratio": ("LowDatabaseCacheHitRatio",),
            "Deadlocks": ("DatabaseDeadlocks",),
            "Replication Lag": ("ReplicationLag", "ReplicationStopped"),
            "Slow Queries": ("SlowStatements",),
        },
        f"{OWNER}-redis?{_INSTANCE}": {
            "Data Stores": ("RedisDown",),
            "Redis Memory": ("RedisMemoryHigh",),
            "Redis Connections": ("RedisConnectionsHigh",),
            "Redis Rejected Connections": ("RedisRejectedConnections",),
            "Redis Replicas": ("RedisReplicationBroken",),
            "Redis Saving": ("RedisSavingFailing",),
            "Redis Cluster": ("RedisClusterBroken",),
        },
        f"{OWNER}-elasticsearch?{_INSTANCE}": {
            "Data Stores": ("ElasticsearchDown",),
            "Elasticsearch Health": ("ElasticsearchClusterRed", "ElasticsearchClusterYellow"),
            "Elasticsearch Heap": ("ElasticsearchHeapHigh",),
            "Elasticsearch Disk": ("ElasticsearchDiskHigh",),
        },
        f"{OWNER}-postgres?{_INSTANCE}": {
            "Rollbacks for Each Commit": ("HighRollbackRate",),
            "Longest Transaction": ("LongRunningTransaction",),
            "Locks": ("DatabaseLockWaits",),
            "Rows Read Without an Index": ("HighSequentialScans",),
            "Dead Rows": ("TableBloat",),
            "Idle Indexes": ("UnusedIndexes",),
            "Checkpoints": ("CheckpointsForced",),
            "Write-ahead Log": ("ReplicationSlotUnused",),
            "Log Archiving": ("WalArchivingFailing",),
            "Transaction IDs in Use": ("DatabaseWraparound",),
            "Failed Collectors": ("DatabaseMetricsMissing",),
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
            "Rejected Requests": ("RateLimitViolations",),
            "Suspicious Events": ("SuspiciousActivity",),
        },
        f"{OWNER}-system?{_INSTANCE}": {
            "Hosts": ("HostDown", "HostSilent", "NodeExporterDown"),
            "CPU Usage": ("HighCPUUsage", "CriticalCPUUsage"),
            "Memory Usage": ("host/HighMemoryUsage", "host/CriticalMemoryUsage"),
            "Disk Usage": ("HighDiskUsage", "CriticalDiskUsage"),
            "Free Space in 24 Hours": ("DiskWillFill",),
            "Disk Queue": ("HighDiskIO",),
            "Inode Usage": ("HighInodeUsage",),
            "Network Errors": ("HostNetworkErrors",),
            "OOM Kills": ("HostOOMKill",),
            "Read-only Filesystems": ("FilesystemReadOnly",),
            "Disks Missing in RAID": ("RaidDegraded",),
            "File Descriptors": ("HostFileDescriptorsNearLimit",),
            "Tracked Connections": ("HostConntrackNearLimit",),
            "Clock Offset": ("HostClockSkew",),
            "Last Boot": ("HostRestarted",),
            "Load per CPU": ("HostLoadHigh",),
            "Failed Units": ("SystemdUnitFailed",),
        },
        f"obs-overview?var-system={OWNER}": {"Targets Up": ("ServiceDown", "TargetFlapping")},
        f"obs-slos?var-system={OWNER}": {"Error Budget Left": ("SLOErrorBudgetBurn",)},
        "obs-alerts": {
            "Alerts in Alertmanager": ("RecentlyCritical",),
            "Configuration of Alertmanager": ("AlertmanagerConfigReloadFailed",),
            "Failed Notifications": ("AlertmanagerNotificationsFailing",),
            "Members of the Cluster": ("AlertmanagerClusterSplit",),
        },
        "obs-containers?var-name={{ $labels.name }}": {
            "Container Restarts": ("ContainerRestarting",),
            "OOM Kills": ("ContainerOOMKilled",),
            "Memory Against the Limit": ("ContainerMemoryNearLimit",),
            "CPU Throttling": ("ContainerCPUThrottled",),
            "Unhealthy Containers": ("ContainerUnhealthy",),
            "Running Time": ("ContainerDown",),
        },
        "obs-endpoints?var-instance={{ $labels.instance | urlquery }}": {
            "Availability": ("EndpointDown",),
            "Keyword Missing": ("EndpointKeywordMissing",),
            "Probe Duration": ("EndpointSlow",),
            "Certificates": ("CertificateExpiring",),
        },
        "obs-logs": {
            "Errors in 5 Minutes": ("LogErrorBurst",),
            "New Kinds of Errors": ("LogNewErrorKind",),
            "Crashes in Logs": ("LogCrash",),
            "Failed Sign-ins in Logs": ("LogAuthenticationFailures",),
            "Slow Queries in Logs": ("LogSlowQueries",),
            "Lines by System": ("LogsSilent",),
            "Failed Requests to Loki": ("LokiRequestErrors",),
            "Rejected by Loki": ("LokiIngestFailing",),
            "Age of the Last Compaction": ("LokiCompactionStalled",),
            "Dropped by the Collector": ("CollectorDroppingLogs",),
            "Queue of the Collector": ("AgentQueueFilling",),
        },
        "obs-stack": {
            "Heartbeat": ("Watchdog",),
            "Parts": ("GrafanaDown", "TempoIngestFailing"),
            "Configuration Loaded": ("PrometheusConfigReloadFailed",),
            "Targets by Job": ("PrometheusTargetMissing",),
            "Duration of Scrapes": ("ScrapeSlow",),
            "Series by Target": ("CardinalityHigh",),
            "Rejected Samples": ("PrometheusSamplesRejected",),
            "Failed Rule Evaluations": ("PrometheusRuleFailures",),
            "Skipped Rule Evaluations": ("PrometheusRuleEvaluationsMissed",),
            "Dropped Alerts": ("PrometheusNotificationsDropped",),
            "Failed Storage Operations": ("PrometheusStorageFailing",),
            "Age of Backups": ("BackupOverdue", "BackupFailed", "BackupFinished", "BackupRecordUnreadable"),
            "Remote Write Behind": ("PrometheusRemoteWriteBehind",),
            "Rejected by Remote Write": ("PrometheusRemoteWriteRejected",),
        },
    }
)
"""Which panel shows which alerts: dashboard link after /d/ → title of the panel → names of the alerts.

An alert name that rules of several components use is written component/name.
"""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The panel that shows an alert: the dashboard's link after /d/, and the panel's id."""

    dashboard: str
    panel: int

    @property
    def uid(self) -> str:
        """The dashboard's uid; in that of a system's dashboard, `OWNER` stands for the system."""
        return self.dashboard.partition("?")[0]

    @property
    def url(self) -> str:
        """Path of the panel in Grafana."""
        return f"/d/{self.dashboard}{'&' if '?' in self.dashboard else '?'}viewPanel={self.panel}"


PANELS: Final[Mapping[str, Shown]] = MappingProxyType(
    {
        alert: Shown(dashboard=link, panel=panel_id(title))
        for links in (_DASHBOARDS, *(part.panels for part in parts().values()))
        for link, panels in links.items()
        for title, names in panels.items()
        for alert in names
    }
)
"""The panel of each alert, by its name or by component/name."""


def shown(alert: str, component: str = "") -> Shown | None:
    """The panel that shows an alert of this component; None where there is none."""
    return PANELS.get(f"{component}/{alert}") or PANELS.get(alert)


@dataclass(frozen=True, kw_only=True)
class AlertLinks:
    """The links of a stack's alerts: the stack's addresses, and the existing runbook pages by the alert's name."""

    config: StackConfig
    pages: Mapping[str, Path]
    own: Mapping[str, str] = field(default_factory=dict)
    """Path of the panel that shows an alert on a page of the project, by the alert's name."""

    def runbook(self, alert: str) -> str | None:
        """Address of an alert's page, or its path in the repository where no address is known; None without a page."""
        return runbook(alert, self.config.settings.links.runbooks) if alert in self.pages else None

    def page(self, alert: str) -> str:
        """Text of an alert's page; empty without a page."""
        return self.pages[alert].read_text(encoding="utf-8") if alert in self.pages else ""

    def dashboard(self, alert: str, component: str = "") -> str | None:
        """Address of the panel that shows an alert, or its path where the stack has no Grafana; None without one."""
        panel = shown(alert, component)
        path = self.own.get(alert) or (panel.url if panel else None)
        return self.whole(path) if path else None

    def whole(self, path: str) -> str:
        """A path in Grafana (/d/…) or below the repository (runbooks/…) as an address; any other link unchanged."""
        runbooks = self.config.settings.links.runbooks
        if path.startswith("/d/"):
            return f"{self.config.link('grafana') or ''}{path}"
        if runbooks and path.startswith("runbooks/"):
            return f"{runbooks.rstrip('/')}/{path.removeprefix('runbooks/')}"
        return path


def alerts_of(uid: str, system: str | None) -> Mapping[int, list[str]]:
    """The names of the alerts that each panel of a dashboard shows, by the panel's id."""
    found: dict[int, list[str]] = {}
    pattern = uid if system is None else OWNER + uid.removeprefix(system)
    for alert, panel in PANELS.items():
        if panel.uid == pattern:
            found.setdefault(panel.panel, []).append(alert.rpartition("/")[2])
    return found
