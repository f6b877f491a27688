"""Percentiles of a system's latency, with the traces that were measured as points."""

from dashboards.common import PERCENTILES, Panel, graph, over_time, percentiles
from dashboards.figures import UNITS
from dashboards.subject import Subject
from observability.systems.signals import Times
from rules.promql import bucket_rate


def latency(subject: Subject, title: str, words: str, recorded: str, signal: Times, threshold: str) -> Panel:
    """The panel of a recorded series in seconds; `signal` is what it is recorded from.

    Recorded series have no exemplars, so these are asked for by a percentile of the system's own buckets. The panel is
    in the unit of those: an exemplar has the value that was observed.
    """
    spec = subject.system.series.get(signal.series)
    if spec is None or not subject.exemplars:
        return graph(title, words, "s", percentiles(subject.of(recorded)))
    scale = "1000 * " if spec.unit == "ms" else ""
    quantile = subject.quantile(threshold)
    rates = bucket_rate(subject.system, signal, window="$__rate_interval")
    return graph(
        title,
        f"{words} A point was measured in a trace, and links to it.",
        UNITS[spec.unit],
        percentiles(f"{scale}{subject.of(recorded)}"),
        over_time(
            f"histogram_quantile({quantile}, {rates})", f"{PERCENTILES[quantile]} from the buckets", "B"
        ).exemplar(True),
    )
