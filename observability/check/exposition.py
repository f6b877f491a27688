"""Prometheus' text format, read and written: the metrics that an exporter exposes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

_SAMPLE: Final = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?:\s+-?\d+)?")
_LABEL: Final = re.compile(r'\s*([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"\s*,?')
_ESCAPES: Final = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

PARTS: Final = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
"""Suffixes of the names of a family's series, besides the name itself."""


@dataclass(frozen=True)
class Sample:
    """One series: its name and labels. Values are not needed here."""

    name: str
    labels: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        said = ",".join(f'{name}="{_escaped(value)}"' for name, value in self.labels)
        return f"{self.name}{{{said}}}" if said else self.name


@dataclass
class Family:
    """One metric: its name and type, and its series."""

    name: str
    kind: str = "untyped"
    samples: list[Sample] = field(default_factory=list)


@lru_cache(maxsize=64)
def read(text: str) -> Mapping[str, Family]:
    """The metrics of a text by name; ValueError at a line that is not in this format.

    The result is shared: callers must not change it.
    """
    families: dict[str, Family] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            families.setdefault(name, Family(name)).kind = kind
        elif line.strip() and not line.startswith("#"):
            sample = _sample(line)
            base = family_of(sample.name, families)
            families.setdefault(base, Family(base)).samples.append(sample)
    return families


def family_of(name: str, families: Mapping[str, Family]) -> str:
    """The metric that a series of this name belongs to."""
    for kind, suffixes in PARTS.items():
        for suffix in suffixes:
            base = name.removesuffix(suffix)
            if base != name and base in families and families[base].kind == kind:
                return base
    return name


def head(text: str) -> dict[str, str]:
    """The comments at the top of a recorded sample: key → value."""
    pairs: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("# ") or line.startswith(("# TYPE ", "# HELP ")):
            break
        key, _, value = line[2:].partition(": ")
        pairs[key] = value
    return pairs


def write(pairs: dict[str, str], families: Iterable[Family]) -> str:
    """A recorded sample: its header, and its metrics sorted by name, every value 0."""
    lines = [f"# {key}: {value}" for key, value in pairs.items()]
    for family in sorted(families, key=lambda one: one.name):
        lines.append(f"# TYPE {family.name} {family.kind}")
        lines += [f"{sample} 0" for sample in family.samples]
    return "\n".join(lines) + "\n"


def _sample(line: str) -> Sample:
    match = _SAMPLE.fullmatch(line.strip())
    if match is None:
        raise ValueError(f"not a sample: {line}")
    return Sample(match["name"], tuple(sorted(_labels(match["labels"] or ""))))


def _labels(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        match = _LABEL.match(text, position)
        if match is None:
            raise ValueError(f"not labels: {text}")
        yield match[1], re.sub(r"\\.", lambda found: _ESCAPES.get(found[0], found[0]), match[2])
        position = match.end()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
