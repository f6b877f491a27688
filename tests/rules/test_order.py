"""Rule groups in promtool's tests are evaluated in the order of their files."""

from typing import Any, Final

import pytest
import yaml

from observability.check.promtool import in_order
from observability.core.documents import load_yaml
from tests.tools import run_tool

CHAIN: Final = 12
"""Groups of which each records what the one before it recorded; 12! orders, of which one is right."""

RULES: Final = {
    "first.yaml": yaml.safe_dump({"groups": [{"name": "a", "rules": [{"record": "step_0", "expr": "source"}]}]}),
    "rest.yaml": yaml.safe_dump(
        {
            "groups": [
                {"name": f"step {n}", "rules": [{"record": f"step_{n}", "expr": f"step_{n - 1}"}]}
                for n in range(1, CHAIN)
            ]
        },
        sort_keys=False,
    ),
}


def case(**more: Any) -> str:  # noqa: ANN401
    """A test that the last group of the chain records the source's value of the same minute."""
    check = {"expr": f"step_{CHAIN - 1}", "eval_time": "5m", "exp_samples": [{"labels": "step_11", "value": 5}]}
    test = {
        "interval": "1m",
        "input_series": [{"series": "source", "values": "0+1x10"}],
        "promql_expr_test": [check],
    }
    return yaml.safe_dump(
        {"rule_files": ["first.yaml", "rest.yaml"], "evaluation_interval": "1m", "tests": [test], **more}
    )


def test_a_chain_of_groups_has_the_value_of_the_same_minute() -> None:
    written = {**RULES, "case.yaml": in_order(case(), RULES)}
    result = run_tool("prometheus", ["promtool", "test", "rules", "case.yaml"], written)
    assert result.code == 0, result.output


def test_the_order_is_that_of_the_files() -> None:
    order = load_yaml(in_order(case(), RULES))["group_eval_order"]
    assert order == ["a", *(f"step {n}" for n in range(1, CHAIN))]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(case(group_eval_order=["step 1"]), id="states an order"),
        pytest.param("rule_files: [absent.yaml]\ntests: []\n", id="a rule file that is not there"),
        pytest.param("{rule_files: [first.yaml], tests: []}", id="one flow mapping"),
        pytest.param("rule_files: [first.yaml]\n...\n", id="an end marker"),
        pytest.param("tests: []\n", id="no rule files"),
        pytest.param("- one\n", id="a list"),
        pytest.param("rule_files: [", id="no YAML"),
        pytest.param("", id="empty"),
    ],
)
def test_a_file_to_which_no_order_can_be_added_is_left_as_it_is(text: str) -> None:
    assert in_order(text, RULES) == text
