"""The effective thresholds: values of a file or an environment, and defaults, all in base units."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import BaseModel
from pydantic.alias_generators import to_camel, to_snake

from observability.core.naming import PLATFORM
from observability.core.types import seconds, share, size
from observability.systems.model import PER_SECOND, ApiValues, System, ThresholdValues
from observability.systems.signals import Selector, Signals
from observability.systems.spans import declared
from observability.systems.thresholds import SEVERITIES, THRESHOLDS, Severity, ThresholdSpec, Unit

SPECS: Final[Mapping[str, ThresholdSpec]] = {to_camel(name): spec for name, spec in THRESHOLDS.items()}
"""Every threshold by its name in YAML."""

QUANTILES: Final[Mapping[str, str]] = {"p50": "0.5", "p95": "0.95", "p99": "0.99"}
"""The label `quantile` by the notation of a percentile in YAML."""


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """One value of one system, in its base unit: a share from 0 to 1, seconds, a number.

    `name` is the registry's, in snake_case; `quantile` is the label's value where it is about a percentile. `wait` is
    how long it must be exceeded where that is not what the alert's rule says. `estimated`: no bucket of the histogram
    ends at it, so the share of what takes longer is interpolated. `api`: the external API that it is about.
    """

    system: str
    team: str
    name: str
    severity: Severity
    value: float
    quantile: str | None = None
    wait: str | None = None
    estimated: bool = False
    api: str | None = None

    @property
    def share_name(self) -> str:
        """Name of the share of events that may take longer than it, for a threshold about a percentile."""
        return f"{self.name}_share"

    @property
    def names(self) -> tuple[str, ...]:
        """The names, after `app:threshold:`, of all its series."""
        return (self.name,) if self.quantile is None else (self.name, self.share_name)


def amount(value: float | str, unit: Unit) -> float:
    """A value in base units; ValueError with the problem and the fix."""
    if unit == "seconds":
        if not isinstance(value, str):
            raise ValueError("has no unit; write it with one, like 500ms, 2s or 14d")
        return seconds(value)
    if unit == "bytes" and isinstance(value, str):
        return size(value)
    if isinstance(value, str):
        parsed = share(value)
        if unit not in ("ratio", "factor") or not isinstance(parsed, float):
            form = "5% or 0.05" if unit == "ratio" else "50% or 0.5" if unit == "factor" else "10 or 0.5"
            raise ValueError(f"is not {'a share' if unit == 'ratio' else 'a number'}; write it like {form}")
        value = parsed
    if value < 0 or (unit == "ratio" and value > 1):
        raise ValueError("is not between 0 and 1; write it like 5% or 0.05" if unit == "ratio" else "is below 0")
    return float(value)


def selectors(found: object, path: str = "") -> Iterator[tuple[str, Selector]]:
    """Every selector below a section of the signals, with its path as in YAML."""
    if isinstance(found, Selector):
        yield path, found
    elif isinstance(found, BaseModel):
        for field, info in type(found).model_fields.items():
            yield from selectors(getattr(found, field), f"{path}.{info.alias}".lstrip("."))
    elif isinstance(found, dict):
        for key, value in found.items():
            yield from selectors(value, f"{path}.{key}")
    elif isinstance(found, tuple):
        for index, value in enumerate(found):
            yield from selectors(value, f"{path}[{index}]")


def of_signal(signals: Signals, signal: str) -> tuple[Selector, ...]:
    """The selectors of a signal by its path in the registry; of APIs by name, those of all."""
    found: list[object] = [signals]
    for part in signal.split("."):
        inner = [getattr(section, to_snake(part)) for section in found if section is not None]
        found = [one for value in inner for one in (value.values() if isinstance(value, dict) else (value,))]
    return tuple(selector for section in found for _, selector in selectors(section))


def thresholds(system: System) -> Iterator[Threshold]:
    """Every threshold of a system, its own and the defaults, in the registry's order."""
    for name, spec in THRESHOLDS.items():
        if spec.platform:
            continue
        if spec.signal is None or of_signal(system.signals, spec.signal):
            values = system.thresholds.get(to_camel(name))
            for api in system.signals.external_apis if spec.per_api else (None,):
                own = values.apis.get(api) if values and api else None
                for one in _resolve(system.name, system.team, name, values, own):
                    estimated = spec.percentile and _estimated(system, spec, one.value)
                    yield replace(one, estimated=estimated, api=api)


def thresholds_without_file(system: str, demanded: Mapping[str, ThresholdValues]) -> Iterator[Threshold]:
    """Every threshold of a system that has no file, and so no signals; those of the stack's parts only for it."""
    for name, spec in THRESHOLDS.items():
        if spec.signal is None and (system == PLATFORM or not spec.platform):
            yield from _resolve(system, system, name, demanded.get(to_camel(name)))


def bounds(system: System, histogram: Selector) -> tuple[float, ...]:
    """Upper bounds of a classic histogram in seconds, without +Inf; none where they are not known."""
    spec = declared(system, histogram)
    return tuple(bound / PER_SECOND[spec.unit] for bound in spec.bounds) if spec and spec.unit in PER_SECOND else ()


def is_bound(value: float, of: Sequence[float]) -> bool:
    """Whether a time in seconds is one of these bounds."""
    return any(abs(value - bound) < 1e-9 for bound in of)


def _estimated(system: System, spec: ThresholdSpec, value: float) -> bool:
    """Whether a histogram of the threshold's signal has no bucket that ends there; a native one never has."""
    found = of_signal(system.signals, spec.signal or "")
    return not all(is_bound(value, bounds(system, selector)) for selector in found)


def merged(below: Mapping[str, ThresholdValues], above: Mapping[str, ThresholdValues]) -> dict[str, ThresholdValues]:
    """Thresholds with other values overriding them, one by one."""
    return {
        **below,
        **{name: below[name].under(values) if name in below else values for name, values in above.items()},
    }


def _resolve(
    system: str, team: str, name: str, values: ThresholdValues | None, own: ApiValues | None = None
) -> Iterator[Threshold]:
    """The values of a threshold by severity; those of an external API, `own`, override the others."""
    spec = THRESHOLDS[name]
    for severity in SEVERITIES:
        written = getattr(own, severity, None)
        written = getattr(values, severity, None) if written is None else written
        value = spec.default.get(severity) if written is None else amount(written, spec.unit)
        if value is not None:
            quantile = QUANTILES[values.quantile] if values and values.quantile else None
            wait = getattr(values.wait, severity) if values and values.wait else None
            yield Threshold(
                system=system, team=team, name=name, severity=severity, value=value, quantile=quantile, wait=wait
            )
