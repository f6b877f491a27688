"""The page's configuration file, from the settings and the alerting rules.

What is user-facing: the probes of a system; whether any of its instances answers, where nothing is probed; the share
of its requests that fail; and the alerts whose rule declares an `impact` on users.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from math import ceil
from typing import Any, Final

from observability.core.alert import IMPACT, IMPACTS
from observability.core.types import seconds
from observability.parts import prometheus, status_page
from observability.parts.probe import LOOKBACK, Probe, last
from observability.parts.status_page import COMMAND_FILES, ComponentSettings
from observability.settings.load import StackConfig
from observability.status_page.model import DAYS, Component, Settings

FILE: Final = "status-page.json"
"""Name of the file."""

FAILURES: Final = 2
"""Failed probes, or scrapes, in a row that make a component down."""

_JITTER: Final = 1
"""Seconds by which a scrape may be late."""

_BLACKBOX: Final = "blackbox-exporter"

Rules = Iterable[Mapping[str, Any]]
"""Alerting rules as their files state them."""


def files(config: StackConfig, rules: Rules) -> dict[str, str]:
    """The part's configuration folder, without a secret."""
    own = config.settings.part(status_page.NAME)
    found = page(config, rules)
    document = {
        "port": status_page.PORT,
        "prometheus": f"http://prometheus:{prometheus.PORT}",
        "folder": status_page.DATA,
        "pages": f"{status_page.DATA}/{status_page.PAGES}",
        "every": seconds(own.interval),
        "command": list(own.publish.command) if own.publish else [],
        "files": dict(COMMAND_FILES),
        **asdict(found),
    }
    texts = {FILE: json.dumps(document, indent=2, sort_keys=True) + "\n"}
    if own.publish and own.publish.known_hosts:
        texts[COMMAND_FILES["known_hosts"]] = own.publish.known_hosts.rstrip() + "\n"
    return texts


def page(config: StackConfig, rules: Rules) -> Settings:
    """What the page shows, with the queries of each component."""
    own = config.settings.part(status_page.NAME)
    rules = tuple(rules)
    return Settings(
        title=own.title,
        url=(own.url or "").rstrip("/"),
        components=tuple(
            Component(
                id=name,
                title=one.title,
                description=one.description,
                system=one.system,
                query=query(config, one, rules, own.down_from),
            )
            for name, one in own.components.items()
        ),
        back=min(DAYS, ceil(seconds(config.settings.retention) / 86_400)),
    )


def query(config: StackConfig, component: ComponentSettings, rules: Rules, down_from: float) -> str:
    """PromQL of a component: 0 works, 1 is degraded, 2 is down; no value: nobody watches it."""
    placed = [one.server for one in config.servers(_BLACKBOX) if one.system == component.system]
    chosen = [probe for probe in placed if not component.probes or probe.name in component.probes]
    probed = _probed(component.system, chosen) if chosen and config.runs(_BLACKBOX) else ""
    if component.probes:
        return probed
    scraped = _scraped(config, component.system)
    watched = f"(\n{_indented(probed)}\n  or\n{_indented(scraped)}\n)" if probed else scraped
    others = {
        "requests": _failing(component.system, down_from),
        "alerts": _alerts(component.system, rules),
    }
    # Each has a label of its own, or the first of them would hide the others.
    more = [
        f'label_replace(\n{_indented(found)},\n  "of", "{name}", "", ""\n)' for name, found in others.items() if found
    ]
    return f"max(\n{_indented(chr(10).join([watched, *(f'or{chr(10)}{one}' for one in more)]))}\n)"


def impacts(rules: Rules) -> dict[tuple[str, str], list[str]]:
    """The names of the alerts that declare an impact, by impact and severity."""
    found: dict[tuple[str, str], set[str]] = {}
    for rule in rules:
        impact = (rule.get("annotations") or {}).get(IMPACT)
        if impact in IMPACTS:
            key = (str(impact), str((rule.get("labels") or {}).get("severity", "")))
            found.setdefault(key, set()).add(str(rule["alert"]))
    return {key: sorted(names) for key, names in sorted(found.items())}


def _probed(system: str, probes: Iterable[Probe]) -> str:
    """2 where every probe of a system fails, 1 where some do. Of a page at several instances, one is enough."""
    windows: dict[int, set[str]] = {}
    for probe in probes:
        windows.setdefault(0 if probe.every > LOOKBACK else _window(probe.every), set()).add(probe.name)
    each = []
    for window, names in sorted(windows.items()):
        series = last("probe_success") if window == 0 else "probe_success"
        selected = f'{series}{{job="blackbox",system="{system}",probe=~"{_one_of(names)}"}}'
        # A probe that is slower than Prometheus looks back has its last value in a series of its own.
        each.append(f"max by (probe) ({selected if window == 0 else f'max_over_time({selected}[{window}s])'})")
    every = " or ".join(each)
    return f"(max({every}) == bool 0) + (min({every}) == bool 0)"


def _scraped(config: StackConfig, system: str) -> str:
    """2 where no instance of a system answers its scrape."""
    job = config.systems[system].job
    window = _window(seconds(config.settings.prometheus.scrape_interval))
    return f'2 * (max(max_over_time(up{{job="{job}",system="{system}"}}[{window}s])) == bool 0)'


def _failing(system: str, down_from: float) -> str:
    """2 where so large a share of a system's requests fails, of enough requests."""
    return f"""\
2 * group(
  app:http_errors:ratio_rate5m{{system="{system}"}} >= {down_from:g}
  and on (system) app:http_requests:rate5m
    >= on (system) group_left () app:threshold:event_rate{{severity="critical"}}
)"""


def _alerts(system: str, rules: Rules) -> str:
    """The worst impact of the system's alerts that fire; empty where no rule declares one."""
    found = []
    by_impact = impacts(rules)
    for impact in IMPACTS[::-1]:
        for (declared, severity), names in by_impact.items():
            if declared == impact:
                of = f'alertstate="firing",system="{system}",severity="{severity}",alertname=~"{_one_of(names)}"'
                found.append(f"{IMPACTS.index(impact) + 1} * group(ALERTS{{{of}}})")
    return "\nor\n".join(found)


def _one_of(names: Iterable[str]) -> str:
    """A regular expression for these names, as the content of a string of PromQL."""
    return "|".join(re.escape(name) for name in sorted(names)).replace("\\", "\\\\")


def _window(every: float) -> int:
    return ceil(FAILURES * every) + _JITTER


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
