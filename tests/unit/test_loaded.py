"""What a server has in use is compared with the declared files; values that it adds itself are no differences."""

import copy
from typing import Any, Final

import pytest

from observability.operations import loaded
from observability.parts.model import Loaded

HOW: Final = Loaded(
    file="server.yaml",
    config="/config",
    added={"scheme": ("http",), "timeout": ("10s",)},
    added_pattern=r"\{\{ default \}\}",
    inherits="global",
    unordered=("matchers",),
)

WANTED: Final[dict[str, Any]] = {
    "global": {"interval": "60s", "sender": "ops@example.com"},
    "files": ["rules/*.yaml"],
    "jobs": [{"job_name": "a", "targets": ["a:1"]}, {"job_name": "b", "targets": ["b:1"]}],
    "receivers": [{"name": "ops", "url": "http://example.com"}],
    "route": {"matchers": ["b=1", "a=1"]},
}

IN_USE: Final[dict[str, Any]] = {
    "global": {"interval": "1m", "sender": "ops@example.com", "timeout": "10s"},
    "files": ["/etc/server/current/rules/*.yaml"],
    "jobs": [
        {"job_name": "a", "targets": ["a:1"], "scheme": "http"},
        {"job_name": "b", "targets": ["b:1"], "scheme": "http", "relabel": []},
    ],
    "receivers": [{"name": "ops", "url": "<secret>", "from": "ops@example.com", "title": "{{ default }}"}],
    "route": {"matchers": ["a=1", "b=1"], "continue": False},
}


def differences(**changes: Any) -> list[str]:  # noqa: ANN401 - any YAML
    """What differs where the server has these sections in use."""
    return loaded.configuration(WANTED, {**copy.deepcopy(IN_USE), **changes}, HOW, "/etc/server/current")


def test_other_units_sorted_lists_secrets_and_added_values_are_the_same() -> None:
    assert differences() == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"remote": [{"url": "http://stranger"}]}, "remote is in use, not declared"),
        ({"jobs": IN_USE["jobs"][:1]}, "jobs[b] is not in use"),
        ({"jobs": [*IN_USE["jobs"], {"job_name": "c"}]}, "jobs[c] is in use, not declared"),
        ({"jobs": IN_USE["jobs"][::-1]}, "jobs has another order"),
        ({"global": {**IN_USE["global"], "interval": "2m"}}, "global.interval differs"),
        ({"global": {**IN_USE["global"], "timeout": "9s"}}, "global.timeout is in use, not declared"),
        ({"receivers": [{"name": "ops"}]}, "receivers[ops].url is not in use"),
        ({"receivers": [{"name": "ops", "url": "http://other"}]}, "receivers[ops].url differs"),
        ({"route": {"matchers": ["a=1"]}}, "route.matchers[b=1] is not in use"),
        ({"files": ["/tmp/rules/*.yaml"]}, "files[rules/*.yaml] is not in use"),  # noqa: S108 - not a real file
    ],
)
def test_a_difference_is_named_by_its_path(changes: dict[str, Any], text: str) -> None:
    assert text in differences(**changes)


RULES: Final[dict[str, Any]] = {
    "rules/shop.yaml": {
        "groups": [
            {
                "name": "shop",
                "rules": [
                    {"record": "a:b", "expr": 'sum(rate(x{job="j", code=~"5.."}[5m]))', "labels": {"system": "shop"}},
                    {"alert": "Slow", "expr": "a:b > 1", "for": "5m", "annotations": {"summary": "slow"}},
                ],
            }
        ]
    }
}

LOADED: Final[dict[str, Any]] = {
    "name": "shop",
    "file": "/etc/prometheus/current/rules/shop.yaml",
    "interval": 15,
    "rules": [
        {"name": "a:b", "query": 'sum(rate(x{code=~"5..",job="j"}[5m]))', "labels": {"system": "shop"}},
        {"name": "Slow", "query": "a:b > 1", "duration": 300, "annotations": {"summary": "slow"}, "labels": {}},
    ],
}


def rule_differences(index: int, **changes: Any) -> list[str]:  # noqa: ANN401 - any JSON
    """What differs where one loaded rule has these properties."""
    group = copy.deepcopy(LOADED)
    group["rules"][index] |= changes
    return list(loaded.rules(RULES, [group]))


def test_rules_that_a_server_prints_differently_are_the_same() -> None:
    assert list(loaded.rules(RULES, [LOADED])) == []


