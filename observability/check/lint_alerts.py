"""Checks of alerts only. Each yields the problems of one rule."""

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as pp

from observability.check.catalogue import Catalogue, labelled
from observability.check.contract import problems
from observability.check.lint_queries import EXTERNAL, RATES
from observability.check.promql import COMPARISONS, Node, QueryError, bare, parse, selectors, walk
from observability.check.rulefile import Rule
from observability.check.templates import templates
from observability.core.alert import COMPONENTS, CONTEXT, LABELS, SEVERITIES

ALLOWED: Final = {"severity": frozenset(SEVERITIES), "component": frozenset(COMPONENTS)}
"""Labels with a fixed set of values."""

FLOOR: Final = 0.1
"""Events per second that a share or a percentile needs."""

_FLOORS: Final = re.compile(r"app:threshold:(?:event_rate|failed_events|slow_events|route_failed_events)")
"""Thresholds that are floors: the minimum number of events."""

_OF_FEW: Final = re.compile(r"app:\w+:(?:quantile\w+|ratio_rate\w+|slow_ratio\w+)")
_TRAFFIC: Final = re.compile(r"\w+:\w+:(?:events_)?rate\d+[smh]")


def labels(rule: Rule, catalogue: Catalogue) -> Iterator[str]:
    """An alert has the required labels, and no label contains its value."""
    if not rule.alert:
        return
    shape = labelled(catalogue.shaper().shape(rule.node), rule)
    for name in LABELS:
        if not shape.has(name):
            yield f"has no label {name}: the expression does not keep it, and the rule does not give it"
    for name, allowed in ALLOWED.items():
        if name in rule.labels and rule.labels[name] not in allowed:
            yield f"{name} {rule.labels[name]} is none of {', '.join(sorted(allowed))}"
    for name in sorted(EXTERNAL):
        if shape.possible and name in shape.possible:
            yield f"has a label {name} of its own, which takes the place of the external one: aggregate it away"
    for name, template in templates(dict(rule.labels)):
        if template.reads_value:
            yield f"label {name} holds the value: each new value would be a new alert"


def annotations(rule: Rule, catalogue: Catalogue) -> Iterator[str]:
    """Annotations use existing labels, query existing series, and format values."""
    if not rule.alert:
        return
    shape = labelled(catalogue.shaper().shape(rule.node), rule)
    own = {name: text for name, text in rule.annotations.items() if name not in CONTEXT}
    for name, template in templates(own | dict(rule.labels)):
        yield from (f"{name}: {fault}" for fault in template.faults)
        for label in sorted(template.labels):
            if not (shape.may_have(label) if label in template.optional else shape.has(label)):
                yield f"{name}: the alert has no label {label}, only {', '.join(sorted(shape.certain))}"
        returned: set[str] = set()
        for query in template.queries:
            try:
                node = parse(query)
            except QueryError as error:
                yield f"{name}: query {query!r} does not parse: {error}"
                continue
            yield from (f"{name}: query: {problem}" for problem in problems(node, catalogue))
            returned |= catalogue.shaper().shape(node).possible
        yield from (f"{name}: no query returns a label {label}" for label in sorted(template.of_results - returned))


def waits(rule: Rule, catalogue: Catalogue) -> Iterator[str]:
    """A `for` is absent, or at least one evaluation long; for an absent series, two scrapes."""
    if 0 < rule.wait < rule.interval:
        yield f"waits for {rule.wait:g} s, and is evaluated every {rule.interval:g} s"
    for node, _ in walk(rule.node):
        if not rule.alert or not isinstance(node, pp.Call) or node.func.name != "absent":
            continue
        series = [one for selector in selectors(node) for one in catalogue.find(selector)]
        every = max((one.interval for one in series), default=0.0)
        if rule.wait < 2 * every:
            yield f"absent without a wait of {2 * every:g} s, two scrapes: it would fire at every start of Prometheus"


def comparisons(rule: Rule, catalogue: Catalogue) -> Iterator[str]:  # noqa: ARG001 - as every check
    """An alert has a condition: an expression that always returns a result always fires."""
    if not rule.alert or not any(True for _ in selectors(rule.node)):
        return
    for node, _ in walk(rule.node):
        if isinstance(node, pp.BinaryExpr) and (
            str(node.op) == "unless"
            or (str(node.op) in COMPARISONS and not (node.modifier and node.modifier.return_bool))
        ):
            return
        if isinstance(node, pp.Call) and node.func.name in ("absent", "absent_over_time"):
            return
    yield "compares nothing, so it fires whenever its series exist"


def fragile(rule: Rule, catalogue: Catalogue) -> Iterator[str]:  # noqa: ARG001 - as every check
    """A selection by rank returns different series from one evaluation to the next."""
    for node, _ in walk(rule.node):
        if rule.alert and isinstance(node, pp.AggregateExpr):
            op = str(node.op)
            if op in ("topk", "bottomk", "limitk", "limit_ratio"):
                yield (
                    f"{op} returns other series from one evaluation to the next, "
                    "so no alert stays active for its whole `for`"
                )


def floors(rule: Rule, catalogue: Catalogue) -> Iterator[str]:  # noqa: ARG001 - as every check
    """A share or a percentile of few events is not meaningful."""
    if not rule.alert or not _of_few(rule.node):
        return
    for node, _ in walk(rule.node):
        if not isinstance(node, pp.BinaryExpr) or str(node.op) not in (">=", ">") or _of_few(node.lhs):
            continue
        limit = bare(node.rhs)
        traffic = _rated(node.lhs) or any(_TRAFFIC.fullmatch(one.name or "") for one in selectors(node.lhs))
        enough = isinstance(limit, pp.NumberLiteral) and limit.val >= FLOOR
        if traffic and (enough or any(_FLOORS.fullmatch(one.name or "") for one in selectors(node.rhs))):
            return
    yield (
        "has no minimum number of events, so a single one at night raises it; "
        f"add `and … >= {FLOOR}` of the events a second it is about"
    )


def _of_few(node: Node) -> bool:
    """Whether an expression contains a percentile, or a share of one rate in another."""
    for one, _ in walk(node):
        match one:
            case pp.Call() if one.func.name == "histogram_quantile":
                return True
            case pp.VectorSelector() if _OF_FEW.fullmatch(one.name or ""):
                return True
            case pp.BinaryExpr() if str(one.op) == "/" and _rated(one.lhs) and _rated(one.rhs):
                return True
    return False


def _rated(node: Node) -> bool:
    """Whether an expression contains a rate."""
    return any(isinstance(one, pp.Call) and one.func.name in RATES for one, _ in walk(node))
