"""The figures that a system's file lists: one panel each, in the unit of its series."""

from typing import Final, Literal

from dashboards.common import Panel, graph, number, over_time
from dashboards.subject import Subject
from observability.systems.model import Figure, SeriesSpec
from observability.systems.signals import Selector, Unit
from rules.promql import bucket_rate, selector

UNITS: Final[dict[Unit, str]] = {
    "seconds": "s",
    "ms": "ms",
    "bytes": "bytes",
    "usd": "currencyUSD",
    "count": "short",
}
"""Grafana's name of each unit."""

WINDOW: Final = "1h"
"""Range over which the growth of counters is shown: business figures are shown per hour."""


def figures(subject: Subject, dashboard: Literal["business", "security", "application"]) -> list[Panel]:
    """The panels of one dashboard, in the file's order."""
    return [panel(subject, figure) for figure in subject.system.figures if figure.dashboard == dashboard]


def figures_by(subject: Subject, label: str) -> list[Panel]:
    """The panels of all figures that are split by a label, including those shown elsewhere."""
    return [panel(subject, figure) for figure in subject.system.figures if label in figure.by]


def panel(subject: Subject, figure: Figure) -> Panel:
    """A single number where the file states a time range, else a graph; counters and histograms per hour."""
    spec = subject.system.series[figure.series]
    split = f", by {', '.join(figure.by)}" if figure.by else ""
    match spec.kind, figure.over:
        case "counter", None:
            words = f"{spec.help} In the hour before each moment{split}."
            return _graph(figure, words, spec, _grown(subject, figure, WINDOW))
        case "counter", str(over):
            words = f"{spec.help} In the last {over}{split}."
            return _number(figure, words, spec, _grown(subject, figure, over))
        case "gauge", None:
            return _graph(figure, f"{spec.help} At each moment{split}.", spec, _level(subject, figure))
        case "gauge", str(over):
            words = f"{spec.help} The most at a time in the last {over}{split}."
            return _number(figure, words, spec, f"max_over_time({_level(subject, figure)}[{over}:1m])")
        case _:
            return _distribution(subject, figure, spec, split)


def _grown(subject: Subject, figure: Figure, window: str) -> str:
    raw = selector(subject.system, Selector(series=figure.series))
    return f"sum by ({', '.join(('system', *figure.by))}) (increase({raw}[{window}]))"


def _level(subject: Subject, figure: Figure) -> str:
    """A gauge over all instances. Inventory and times, which all instances report alike, are not summed."""
    raw = selector(subject.system, Selector(series=figure.series))
    inventory = subject.system.signals.inventory
    shared = inventory is not None and inventory.series == figure.series
    how = "min" if shared or subject.system.series[figure.series].unit == "seconds" else "sum"
    return f"({how} by ({', '.join(('system', *figure.by))}) ({raw}))"


def _distribution(subject: Subject, figure: Figure, spec: SeriesSpec, split: str) -> Panel:
    """The percentiles of a histogram; where it is split by a label, the 95th for each value."""
    rates = bucket_rate(subject.system, Selector(series=figure.series), *figure.by, window=WINDOW)
    parts = {"0.95": _legend(figure)} if figure.by else {"0.5": "p50", "0.95": "p95", "0.99": "p99"}
    queries = [
        over_time(f"histogram_quantile({quantile}, {rates})", legend, ref)
        for ref, (quantile, legend) in zip("ABC", parts.items(), strict=False)
    ]
    which = "The 95th percentile" if figure.by else "Percentiles"
    words = f"{spec.help} {which} of the hour before each moment{split}."
    return graph(figure.title, words, UNITS[spec.unit], *queries)


def _graph(figure: Figure, words: str, spec: SeriesSpec, expr: str) -> Panel:
    return graph(figure.title, words, UNITS[spec.unit], over_time(expr, _legend(figure)))


def _number(figure: Figure, words: str, spec: SeriesSpec, expr: str) -> Panel:
    return number(figure.title, words, UNITS[spec.unit], over_time(expr, _legend(figure)), width=6)


def _legend(figure: Figure) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in figure.by) or figure.title