@pytest.mark.parametrize(
    ("index", "changes", "text"),
    [
        (0, {"query": 'sum(rate(x{code=~"4..",job="j"}[5m]))'}, "a:b differs in expr"),
        (0, {"labels": {}}, "a:b differs in labels"),
        (1, {"query": "a:b > 2"}, "Slow differs in expr"),
        (1, {"duration": 60}, "Slow differs in for"),
        (1, {"keepFiringFor": 60}, "Slow differs in keep_firing_for"),
        (1, {"annotations": {}}, "Slow differs in annotations"),
    ],
)
def test_a_changed_rule_is_named_with_what_differs(index: int, changes: dict[str, Any], text: str) -> None:
    assert rule_differences(index, **changes) == [text]


def test_missing_and_added_rules_and_groups_are_named() -> None:
    assert list(loaded.rules(RULES, [])) == ["group shop of shop.yaml is not loaded"]
    strange = {"name": "strange", "file": "/x/strange.yaml", "interval": 15, "rules": []}
    assert list(loaded.rules(RULES, [LOADED, strange])) == ["group strange of strange.yaml is loaded, not declared"]
    shorter = {**LOADED, "rules": LOADED["rules"][:1]}
    assert list(loaded.rules(RULES, [shorter])) == ["Slow is not loaded"]


CONSTANTS: Final = """groups:
- name: thresholds
  rules:
  - record: app:threshold:ratio
    expr: vector(0.1)
    labels: {system: shop}
  - record: app:mixed
    expr: vector(1)
  - record: app:mixed
    expr: other
"""


def samples(*values: tuple[str, float]) -> list[dict[str, Any]]:
    """The result of a query for the threshold: a sample by system."""
    return [
        {"metric": {"__name__": "app:threshold:ratio", "system": system}, "value": [0, str(value)]}
        for system, value in values
    ]


def test_only_series_that_nothing_but_constants_record_are_compared() -> None:
    assert loaded.constants({"a": CONSTANTS}) == {"app:threshold:ratio": {frozenset({("system", "shop")}): 0.1}}


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ((("shop", 0.1),), []),
        ((("shop", 0.9),), ["app:threshold:ratio{system=shop} is 0.9, declared 0.1"]),
        ((), ["app:threshold:ratio{system=shop} has no value, declared 0.1"]),
        ((("shop", 0.1), ("other", 5)), ["app:threshold:ratio{system=other} is 5, not declared"]),
    ],
)
def test_a_constant_series_with_another_value_is_named(found: tuple[tuple[str, float], ...], text: list[str]) -> None:
    assert list(loaded.values(loaded.constants({"a": CONSTANTS}), samples(*found))) == text


def test_a_query_in_logql_is_the_same_in_other_quotes() -> None:
    declared = 'sum by (a) (\n  count_over_time({b="c"} |~ `\\d+ "x"` [1m])\n)'
    printed = 'sum by (a)(count_over_time({b="c"} |~ "\\\\d+ \\"x\\""[1m]))'
    files = {"rules/a.yaml": {"groups": [{"name": "g", "rules": [{"record": "r", "expr": declared}]}]}}
    group = {"name": "g", "file": "a.yaml", "interval": 60, "rules": [{"name": "r", "query": printed}]}
    assert list(loaded.rules(files, [group])) == []
    group["rules"] = [{"name": "r", "query": printed.replace("x", "y")}]
    assert list(loaded.rules(files, [group])) == ["r differs in expr"]


@pytest.mark.parametrize(
    ("retention", "same"),
    [
        ({"time": "30d", "size": "50GiB"}, True),
        ({"time": "30d"}, True),
        ({"time": "30d", "size": "40GiB"}, False),
        ({"time": "15d", "size": "50GiB"}, False),
        ({"time": "30d", "size": "<secret>"}, False),
    ],
)
def test_a_value_of_an_argument_is_the_same_in_another_unit(retention: dict[str, str], same: bool) -> None:
    found = {**copy.deepcopy(IN_USE), "storage": {"tsdb": {"outofordertimewindow": 0, "retention": retention}}}
    arguments = ("--storage.tsdb.retention.time=720h", "--storage.tsdb.retention.size=50GB")
    said = loaded.configuration(WANTED, found, HOW, "/etc/server/current", arguments)
    assert said == ([] if same else ["storage is in use, not declared"])
