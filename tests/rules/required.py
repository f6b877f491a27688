"""The required alerts, by name: at which severities, and how long they may wait."""

from collections.abc import Mapping
from typing import Final

from observability.core.alert import SEVERITIES
from tests.rules.conditions import CONDITIONS

_WARNING = {"warning"}
_CRITICAL = {"critical"}
_INFO = {"info"}
_EITHER = {"warning", "critical"}
_MILD = {"warning", "info"}

_ROWS = [row for condition in CONDITIONS for row in condition.rows]

REQUIRED: Final[Mapping[str, set[str]]] = {
    # Applications
    **{row.alert: {row.severity} for row in _ROWS},
    "DatabaseTimeouts": _WARNING,
    "NewErrorType": _INFO,
    "UnusualTraffic": _INFO,
    "PerformanceDegradation": _INFO,
    "RouteFailing": _WARNING,
    "NoTraffic": _CRITICAL,
    "HighClientErrorRate": _WARNING,
    "SystemSilent": _CRITICAL,
    # Business and security
    "LowOrderRate": _WARNING,
    "HighCancellationRate": _WARNING,
    "RevenueDrop": _WARNING,
    "LowUserActivity": _INFO,
    "LowInventory": _WARNING,
    "TransactionsStalled": _CRITICAL,
    "MeetingsFailing": _WARNING,
    "AuthenticationFailureSpike": _EITHER,
    "RateLimitViolations": _WARNING,
    "SuspiciousActivity": _CRITICAL,
    "TokenBudget": _INFO,
    # Hosts, containers, data stores, proxies, endpoints
    "HighCPUUsage": _WARNING,
    "CriticalCPUUsage": _CRITICAL,
    "HighDiskUsage": _WARNING,
    "CriticalDiskUsage": _CRITICAL,
    "DiskWillFill": _WARNING,
    "HostDown": _CRITICAL,
    "HostSilent": _CRITICAL,
    "NodeExporterDown": _WARNING,
    "ServiceDown": _CRITICAL,
    "TargetFlapping": _WARNING,
    "ContainerDown": _EITHER,
    "ContainerUnhealthy": _EITHER,
    "ContainerRestarting": _WARNING,
    "ContainerOOMKilled": _WARNING,
    "ContainerMemoryNearLimit": _WARNING,
    "ContainerCPUThrottled": _WARNING,
    "DatabaseDown": _CRITICAL,
    "HighDatabaseConnections": _EITHER,
    "LowDatabaseCacheHitRatio": _WARNING,
    "DatabaseDeadlocks": _WARNING,
    "HighRollbackRate": _WARNING,
    "ReplicationLag": _MILD,
    "LongRunningTransaction": _MILD,
    "HighSequentialScans": _MILD,
    "UnusedIndexes": _MILD,
    "TableBloat": _MILD,
    "BackupOverdue": _WARNING,
    "BackupFinished": _INFO,
    "RedisDown": _EITHER,
    "RedisMemoryHigh": _EITHER,
    "RedisRejectedConnections": _EITHER,
    "RedisReplicationBroken": _EITHER,
    "MongoReplicationLag": _WARNING,
    "MongoConnectionsHigh": _EITHER,
    "MongoCursorsTimeouts": _WARNING,
    "NginxDown": _EITHER,
    "NginxHighConnections": _EITHER,
    "NginxDroppedConnections": _EITHER,
    "EndpointDown": _EITHER,
    "EndpointKeywordMissing": _EITHER,
    "EndpointSlow": _EITHER,
    "CertificateExpiring": _EITHER,
    "ElasticsearchClusterRed": _EITHER,
    "ElasticsearchClusterYellow": _EITHER,
    # The stack itself
    "Watchdog": set(SEVERITIES),
    "RecentlyCritical": _INFO,
    "PrometheusTargetMissing": _EITHER,
    "PrometheusConfigReloadFailed": _EITHER,
    "PrometheusRuleFailures": _EITHER,
    "PrometheusSamplesRejected": _WARNING,
    "PrometheusNotificationsDropped": _EITHER,
    "PrometheusStorageFailing": _EITHER,
    "PrometheusRemoteWriteBehind": _EITHER,
    "PrometheusRemoteWriteRejected": _WARNING,
    "AlertmanagerConfigReloadFailed": _EITHER,
    "AlertmanagerNotificationsFailing": _EITHER,
    "AlertmanagerClusterSplit": _EITHER,
    "LokiRequestErrors": _EITHER,
    "LokiIngestFailing": _EITHER,
    "CollectorDroppingLogs": _EITHER,
    "AgentQueueFilling": _WARNING,
    "LogErrorBurst": _WARNING,
    "LogNewErrorKind": _INFO,
    "LogCrash": _WARNING,
    "LogAuthenticationFailures": _WARNING,
    "LogSlowQueries": _WARNING,
    "LogsSilent": _WARNING,
    "GrafanaDown": _EITHER,
    "TempoIngestFailing": _EITHER,
    "TracesRefused": _WARNING,
    "JaegerStorageFailing": _WARNING,
    "ScrapeSlow": _EITHER | _INFO,
    "CardinalityHigh": _EITHER | _INFO,
}
"""Severities by name; where none was given, any that pages."""

WAKES_NOBODY: Final = {"application/CriticalMemoryUsage", "CriticalCacheHitRate"}
"""Criticals that can wait for the morning, by name or component/name: alerts on their effects page."""

EVERY_CRITICAL_PAGES: Final = {"print-shop"}
"""Systems whose owner wants to be paged by every critical."""


def page(alert: str, labels: Mapping[str, str]) -> str:
    """The required value of the label `page` of an alert."""
    if labels["severity"] != "critical":
        return "no"
    waits = {alert, f"{labels['component']}/{alert}"} & WAKES_NOBODY
    return "no" if waits and labels["system"] not in EVERY_CRITICAL_PAGES else "yes"


_MINUTE = 60

LONGEST: Final[Mapping[str, int]] = {
    **{row.alert: row.wait for row in _ROWS},
    "PerformanceDegradation": 30 * _MINUTE,
    "DiskWillFill": 60 * _MINUTE,
    "HostDown": _MINUTE,
    "NodeExporterDown": _MINUTE,
    "ServiceDown": _MINUTE,
    "DatabaseDown": _MINUTE,
    "LowDatabaseCacheHitRatio": 10 * _MINUTE,
    "DatabaseDeadlocks": _MINUTE,
}
"""Seconds that an alert may wait, where that differs from the default of its severity."""
