"""Which traces are kept: all with an error or a slow span, and a share of the others; of each system so many spans.

Policies are made for each system, as each has a limit. A trace with spans of several systems is kept if the policies
of one keep it.
"""

from typing import Any, Final

from observability.core.naming import UNASSIGNED
from observability.core.types import seconds
from observability.parts.traces import TracesSettings
from observability.settings.load import StackConfig

SYSTEM: Final = "system"
"""Attribute of a span's resource with its system."""

WAIT: Final = "10s"
"""How long a trace is held after its first span, until it is decided on."""

TRACES: Final = 50_000
"""Traces that are held at once; with more, the oldest are decided on by what has arrived."""

REMEMBERED: Final = 100_000
"""Decisions that are remembered, for spans that arrive after them."""

NOTABLE: Final = "notable"
"""Policy of traces with an error or a slow span."""

SHARE: Final = "share"
"""Policy of the others."""


def policies(config: StackConfig) -> dict[str, Any]:
    """The processor's configuration."""
    own = config.settings.traces or TracesSettings()
    return {
        "decision_wait": WAIT,
        "num_traces": TRACES,
        "decision_cache": {"sampled_cache_size": REMEMBERED, "non_sampled_cache_size": REMEMBERED},
        "policies": [_system(config, own, name) for name in (*config.systems, UNASSIGNED)],
    }


def _system(config: StackConfig, own: TracesSettings, name: str) -> dict[str, Any]:
    stated = config.system_settings(name).traces
    keep = own.kept(config.settings.environment) if stated.keep is None else stated.keep
    mine = {
        "name": "system",
        "type": "string_attribute",
        "string_attribute": {"key": SYSTEM, "values": [name]},
    }
    notable = {
        "name": NOTABLE,
        "type": "ottl_condition",
        "ottl_condition": {
            "error_mode": "ignore",
            "span": [
                "span.status.code == STATUS_CODE_ERROR",
                *(f'span.attributes["{code}"] >= 500' for code in ("http.response.status_code", "http.status_code")),
                f'(span.end_time - span.start_time) >= Duration("{seconds(own.slow):g}s")',
            ],
        },
    }
    share = {
        "name": SHARE,
        "type": "probabilistic",
        "probabilistic": {"sampling_percentage": round(100 * keep, 6)},
    }
    limited = {NOTABLE: notable, SHARE: share}
    return {
        "name": name,
        "type": "composite",
        "composite": {
            "max_total_spans_per_second": stated.spans_per_second or own.spans_per_second,
            "policy_order": list(limited),
            "composite_sub_policy": [
                {"name": policy, "type": "and", "and": {"and_sub_policy": [mine, condition]}}
                for policy, condition in limited.items()
            ],
            # Each of the two has the whole limit: many errors leave room for the others, and the reverse.
            "rate_allocation": [{"policy": policy, "percent": 100} for policy in limited],
        },
    }
