"""Metrics as an application sends them, by OTLP over HTTP in JSON."""

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import httpx

from tests.servers.spans import attributes

CUMULATIVE: Final = 2
DELTA: Final = 1

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

Labels = Mapping[str, str | int]
Metric = dict[str, Any]


def gauge(name: str, value: float, unit: str = "", labels: Labels | None = None) -> Metric:
    """A gauge with one value."""
    return {"name": name, "unit": unit, "gauge": {"dataPoints": [{**_point(labels), "asDouble": value}]}}


def counter(name: str, value: int, labels: Labels | None = None) -> Metric:
    """A counter with one value."""
    return _sum(name, {**_point(labels), "asInt": str(value)}, CUMULATIVE)


def differences(name: str, values: Sequence[int]) -> list[Metric]:
    """A counter that is sent as differences, one each second."""
    end = time.time_ns()
    times = [end - (len(values) - index) * 10**9 for index in range(len(values) + 1)]
    return [
        _sum(name, {"asInt": str(value), "startTimeUnixNano": str(since), "timeUnixNano": str(until)}, DELTA)
        for value, (since, until) in zip(values, pairwise(times), strict=True)
    ]


def durations(name: str, counts: Mapping[float, int], labels: Labels | None = None) -> Metric:
    """A histogram of so many observations of each duration, in seconds."""
    buckets = [0] * (len(BOUNDS) + 1)
    for at, count in counts.items():
        buckets[next((index for index, bound in enumerate(BOUNDS) if at <= bound), len(BOUNDS))] += count
    point = {
        **_point(labels),
        "count": str(sum(buckets)),
        "sum": sum(at * count for at, count in counts.items()),
        "bucketCounts": [str(count) for count in buckets],
        "explicitBounds": list(BOUNDS),
    }
    return {"name": name, "unit": "s", "histogram": {"dataPoints": [point], "aggregationTemporality": CUMULATIVE}}


def metrics(service: str, found: Sequence[Metric], resource: Labels | None = None) -> dict[str, Any]:
    """A request with metrics of a service."""
    return {
        "resourceMetrics": [
            {
                "resource": {"attributes": attributes({"service.name": service, **(resource or {})})},
                "scopeMetrics": [{"scope": {"name": "test"}, "metrics": list(found)}],
            }
        ]
    }


def send(port: int, service: str, found: Sequence[Metric], resource: Labels | None = None) -> int:
    """Send metrics of a service to a port of this machine; returns the status of the answer."""
    address = f"http://127.0.0.1:{port}/v1/metrics"
    return httpx.post(address, json=metrics(service, found, resource), timeout=30).status_code


def _sum(name: str, point: dict[str, Any], temporality: int) -> Metric:
    return {"name": name, "sum": {"dataPoints": [point], "aggregationTemporality": temporality, "isMonotonic": True}}


def _point(labels: Labels | None) -> dict[str, Any]:
    now = time.time_ns()
    return {
        "attributes": attributes(labels or {}),
        "startTimeUnixNano": str(now - 3600 * 10**9),
        "timeUnixNano": str(now),
    }
