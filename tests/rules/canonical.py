"""Expected samples of canonical series."""

from collections.abc import Mapping, Sequence

from tests.rules.harness import Case, Labels
from tests.rules.raw import Series

Values = Mapping[str, Sequence[tuple[Labels, float]]]


def of(name: str, system: str, value: float, **labels: str) -> Values:
    """The only sample of a canonical series of a system."""
    return several(name, system, (labels, value))


def several(name: str, system: str, *samples: tuple[Mapping[str, str], float]) -> Values:
    """All samples of a canonical series of a system."""
    return {name: [({"system": system, **labels}, value) for labels, value in samples]}


def none(*names: str) -> Values:
    """Series that have no samples."""
    return dict.fromkeys(names, ())


def p95(name: str, system: str, *samples: tuple[Mapping[str, str], float]) -> Values:
    """All samples of a canonical series of percentiles for the 95th."""
    return {
        f'{name}{{quantile="0.95"}}': [
            ({"system": system, **labels, "quantile": "0.95"}, value) for labels, value in samples
        ]
    }


def case(name: str, found: Series, *values: Values, systems: tuple[str, ...] = ()) -> Case:
    merged = {expr: samples for one in values for expr, samples in one.items()}
    return Case(name=name, series=found, values=merged, systems=systems)
