"""What is kept of an exporter's output: every metric, type and set of labels, but not each of many similar series."""

import re
from collections.abc import Mapping

from observability.check.exposition import Family, Sample

VALUES = 10
"""How many values of a label are kept; they show which values exist, such as the states of a CPU."""

BUCKETS = 2
"""How many bounds of a histogram are kept: +Inf and one more."""

Masks = Mapping[str, Mapping[str, str]]
"""Label → expression → the replacement of a value that matches it; a value that matches none is dropped."""


def trim(families: Mapping[str, Family], masks: Masks) -> list[Family]:
    """The metrics with few series each; values specific to the machine, as defined by the masks, are removed."""
    return [_trimmed(family, masks) for _, family in sorted(families.items())]


def _trimmed(family: Family, masks: Masks) -> Family:
    seen: dict[tuple[str, tuple[str, ...], str], set[str]] = {}
    kept: list[Sample] = []
    masked = {one for sample in family.samples if (one := _masked(sample, masks)) is not None}
    for sample in sorted(masked, key=lambda one: (one.name, one.labels)):
        form = tuple(label for label, _ in sample.labels)
        fresh = False
        for label, value in sample.labels or (("", ""),):
            known = seen.setdefault((sample.name, form, label), set())
            if value not in known and len(known) < (BUCKETS if label == "le" else VALUES):
                known.add(value)
                fresh = True
        if fresh:
            kept.append(sample)
    return Family(family.name, family.kind, kept)


def _masked(sample: Sample, masks: Masks) -> Sample | None:
    """The sample without values specific to one machine; None if a value is of no use elsewhere."""
    labels: list[tuple[str, str]] = []
    for label, value in sample.labels:
        said = masks.get(label)
        if said is None or not value:
            labels.append((label, value))
            continue
        hits = ((re.fullmatch(pattern, value), new) for pattern, new in said.items())
        found = next(((hit, new) for hit, new in hits if hit), None)
        if found is None:
            return None
        labels.append((label, found[0].expand(found[1])))
    return Sample(sample.name, tuple(labels))
