"""What the collector does with metrics that applications send by OTLP.

It exposes the present value of every series, those of each system on a port of its own, in the format of Prometheus:
the Prometheus of that host scrapes them as any other page, at its own interval and with a limit for each system. So on
another host they wait in the agent's storage while the edge does not answer, and `up` exists for them.

The labels `system`, `service` and `instance` are made from the attributes of the resource, whatever labels of these
names a program has sent.
"""

from collections.abc import Mapping
from typing import Any, Final

from observability.core.naming import UNASSIGNED
from observability.logs import statements as s
from observability.parts import otlp_metrics
from observability.parts.otel_export import ANY
from observability.settings.load import StackConfig
from observability.traces.collector import receiver, system_of
from observability.traces.sampling import SYSTEM

EXPIRES: Final = "3m"
"""How long a series is exposed after its last value; SDKs send each minute by default."""

OWN: Final = r"^(up|scrape_.*|ALERTS.*)$|:"
"""Names that Prometheus, or a rule here, gives to series."""


def ports(config: StackConfig) -> Mapping[str, int]:
    """The port of each system's metrics in the collector's container; none where the stack takes no metrics.

    Those of services that are no system with `otlp` belong to the system `unassigned`.
    """
    if not config.runs(otlp_metrics.NAME):
        return {}
    sending = [name for name, system in config.systems.items() if system.otlp]
    return {name: otlp_metrics.FIRST_PORT + index for index, name in enumerate((UNASSIGNED, *sending))}


def document(config: StackConfig) -> dict[str, Any]:
    """Receivers, processors, connectors, exporters and pipelines; empty where the stack takes no metrics."""
    found = ports(config)
    if not found:
        return {}
    names = [name for name in found if name != UNASSIGNED]
    return {
        "receivers": {"otlp": receiver()},
        "processors": {
            "transform/metrics": _labelled(config, names),
            **{f"filter/metrics-{name}": _only(name) for name in found},
        },
        "connectors": {f"forward/metrics-{name}": {} for name in found},
        "exporters": {f"prometheus/metrics-{name}": _exposed(port) for name, port in found.items()},
        "pipelines": {
            "metrics/taken": {
                "receivers": ["otlp"],
                "processors": ["memory_limiter", "transform/metrics"],
                "exporters": [f"forward/metrics-{name}" for name in found],
            },
            **{
                f"metrics/{name}": {
                    "receivers": [f"forward/metrics-{name}"],
                    "processors": [f"filter/metrics-{name}"],
                    "exporters": [f"prometheus/metrics-{name}"],
                }
                for name in found
            },
        },
    }


def _labelled(config: StackConfig, names: list[str]) -> dict[str, Any]:
    service, name, instance, host = map(s.label, ("service", "service.name", "service.instance.id", "host.name"))
    process = s.label("process.pid")
    # An SDK that names no instance at least names the host, or the process.
    named = f'Concat([{name}, {host}, {process}], "-")'
    kept = f'["{SYSTEM}", "service", "service.name", "service.instance.id"]'
    return {
        "error_mode": "silent",
        "metric_statements": [
            {
                "context": "resource",
                "statements": [
                    *system_of(config, names),
                    f"set({service}, {name})",
                    f"set({instance}, {named}) where {instance} == nil and ({host} != nil or {process} != nil)",
                    f"keep_keys(resource.attributes, {kept})",
                    # The label `job`.
                    f"set({name}, {s.text(otlp_metrics.JOB)})",
                ],
            },
            {
                "context": "datapoint",
                "statements": [
                    *(f"delete_key(datapoint.attributes, {s.text(label)})" for label in ("job", "instance")),
                    *(
                        f"set(datapoint.attributes[{s.text(label)}], {s.label(label)})"
                        for label in (SYSTEM, "service")
                    ),
                ],
            },
        ],
    }


def _only(name: str) -> dict[str, Any]:
    """The metrics of one system, without those that have a name of Prometheus' own."""
    return {
        "error_mode": "silent",
        "metric_conditions": [f"{s.label(SYSTEM)} != {s.text(name)}", s.matches("metric.name", OWN)],
    }


def _exposed(port: int) -> dict[str, Any]:
    return {
        "endpoint": f"{ANY}:{port}",
        "metric_expiration": EXPIRES,
        "translation_strategy": "UnderscoreEscapingWithSuffixes",
        "without_scope_info": True,
        "enable_open_metrics": True,
    }
