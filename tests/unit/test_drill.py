"""The drill: which questions are asked, when answers are equal, and what is reported."""

from datetime import UTC, datetime
from typing import Any, Final

import pytest

from observability.cli.drill import document
from observability.core.documents import load_yaml
from observability.operations.backup import Snapshot
from observability.operations.drill import (
    QUERIES,
    Compared,
    Question,
    Result,
    files_of,
    questions,
    read_answer,
)
from tests.unit.conftest import stack_config

JOBS: Final = [f"job-{number}" for number in range(30)]
RECORDED: Final = [f"app:series:{number:03}" for number in range(200)]
UP: Final = Question(server="prometheus", query='up{job="node"}')


def test_twenty_questions_are_about_lines_targets_and_recorded_series_from_all_over() -> None:
    found = questions(JOBS, RECORDED, True)
    assert len(found) == len({one.query for one in found}) == QUERIES
    of_lines = [one.query for one in found if one.server == "loki"]
    targets = [one.query for one in found if one.query.startswith("up{")]
    recorded = [one.query for one in found if one.query in RECORDED]
    assert (len(of_lines), len(targets), len(recorded)) == (5, 5, 10)
    assert of_lines[0] == 'sum by (system) (count_over_time({container=~".+"}[15m]))'
    assert recorded == RECORDED[::20]


def test_without_a_store_of_lines_prometheus_gets_all_of_them() -> None:
    found = questions(JOBS, RECORDED, False)
    assert len(found) == QUERIES
    assert {one.server for one in found} == {"prometheus"}


def test_a_small_stack_gets_as_many_questions_as_there_are() -> None:
    found = questions(["node", "node"], ["b:c:d", "a:b:c"], False)
    assert [one.query for one in found] == ['up{job="node"}', "a:b:c", "b:c:d"]


@pytest.mark.parametrize(
    ("running", "restored", "difference"),
    [
        ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}, ""),
        ({"a": "1", "b": "2"}, {"a": "1"}, "of 2 series 1 are missing and 0 differ"),
        ({"a": "1"}, {"a": "1.0000001"}, "of 1 series 0 are missing and 1 differ"),
        ({"a": "1"}, {"a": "1", "b": "2"}, "of 1 series 0 are missing and 1 differ"),
        ({}, {}, "the running stack has no answer"),
    ],
    ids=["same", "missing", "another value", "one more", "nothing"],
)
def test_answers_are_equal_only_in_every_series_and_value(
    running: dict[str, str], restored: dict[str, str], difference: str
) -> None:
    found = Compared(question=UP, running=running, restored=restored)
    assert found.equal == (difference == "")
    assert found.difference == difference


def test_an_answer_is_read_by_labels_in_one_order() -> None:
    metric: dict[str, str] = {"job": "node", "__name__": "up"}
    found = read_answer({"data": {"result": [{"metric": metric, "value": [1.5, "1"]}]}})
    assert found == {"__name__=up,job=node": "1"}


def result(*differences: dict[str, str]) -> Result:
    snapshot = Snapshot(id="c90b9dac", time=datetime(2026, 11, 30, 18, 36, tzinfo=UTC), size=10, added=5)
    compared = [Compared(question=UP, running={"a": "1"}, restored=one) for one in differences]
    return Result(snapshot=snapshot, compared=compared, backup_seconds=30.04, restore_seconds=61.23, lost_seconds=12.5)


def test_the_result_has_rpo_and_rto_in_seconds() -> None:
    found: dict[str, Any] = document("dev", result({"a": "1"}), 86_400)
    assert found["ok"] is True
    assert (found["rto_seconds"], found["rpo_seconds"], found["rpo_at_most_seconds"]) == (61.2, 12.5, 86_430.0)
    assert found["queries"] == [
        {"server": "prometheus", "query": UP.query, "series": 1, "equal": True, "difference": ""}
    ]


def test_one_answer_that_differs_or_no_question_is_a_failed_drill() -> None:
    assert not result({"a": "1"}, {}).ok
    assert not result().ok


def test_the_restored_servers_scrape_record_delete_and_send_nothing() -> None:
    config = stack_config("staging", {"backup": {"repository": "/var/backups/monitoring"}})
    files, command = files_of(config, "prometheus")
    assert load_yaml(files["prometheus.yaml"]) == {"global": {}}
    assert "--storage.tsdb.retention.time=30d" in command
    files, _ = files_of(config, "loki")
    document = load_yaml(files["loki.yaml"])
    assert "ruler" not in document
    assert document["compactor"]["retention_enabled"] is False
