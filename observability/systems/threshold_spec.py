"""A threshold: a number of an alert with a name, a unit, a default and the reason for that default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from observability.core import alert
from observability.core.alert import Severity as Severity

SEVERITIES: Final[tuple[Severity, ...]] = tuple(reversed(alert.SEVERITIES))
"""From the lowest."""

HOUR: Final = 3600.0
"""Seconds."""

DAY: Final = 24 * HOUR
"""Seconds."""

KIB: Final = 1024.0
"""Bytes."""

GIB: Final = KIB**3
"""Bytes."""

Unit = Literal["ratio", "seconds", "per_second", "count", "factor", "deviations", "bytes"]
"""ratio: 0 to 1, or 5%; seconds: 500ms, 2s, 14d; factor: relative to the usual, 0.5 or 50%; deviations: standard
deviations; bytes: a number, or 200GiB, 10MB."""


@dataclass(frozen=True, kw_only=True)
class ThresholdSpec:
    """One threshold: its description, unit, severities and signal.

    `breached`: whether values above or below it raise the alert. `signal`: path of the signal in a system's file that
    it requires; None: every system has it. `default`: its values, in the base unit, where the file has none and the
    signal exists; `reason`: why. `platform`: only the stack's own parts have it. `floor`: it is a minimum of events
    before an alert is evaluated, and may be equal for all severities. `per_api`: each external API has its own, in a
    series with the label `api`.
    """

    description: str
    unit: Unit
    severities: tuple[Severity, ...]
    breached: Literal["above", "below"] = "above"
    signal: str | None = None
    percentile: bool = False
    default: Mapping[Severity, float] = field(default_factory=dict)
    reason: str = ""
    platform: bool = False
    floor: bool = False
    per_api: bool = False


def spec(
    description: str,
    unit: Unit,
    *severities: Severity,
    signal: str | None = None,
    breached: Literal["above", "below"] = "above",
    percentile: bool = False,
    reason: str = "",
    platform: bool = False,
    floor: bool = False,
    per_api: bool = False,
    **default: float,
) -> ThresholdSpec:
    """A threshold; `default` by severity, in the base unit. Without severities: those of the defaults."""
    return ThresholdSpec(
        description=description,
        unit=unit,
        severities=severities or tuple(severity for severity in SEVERITIES if severity in default),
        breached=breached,
        signal=signal,
        percentile=percentile,
        default=MappingProxyType({severity: default[severity] for severity in SEVERITIES if severity in default}),
        reason=reason,
        platform=platform,
        floor=floor,
        per_api=per_api,
    )
