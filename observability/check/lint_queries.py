"""Checks of expressions, of alerts and recording rules alike. Each yields the problems of one rule."""

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as pp

from observability.check.catalogue import Catalogue, Series
from observability.check.promql import (
    COMPARISONS,
    SET_OPERATORS,
    Node,
    bare,
    grouping,
    is_scalar,
    matchers,
    seconds,
    selectors,
    walk,
)
from observability.check.promql import matching as matched_by
from observability.check.rulefile import Rule

RATES: Final = frozenset({"rate", "increase", "irate"})
"""Functions for counters only."""

SLOPES: Final = frozenset({"delta", "idelta", "deriv"})
"""Their counterparts for gauges."""

PRESENCE: Final = frozenset(
    {"absent", "absent_over_time", "present_over_time", "count_over_time", "changes", "resets", "timestamp"}
)
"""Functions whose result does not depend on the absolute value of a counter."""

PER_WINDOW: Final = 4
"""Minimum number of samples in a window; with fewer, one lost scrape leaves a gap."""

EXTERNAL: Final = frozenset({"environment", "cluster"})
"""Labels that Prometheus adds only to what it sends."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*:[a-zA-Z0-9_]+:[a-z0-9_]+")
_WINDOW_IN_NAME: Final = re.compile(r"(?:rate|increase|avg|stddev|ratio|quantile)(\d+[smhdw])$")
_PLAIN: Final = re.compile(r"[^.*+?()\[\]{}|\\^$]*")


def counters(rule: Rule, catalogue: Catalogue) -> Iterator[str]:
    """Counters are read by their rate, and other series are not."""
    for node, above in walk(rule.node):
        if isinstance(node, pp.Call) and node.func.name in RATES and isinstance(bare(node.args[0]), pp.SubqueryExpr):
            yield f"{node.func.name} of a subquery: take the rate first, then add up"
        if isinstance(node, pp.VectorSelector):
            yield from _use(node, above, catalogue.find(node))


def _use(selector: pp.VectorSelector, above: tuple[Node, ...], series: list[Series]) -> Iterator[str]:
    kinds = {one.kind for one in series}
    function = _over_range(above)
    if function in RATES and "gauge" in kinds:
        yield f"{function} of {selector.name}, which is a gauge: use delta or deriv"
    if not kinds or not kinds <= {"counter", "histogram"}:
        return
    if function in SLOPES or function == "predict_linear":
        yield f"{function} of {selector.name}, which is a counter: use rate or increase"
    elif function is None or function.endswith("_over_time"):
        yield from _height(selector, above, function)


def _over_range(above: tuple[Node, ...]) -> str | None:
    """The function to which a range of this selector is passed."""
    if not above or not isinstance(above[-1], pp.MatrixSelector):
        return None
    return next((node.func.name for node in reversed(above) if isinstance(node, pp.Call)), None)


def _height(selector: pp.VectorSelector, above: tuple[Node, ...], function: str | None) -> Iterator[str]:
    """Whether the result depends on the counter's absolute value since the start of its process."""
    if function in PRESENCE:
        return
    child: Node = selector
    for node in reversed(above):
        match node:
            case pp.Call() if node.func.name in PRESENCE:
                return
            case pp.AggregateExpr() if str(node.op) in ("count", "group"):
                return
            case pp.BinaryExpr():
                if str(node.op) in SET_OPERATORS:
                    if str(node.rhs) == str(child) and str(node.op) != "or":
                        return
                    if str(node.op) == "unless" and _earlier(selector, node.rhs):
                        return
                elif _times_zero(node) or (str(node.op) in ("==", "!=") and _earlier(selector, node)):
                    # Whether it exists, or whether it has changed.
                    return
                else:
                    yield f"{selector.name} is a counter: its value alone has no meaning, use rate or increase"
                    return
        child = node
    yield f"{selector.name} is a counter: its value alone has no meaning, use rate or increase"


def _earlier(selector: pp.VectorSelector, other: Node) -> bool:
    """Whether the other side is the same series with an offset, as in a condition that finds new series."""
    return any(one.name == selector.name and one.offset is not None for one in selectors(other))


def _times_zero(node: pp.BinaryExpr) -> bool:
    """Whether it is multiplied by 0, which tests only its existence."""
    sides = (bare(node.lhs), bare(node.rhs))
    return str(node.op) == "*" and any(isinstance(side, pp.NumberLiteral) and side.val == 0 for side in sides)


def windows(rule: Rule, catalogue: Catalogue) -> Iterator[str]:
    """A rate needs four samples."""
    for node, above in walk(rule.node):
        if not isinstance(node, pp.MatrixSelector):
            continue
        function = next((one.func.name for one in reversed(above) if isinstance(one, pp.Call)), "")
        every = max((one.interval for one in catalogue.find(node.vector_selector)), default=0.0)
        if function in RATES | SLOPES and seconds(node) < PER_WINDOW * every:
            yield (
                f"{function} of {node.vector_selector.name} over {seconds(node):g} s, "
                f"which has a sample every {every:g} s: take at least {PER_WINDOW * every:g} s"
            )


