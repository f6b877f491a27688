"""The labels of an expression's result."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import promql_parser as pp

from observability.check.promql import (
    SET_OPERATORS,
    Matcher,
    Node,
    bare,
    grouping,
    is_scalar,
    matchers,
    matching,
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Labels of a set of series: those that each has, those that one may have, and the known values.

    `open` means that nothing is known, so that one error is not reported twice.
    """

    certain: frozenset[str] = frozenset()
    possible: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    open: bool = False

    def may_have(self, label: str) -> bool:
        """Whether some series may have the label."""
        return self.open or label in self.possible

    def has(self, label: str) -> bool:
        """Whether every series has the label."""
        return self.open or label in self.certain

    def only(self, labels: Iterable[str]) -> "Shape":
        """The shape with only these labels."""
        kept = frozenset(labels)
        values = {label: value for label, value in self.values.items() if label in kept}
        if self.open:
            return Shape(certain=kept, possible=kept, values=values)
        return Shape(certain=self.certain & kept, possible=self.possible & kept, values=values)

    def without(self, labels: Iterable[str]) -> "Shape":
        """The shape without these labels."""
        dropped = frozenset(labels)
        return Shape(
            certain=self.certain - dropped,
            possible=self.possible - dropped,
            values={label: value for label, value in self.values.items() if label not in dropped},
            open=self.open,
        )

    def given(self, label: str, *, certain: bool = True, value: str | None = None) -> "Shape":
        """The shape with one more label."""
        plain = self.without((label,))
        values = dict(plain.values) if value is None else {**plain.values, label: value}
        return Shape(
            certain=plain.certain | ({label} if certain else set()),
            possible=plain.possible | {label},
            values=values,
            open=self.open,
        )


def either(shapes: Iterable[Shape]) -> Shape:
    """The labels of a set of series that each have one of these shapes."""
    found = list(shapes)
    if not found:
        return Shape(open=True)
    first, *others = found
    return Shape(
        certain=first.certain.intersection(*(other.certain for other in others)),
        possible=first.possible.union(*(other.possible for other in others)),
        values={
            label: value
            for label, value in first.values.items()
            if all(other.values.get(label) == value for other in others)
        },
        open=any(shape.open for shape in found),
    )


def narrowed(shape: Shape, conditions: Iterable[Matcher]) -> Shape:
    """The shape of those series that match the conditions."""
    for one in conditions:
        if one.op == "=" and one.value == "":
            shape = shape.without((one.name,))
        elif one.demands_value:
            known = one.value if one.op == "=" else shape.values.get(one.name)
            shape = shape.given(one.name, value=known)
    return shape


class Shaper:
    """Computes shapes; `selected` returns a selector's labels, `report` is called for labels that do not exist."""

    def __init__(
        self, selected: Callable[[pp.VectorSelector], Shape], report: Callable[[str], object] | None = None
    ) -> None:
        self._selected = selected
        self._report = report

    def shape(self, node: Node) -> Shape:
        """The labels of the expression's result."""
        match node:
            case pp.VectorSelector():
                return self._selected(node)
            case pp.MatrixSelector():
                return self._selected(node.vector_selector)
            case pp.ParenExpr() | pp.SubqueryExpr() | pp.UnaryExpr():
                return self.shape(node.expr)
            case pp.AggregateExpr():
                return self._aggregate(node)
            case pp.BinaryExpr():
                return self._binary(node)
            case pp.Call():
                return self._call(node)
            case _:
                return Shape()

    def _aggregate(self, node: pp.AggregateExpr) -> Shape:
        inner = self.shape(node.expr)
        op = str(node.op)
        grouped = grouping(node)
        self._demand(grouped[1] if grouped else (), inner, f"{op} {'by' if grouped and grouped[0] else 'without'}")
        if op in ("topk", "bottomk", "limitk", "limit_ratio"):
            return inner
        found = Shape() if grouped is None else inner.only(grouped[1]) if grouped[0] else inner.without(grouped[1])
        return found.given(node.param.val) if op == "count_values" and node.param is not None else found

    def _binary(self, node: pp.BinaryExpr) -> Shape:
        op = str(node.op)
        left, right = self.shape(node.lhs), self.shape(node.rhs)
        if is_scalar(node.rhs):
            return left
        if is_scalar(node.lhs):
            return right
        matched = matching(node)
        if matched is not None:
            on, labels = matched
            sides = (left, right) if on else (either((left, right)),)
            for side in sides:
                self._demand(labels, side, f"{op} {'on' if on else 'ignoring'}")
        if op in SET_OPERATORS:
            return either((left, right)) if op == "or" else left
        card = node.modifier.card if node.modifier is not None else pp.VectorMatchCardinality.OneToOne
        if card == pp.VectorMatchCardinality.OneToOne:
            if matched is None:
                return left
            return left.only(matched[1]) if matched[0] else left.without(matched[1])
        many, one = (left, right) if card == pp.VectorMatchCardinality.ManyToOne else (right, left)
        taken = node.modifier.group_labels or [] if node.modifier is not None else []
        self._demand(taken, one, "group_left" if many is left else "group_right")
        for label in taken:
            many = many.given(label, certain=one.has(label), value=one.values.get(label))
        return many

    def _call(self, node: pp.Call) -> Shape:
        name = node.func.name
        vectors = [argument for argument in node.args if not is_scalar(argument)]
        if node.func.return_type == pp.ValueType.Scalar or name == "vector" or not vectors:
            for argument in node.args:
                self.shape(argument)
            return Shape()
        inner = self.shape(vectors[0])
        if name in ("absent", "absent_over_time"):
            return _absent(vectors[0])
        if name in ("histogram_quantile", "histogram_fraction"):
            return inner.without(("le",))
        if name == "label_replace":
            return self._replaced(inner, *(argument.val for argument in node.args[1:]))
        if name == "label_join":
            target, _, *sources = (argument.val for argument in node.args[1:])
            self._demand(sources, inner, "label_join")
            return inner.given(target, certain=any(inner.has(source) for source in sources))
        return inner

    def _replaced(self, inner: Shape, target: str, new: str, source: str, pattern: str) -> Shape:
        self._demand((source,) if source else (), inner, "label_replace")
        always = Matcher("", "=~", pattern).admits("") and pattern.endswith(("", "*", "*)"))
        if new == "":
            return inner.without((target,)) if always else inner
        if "$" not in new:
            return inner.given(target, certain=always or inner.has(target), value=new if always else None)
        whole = pattern in ("(.*)", "(.+)")
        return inner.given(
            target, certain=whole and inner.has(source), value=inner.values.get(source) if whole else None
        )

    def _demand(self, labels: Iterable[str], side: Shape, what: str) -> None:
        for label in sorted(labels):
            if self._report is not None and not side.may_have(label):
                known = ", ".join(sorted(side.possible)) or "none"
                self._report(f"{what} ({label}): there is no label {label} here, only {known}")


def _absent(argument: Node) -> Shape:
    """The labels of an `absent` result: those for which its selector requires one value."""
    argument = bare(argument)
    if isinstance(argument, pp.MatrixSelector):
        argument = argument.vector_selector
    if not isinstance(argument, pp.VectorSelector):
        return Shape()
    shape = Shape()
    for one in matchers(argument):
        if one.op == "=" and one.value:
            shape = shape.given(one.name, value=one.value)
    return shape
