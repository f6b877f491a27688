"""A critical alert mutes only its own warning: both have equal values of all labels that distinguish such alerts."""

from itertools import product

from observability.alerting.inhibition import SAME_TROUBLE
from observability.check.catalogue import labelled
from observability.check.rulefile import Rule
from tests.metrics.conftest import Judged

OF_THE_KIND = {"alertname", "severity", "component", "team", "job"}
"""Labels that are the same for every alert of a rule, or follow from those that are compared."""


def labels(rule: Rule, everything: Judged) -> frozenset[str]:
    return labelled(everything.catalogue.shaper().shape(rule.node), rule).possible - OF_THE_KIND


def test_labels_that_differ_between_warnings_are_compared_with_the_critical(everything: Judged) -> None:
    alerts = [rule for rule in everything.rules if rule.alert]
    warnings = [rule for rule in alerts if rule.labels["severity"] == "warning"]
    criticals = [rule for rule in alerts if rule.labels["severity"] == "critical"]
    pairs = [
        (warning, critical)
        for warning, critical in product(warnings, criticals)
        if (warning.labels["condition"], warning.labels["component"])
        == (critical.labels["condition"], critical.labels["component"])
    ]
    assert len(pairs) > 10
    for warning, critical in pairs:
        # Whether an alert pages is not part of the problem.
        both = (labels(warning, everything) & labels(critical, everything)) - {"page"}
        assert both <= set(SAME_TROUBLE), f"{warning.where} and {critical.where}"