def histograms(rule: Rule, catalogue: Catalogue) -> Iterator[str]:
    """A percentile is computed from the rates of a histogram's buckets."""
    for node, _ in walk(rule.node):
        if not isinstance(node, pp.Call) or node.func.name not in ("histogram_quantile", "histogram_fraction"):
            continue
        vector = node.args[-1]
        found = [one for selector in selectors(vector) for one in catalogue.find(selector)]
        # A native histogram has no label le, and the rules select it as such next to a classic one.
        asked = any(
            (one.name, one.value) == ("le", "") for selector in selectors(vector) for one in matchers(selector)
        )
        native = asked or any(one.kind == "histogram" for one in found)
        if not native and found and not catalogue.shaper().shape(vector).may_have("le"):
            yield f"{node.func.name} of series without the label le: its result is always empty"
        raw = [one for one in found if one.kind != "gauge"]
        rated = any(isinstance(one, pp.Call) and one.func.name in RATES for one, _ in walk(vector))
        if raw and not rated:
            yield f"{node.func.name} without rate: a percentile since the process started, not of a range"


def external_labels(rule: Rule, catalogue: Catalogue) -> Iterator[str]:
    """No rule may rely on a label that Prometheus adds only to what it sends, unless an exporter exposes it too."""
    shaper = catalogue.shaper()
    for node, _ in walk(rule.node):
        names: frozenset[str] = frozenset()
        shapes = []
        if isinstance(node, pp.VectorSelector):
            names = frozenset(one.name for one in matchers(node))
            shapes = [one.shape for one in catalogue.find(node)]
        elif isinstance(node, pp.AggregateExpr) and (grouped := grouping(node)) is not None and grouped[0]:
            names, shapes = grouped[1], [shaper.shape(node.expr)]
        elif isinstance(node, pp.BinaryExpr) and (matched := matched_by(node)) is not None and matched[0]:
            names, shapes = matched[1], [shaper.shape(node.lhs), shaper.shape(node.rhs)]
        for name in sorted(names & EXTERNAL):
            if not any(name in shape.possible for shape in shapes):
                yield f"{name} is an external label: Prometheus adds it only to what it sends, no stored series has it"


def regexps(rule: Rule, catalogue: Catalogue) -> Iterator[str]:  # noqa: ARG001 - as every check
    """Regular expressions are necessary, and without anchors, which Prometheus adds."""
    for selector in selectors(rule.node):
        for one in matchers(selector):
            if one.op not in ("=~", "!~"):
                continue
            if _PLAIN.fullmatch(one.value):
                yield f"{one} is a plain string: write {one.name}{one.op[0].replace('!', '!=')}{one.value!r}"
            elif one.value.startswith("^") or one.value.endswith("$"):
                yield f"{one} is anchored, which Prometheus does anyway"
            elif one.value == ".*":
                yield f"{one} matches everything: remove it"


def matching(rule: Rule, catalogue: Catalogue) -> Iterator[str]:
    """Both sides of an operator have the same labels, or state the labels by which they are matched."""
    shaper = catalogue.shaper()
    for node, _ in walk(rule.node):
        if not isinstance(node, pp.BinaryExpr) or is_scalar(node.lhs) or is_scalar(node.rhs):
            continue
        left, right = shaper.shape(node.lhs), shaper.shape(node.rhs)
        if left.open or right.open:
            continue
        matched = matched_by(node)
        alone = sorted(left.possible ^ right.possible)
        if matched is None and str(node.op) == "or":
            if alone and not (left.possible and right.possible):
                yield "or with an expression without labels adds a separate series: write or on ()"
        elif matched is None and alone:
            yield f"the sides of {node.op} never match: only one has {', '.join(alone)}; write on or ignoring"
        elif matched is not None and matched[0] and _one_to_one(node):
            beyond = sorted((left.certain - matched[1]) ^ (right.certain - matched[1]))
            if beyond:
                yield (
                    f"{node.op} on: one side has {', '.join(beyond)} as well and may have many series "
                    "for each match; add group_left"
                )


def _one_to_one(node: pp.BinaryExpr) -> bool:
    return node.modifier is not None and node.modifier.card == pp.VectorMatchCardinality.OneToOne


def zeros(rule: Rule, catalogue: Catalogue) -> Iterator[str]:  # noqa: ARG001 - as every check
    """An absent series is not 0."""
    for node, _ in walk(rule.node):
        if not isinstance(node, pp.BinaryExpr) or str(node.op) not in COMPARISONS:
            continue
        counted, limit = bare(node.lhs), bare(node.rhs)
        if not isinstance(counted, pp.AggregateExpr) or str(counted.op) not in ("count", "group"):
            continue
        if isinstance(limit, pp.NumberLiteral) and (str(node.op), limit.val) in {("==", 0), ("<=", 0), ("<", 1)}:
            yield f"{counted.op} is never 0: without series the result is empty; use absent"


def names(rule: Rule, catalogue: Catalogue) -> Iterator[str]:  # noqa: ARG001 - as every check
    """A recorded series is named level:metric:operations, and reads the time range that its name states."""
    if rule.alert:
        return
    if _NAME.fullmatch(rule.name) is None:
        yield "is not of the form level:metric:operations"
    window = _WINDOW_IN_NAME.search(rule.name)
    if window is None:
        return
    said = pp.parse_duration(window[1]).total_seconds()
    ranges = [seconds(one) for one, _ in walk(rule.node) if isinstance(one, pp.MatrixSelector | pp.SubqueryExpr)]
    built = [hit[1] for one in selectors(rule.node) if (hit := _WINDOW_IN_NAME.search(one.name or ""))]
    if ranges and said not in ranges and window[1] not in built:
        yield f"is named after {window[1]} and reads other ranges"
