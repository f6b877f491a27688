"""The registry of thresholds: names, units, severities and defaults.

Each threshold is one series for each severity, `app:threshold:<name>{system, team, severity}`, with the label
`quantile` for a percentile; alerts compare with it. The share of events that may be slower than a percentile is also a
series, `app:threshold:<name>_share`: 0.05 for the 95th.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from observability.systems.applications import APPLICATIONS
from observability.systems.infrastructure import INFRASTRUCTURE
from observability.systems.threshold_spec import SEVERITIES as SEVERITIES
from observability.systems.threshold_spec import Severity as Severity
from observability.systems.threshold_spec import ThresholdSpec as ThresholdSpec
from observability.systems.threshold_spec import Unit as Unit

THRESHOLDS: Final[Mapping[str, ThresholdSpec]] = MappingProxyType({**APPLICATIONS, **INFRASTRUCTURE})
"""Every threshold by name; in YAML the names are in camelCase."""
