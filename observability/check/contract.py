"""The metrics contract: every series that a query reads is exposed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import promql_parser as pp

from observability.check.catalogue import Catalogue, Series, admits, nearest
from observability.check.promql import ANY_VALUE, Node, QueryError, matchers, name_matchers, parse, selectors
from observability.check.rulefile import Rule
from observability.check.shape import Shaper


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A problem, and where it is."""

    where: str
    what: str
    rule: Rule | None = field(default=None, compare=False, repr=False)
    """The rule it is about, if any."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def check_rules(rules: Iterable[Rule], catalogue: Catalogue) -> list[Finding]:
    """Series that the rules read and that are not exposed."""
    return [replace(found, rule=rule) for rule in rules for found in check_query(rule.expr, rule.where, catalogue)]


def check_query(query: str, where: str, catalogue: Catalogue) -> list[Finding]:
    """Series that one query reads and that are not exposed; or that the query does not parse."""
    try:
        node = parse(query)
    except QueryError as error:
        return [Finding(where=where, what=f"does not parse: {error}")]
    return [Finding(where=where, what=what) for what in problems(node, catalogue)]


def of_another_system(query: str, catalogue: Catalogue) -> bool:
    """Whether a query selects a system that is not watched here; a name similar to a watched one is an error."""
    try:
        found = [one for selector in selectors(parse(query)) for one in matchers(selector) if one.name == "system"]
    except QueryError:
        return False
    named = [one for one in found if one.op in ("=", "=~") and ANY_VALUE not in one.value]
    return any(
        not any(one.admits(system) for system in catalogue.systems) and not nearest(one.value, catalogue.systems)
        for one in named
    )


def problems(node: Node, catalogue: Catalogue) -> list[str]:
    """The metrics and labels in an expression that do not exist; each once."""
    found = [what for selector in selectors(node) for what in _of_selector(selector, catalogue)]
    Shaper(catalogue.selected, found.append).shape(node)
    return list(dict.fromkeys(found))


def _of_selector(selector: pp.VectorSelector, catalogue: Catalogue) -> Iterator[str]:
    """The problems of one selector."""
    named = name_matchers(selector)
    if not named:
        yield f"{selector}: names no metric"
        return
    series = catalogue.find(selector)
    if series:
        yield from _of_labels(selector, series)
        return
    name = named[0].value
    if len(named) > 1 or named[0].op != "=":
        yield f"{selector}: no metric has such a name"
    elif not (known := catalogue.called(name)):
        yield f"there is no metric {name}{catalogue.nearest(name)}"
    else:
        yield f"{selector}: {name} is never like that{_which(selector, known)}"


def _which(selector: pp.VectorSelector, known: Iterable[Series]) -> str:
    """The condition that no series matches, with the existing values."""
    series = list(known)
    for one in matchers(selector):
        values = {each.shape.values[one.name] for each in series if one.name in each.shape.values}
        if values and not any(admits(each, (one,)) for each in series):
            return f": {one.name} is one of {', '.join(sorted(values))}{nearest(one.value, values)}"
    return ""


def _of_labels(selector: pp.VectorSelector, series: Iterable[Series]) -> Iterator[str]:
    shapes = [one.shape for one in series]
    known = frozenset[str]().union(*(shape.possible for shape in shapes))
    name = name_matchers(selector)[0].value
    for one in matchers(selector):
        if one.name not in known and not any(shape.open for shape in shapes):
            yield f"{name} has no label {one.name}{nearest(one.name, known)} (it has {', '.join(sorted(known))})"
