"""PromQL as a tree: parsed by promql-parser, traversed here.

The parser follows Prometheus 2.45 with most of the later additions. It cannot read duration expressions
(`[2 * 5m]`), `anchored` and `smoothed`, or a backslash in a raw string. No query here needs them; such a query is
refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import promql_parser as pp

Node: TypeAlias = pp.Expr
"""An expression, of one of promql-parser's kinds."""

COMPARISONS: Final = frozenset({"==", "!=", ">", "<", ">=", "<="})
SET_OPERATORS: Final = frozenset({"and", "or", "unless"})

ANY_VALUE: Final = "<any>"
"""Placeholder in a query for a value that is unknown until it runs, like a dashboard's variable."""


class QueryError(ValueError):
    """A query that does not parse."""


@dataclass(frozen=True)
class Matcher:
    """One condition on a label."""

    name: str
    op: str
    value: str

    def admits(self, value: str) -> bool:
        """Whether a label of this value matches; an unknown value always does."""
        if ANY_VALUE in self.value:
            return True
        hit = value == self.value if self.op in ("=", "!=") else re.fullmatch(self.value, value, re.DOTALL) is not None
        return hit is (self.op in ("=", "=~"))

    @property
    def demands_value(self) -> bool:
        """Whether a series without the label is excluded."""
        return not self.admits("") if ANY_VALUE not in self.value else self.op in ("=", "=~")

    def __str__(self) -> str:
        return f'{self.name}{self.op}"{self.value}"'


_OPERATORS: Final = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def parse(query: str) -> Node:
    """The query as a tree; QueryError where it does not parse."""
    try:
        return pp.parse(query)
    except ValueError as error:
        raise QueryError(str(error)) from error


def children(node: Node) -> tuple[Node, ...]:
    """The direct subexpressions of a node."""
    match node:
        case pp.AggregateExpr():
            return (*((node.param,) if node.param is not None else ()), node.expr)
        case pp.BinaryExpr():
            return node.lhs, node.rhs
        case pp.Call():
            return tuple(node.args)
        case pp.MatrixSelector():
            return (node.vector_selector,)
        case pp.ParenExpr() | pp.SubqueryExpr() | pp.UnaryExpr():
            return (node.expr,)
        case _:
            return ()


def walk(node: Node, above: tuple[Node, ...] = ()) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """Every node with its ancestors, the outermost first."""
    yield node, above
    for child in children(node):
        yield from walk(child, (*above, node))


def bare(node: Node) -> Node:
    """The node without parentheses around it."""
    while isinstance(node, pp.ParenExpr):
        node = node.expr
    return node


def selectors(node: Node) -> Iterator[pp.VectorSelector]:
    """Every selector in the expression."""
    return (found for found, _ in walk(node) if isinstance(found, pp.VectorSelector))


def matchers(selector: pp.VectorSelector) -> tuple[Matcher, ...]:
    """Its conditions, without the one on its name."""
    found = (
        Matcher(one.name, _OPERATORS[str(one.op).rpartition(".")[2]], one.value) for one in selector.matchers.matchers
    )
    return tuple(one for one in found if one.name != "__name__")


def name_matchers(selector: pp.VectorSelector) -> tuple[Matcher, ...]:
    """Its conditions on the name, in every notation."""
    if selector.name is not None:
        return (Matcher("__name__", "=", selector.name),)
    return tuple(
        Matcher(one.name, _OPERATORS[str(one.op).rpartition(".")[2]], one.value)
        for one in selector.matchers.matchers
        if one.name == "__name__"
    )


def grouping(node: pp.AggregateExpr) -> tuple[bool, frozenset[str]] | None:
    """Whether an aggregation keeps (`by`) or drops (`without`) labels, and which; None where it keeps none."""
    if node.modifier is None:
        return None
    return node.modifier.type == pp.AggModifierType.By, frozenset(node.modifier.labels)


def matching(node: pp.BinaryExpr) -> tuple[bool, frozenset[str]] | None:
    """Whether two sides are matched by these labels (`on`) or by all others (`ignoring`); None: by all."""
    if node.modifier is None or node.modifier.matching is None:
        return None
    return node.modifier.matching.type == pp.LabelModifierType.Include, frozenset(node.modifier.matching.labels)


def is_scalar(node: Node) -> bool:
    """Whether it is a scalar rather than a set of series."""
    node = bare(node)
    match node:
        case pp.NumberLiteral() | pp.StringLiteral():
            return True
        case pp.UnaryExpr():
            return is_scalar(node.expr)
        case pp.BinaryExpr():
            return is_scalar(node.lhs) and is_scalar(node.rhs)
        case pp.Call():
            return bool(node.func.return_type == pp.ValueType.Scalar)
        case _:
            return False


def seconds(node: pp.MatrixSelector | pp.SubqueryExpr) -> float:
    """Length of its range."""
    return node.range.total_seconds() if node.range is not None else 0.0
