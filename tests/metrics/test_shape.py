"""Which labels the result of an expression has, as computed by Prometheus."""

import promql_parser as pp
import pytest

from observability.check.promql import matchers, parse, selectors
from observability.check.shape import Shape, Shaper, either, narrowed

SERIES = {
    # name: labels that each series has, and labels that a series may have in addition
    "a": ("x y", ""),
    "b": ("x z", "w"),
    "h_bucket": ("x le", ""),
}


def selected(selector: pp.VectorSelector) -> Shape:
    """The labels of a series of the table."""
    certain, possible = SERIES[selector.name or ""]
    shape = Shape(certain=frozenset(certain.split()), possible=frozenset(f"{certain} {possible}".split()))
    return narrowed(shape, matchers(selector))


@pytest.mark.parametrize(
    ("query", "certain", "possible"),
    [
        ("a", "x y", ""),
        ("-a", "x y", ""),
        ("(a)", "x y", ""),
        ("b", "x z", "w"),
        ("rate(a[5m])", "x y", ""),
        ("max_over_time(a[1h:5m])", "x y", ""),
        ("sum(a)", "", ""),
        ("sum by (x) (a)", "x", ""),
        ("sum by (x, w) (b)", "x", "w"),
        ("sum without (x) (b)", "z", "w"),
        ("topk(3, a)", "x y", ""),
        ("topk by (x) (3, a)", "x y", ""),
        ('count_values("v", a)', "v", ""),
        ('count_values by (x) ("v", a)', "x v", ""),
        ("a > 1", "x y", ""),
        ("1 / a", "x y", ""),
        ("2 * 3", "", ""),
        ("a * a", "x y", ""),
        ("a > on (x) b", "x", ""),
        ("a > ignoring (y) b", "x", ""),
        ("a > on (x) group_left () b", "x y", ""),
        ("a > on (x) group_left (z) b", "x y z", ""),
        ("a > on (x) group_left (w) b", "x y", "w"),
        ("a > on (x) group_right (y) b", "x y z", "w"),
        ("a and on (x) b", "x y", ""),
        ("a unless on (x) b", "x y", ""),
        ("a or b", "x", "y z w"),
        ("a or on () vector(0)", "", "x y"),
        ("vector(1)", "", ""),
        ("time() - a", "x y", ""),
        ("scalar(a)", "", ""),
        ("absent(a)", "", ""),
        ('absent(a{x="1",y=~"2|3"})', "x", ""),
        ('absent_over_time(a{x="1"}[5m])', "x", ""),
        ("absent(sum(a))", "", ""),
        ("histogram_quantile(0.9, sum by (le, x) (rate(h_bucket[5m])))", "x", ""),
        ("histogram_fraction(0, 1, sum by (le) (rate(h_bucket[5m])))", "", ""),
        ('label_replace(a, "n", "$1", "x", "(.*)")', "x y n", ""),
        ('label_replace(b, "n", "$1", "w", "(.*)")', "x z", "w n"),
        ('label_replace(a, "n", "$1", "x", "(.*):.*")', "x y", "n"),
        ('label_replace(a, "n", "v", "", "")', "x y n", ""),
        ('label_replace(a, "y", "", "", "")', "x", ""),
        ('label_replace(a, "y", "", "y", "b.*")', "x y", ""),
        ('label_join(a, "n", "-", "x", "y")', "x y n", ""),
        ('label_join(b, "n", "-", "w")', "x z", "w n"),
    ],
)
def test_the_labels_of(query: str, certain: str, possible: str) -> None:
    shape = Shaper(selected).shape(parse(query))
    assert shape.certain == frozenset(certain.split())
    assert shape.possible == frozenset(f"{certain} {possible}".split())


@pytest.mark.parametrize(
    ("conditions", "certain", "values"),
    [
        ('{w="1"}', "x z w", {"w": "1"}),
        ('{w!=""}', "x z w", {}),
        ('{w=~".+"}', "x z w", {}),
        ('{w!="1"}', "x z", {}),
        ('{w=~".*"}', "x z", {}),
        ('{z=""}', "x", {}),
    ],
)
def test_conditions_make_labels_certain(conditions: str, certain: str, values: dict[str, str]) -> None:
    (selector,) = selectors(parse(f"b{conditions}"))
    plain = Shape(certain=frozenset("xz"), possible=frozenset("xzw"))
    shape = narrowed(plain, matchers(selector))
    assert shape.certain == frozenset(certain.split())
    assert shape.values == values


def test_label_values_are_known_where_the_query_fixes_them() -> None:
    query = 'label_replace(a{x="1"}, "q", "0.95", "", "") * on (x) group_left (z) b{z="2"}'
    assert Shaper(selected).shape(parse(query)).values == {"x": "1", "q": "0.95", "z": "2"}


def test_an_unknown_expression_may_have_any_label() -> None:
    shape = either([])
    assert shape.open
    assert shape.has("anything")
    assert shape.may_have("anything")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("sum by (q) (a)", "sum by (q): there is no label q here, only x, y"),
        ("sum without (q) (a)", "sum without (q)"),
        ("a * on (q) b", "* on (q)"),
        ("a * on (y) b", "* on (y): there is no label y here, only w, x, z"),
        ("a * ignoring (q) b", "* ignoring (q)"),
        ("a * on (x) group_left (q) b", "group_left (q)"),
        ("a * on (x) group_right (z) b", "group_right (z)"),
        ('label_replace(a, "n", "$1", "q", "(.*)")', "label_replace (q)"),
        ('label_join(a, "n", "-", "q")', "label_join (q)"),
    ],
)
def test_a_missing_label_is_reported(query: str, says: str) -> None:
    said: list[str] = []
    Shaper(selected, said.append).shape(parse(query))
    assert any(line.startswith(says) for line in said), said
