"""The notifier's rounds: which alerts it sends again, with which evidence, and when it leaves them alone."""

import ast
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from observability.core.alert import UPDATE, UPDATE_SENT
from observability.notifier.__main__ import configured, metrics
from observability.notifier.client import Client
from observability.notifier.evidence import Facts, Store
from observability.notifier.rounds import BUDGET, Counts, Rounds
from observability.notifier.updates import BORROWED, MUTED, SHOWN, Updates
from observability.notifier.worse import Level
from observability.parts.notifier import RECIPE
from tests.unit.servers_double import Doubles, later, serving

FACTS: Final = Facts(
    depends={},
    jobs={"shop": "web"},
    stores=(Store(kind="postgres", title="PostgreSQL", up="pg_up", servers=(("shop", "db:5432"),)),),
    logs=True,
)
OWN: Final = {"alertname": "CriticalErrorRate", "severity": "critical", "system": "shop", "component": "application"}
SENT: Final = {**OWN, "cluster": "obs-dev", "environment": "dev"}
"""As Alertmanager has it: with Prometheus' external labels."""
REFUSED: Final = {
    "stream": {"service": "api"},
    "values": [["2", "could not connect to postgres db:5432:\x1b[31m\nrefused"], ["1", "order 17 failed"]],
}
DOWN: Final = {"min by (instance) (pg_up": [{"metric": {"instance": "db:5432"}, "value": [0, "0"]}]}


@pytest.fixture
def doubles() -> Doubles:
    """A store that is down, and error lines."""
    return Doubles(results=DOWN, streams=[REFUSED])


@pytest.fixture
def rounds(doubles: Doubles) -> Iterator[Rounds]:
    """The notifier before its first round, with updates at once."""
    levels = {"CriticalErrorRate/critical": Level(high=True, form="humanizePercentage")}
    with serving(doubles) as servers:
        yield Rounds(
            facts=FACTS, client=Client(servers), updates=Updates(levels=levels, settle=0, pause=600), counts=Counts()
        )


def shop(doubles: Doubles, value: float = 0.12, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as `fire`
    """The alert fires."""
    doubles.evaluate(OWN, value)
    return doubles.fire(SENT, **more)


def test_an_alert_is_sent_again_with_its_cause_and_the_newest_lines(doubles: Doubles, rounds: Rounds) -> None:
    fired = shop(doubles, annotations={"summary": "12% fail"})
    rounds.run()
    (sent,) = doubles.sent
    assert sent["labels"] == SENT
    assert (sent["startsAt"], sent["generatorURL"]) == (fired["startsAt"], fired["generatorURL"])
    assert sent["annotations"] == {
        "summary": "12% fail",
        "cause": "PostgreSQL db:5432 of shop is down (1 line of api like: could not connect to postgres db:5432: "
        "[31m refused)",
        "line_1": "api: could not connect to postgres db:5432: [31m refused",
        "line_2": "api: order 17 failed",
    }


def test_what_it_sends_never_prolongs_an_alert(doubles: Doubles, rounds: Rounds) -> None:
    fired = shop(doubles)
    rounds.run()
    end = datetime.fromisoformat(doubles.sent[0]["endsAt"])
    assert end < datetime.fromisoformat(fired["endsAt"])
    assert end <= datetime.fromisoformat(later(0)) + BORROWED


@pytest.mark.parametrize(
    "case", ["ends soon", "not Prometheus'", "no system", "the Watchdog", "pending in Prometheus", "an update"]
)
def test_other_alerts_are_left_alone(doubles: Doubles, rounds: Rounds, case: str) -> None:
    if case == "ends soon":
        shop(doubles, ends=5)
    elif case == "not Prometheus'":
        doubles.fire(SENT)
    elif case == "no system":
        doubles.evaluate({"alertname": "A"})
        doubles.fire({"alertname": "A"})
    elif case == "the Watchdog":
        doubles.evaluate({**OWN, "alertname": "Watchdog"})
        doubles.fire({**SENT, "alertname": "Watchdog"})
    elif case == "pending in Prometheus":
        doubles.evaluate(OWN, state="pending")
        doubles.fire(SENT)
    else:
        doubles.evaluate(OWN)
        doubles.fire({**SENT, UPDATE: "1"})
    rounds.run()
    assert doubles.sent == []


def test_it_is_sent_again_only_when_its_evidence_is_missing(doubles: Doubles, rounds: Rounds) -> None:
    shop(doubles)
    rounds.run()
    shop(doubles, annotations=doubles.sent[0]["annotations"])
    rounds.run()
    assert len(doubles.sent) == 1
    shop(doubles, annotations={"summary": "from Prometheus"})
    rounds.run()
    assert len(doubles.sent) == 2
    assert doubles.sent[1]["annotations"] == {**doubles.sent[0]["annotations"], "summary": "from Prometheus"}


def test_an_alert_with_a_silenced_cause_gets_its_evidence_too(doubles: Doubles, rounds: Rounds) -> None:
    doubles.evaluate(OWN)
    doubles.fire({**SENT, "cause_silenced": "HostDown"})
    rounds.run()
    assert doubles.sent[0]["labels"] == {**SENT, "cause_silenced": "HostDown"}


def test_a_slow_log_store_costs_its_lines_and_no_more_than_the_budget(doubles: Doubles, rounds: Rounds) -> None:
    shop(doubles)
    doubles.slow = {"/loki/api/v1/query_range": 30}
    begin = time.monotonic()
    rounds.run()
    assert time.monotonic() - begin < BUDGET + 2
    assert doubles.sent[0]["annotations"] == {
        "cause": "PostgreSQL db:5432 of shop is down (its exporter does not reach it)"
    }
    assert rounds.counts.failures == {"loki": 1}


def test_without_prometheus_nothing_is_sent(doubles: Doubles) -> None:
    with serving(doubles) as servers:
        shop(doubles)
        client = Client({**servers, "prometheus": ["http://127.0.0.1:9"]})
        found = Rounds(facts=FACTS, client=client, updates=Updates(levels={}, settle=0, pause=0))
        found.run()
    assert doubles.sent == []
    assert found.counts.failures == {"prometheus": 1}


def updates_sent(doubles: Doubles) -> list[dict[str, Any]]:
    """The alerts of updates that were sent, oldest first."""
    return [one for one in doubles.sent if UPDATE in one["labels"]]


def test_an_alert_that_is_twice_as_bad_is_sent_with_both_values(doubles: Doubles, rounds: Rounds) -> None:
    shop(doubles, 0.12, annotations={"summary": "12% fail"})
    rounds.run()
    rounds.looked = 0
    shop(doubles, 0.45, annotations={"summary": "12% fail", "first": "Read the lines."})
    rounds.run()
    (update,) = updates_sent(doubles)
    assert {**SENT, UPDATE: update["labels"][UPDATE]} == update["labels"]
    assert update["annotations"]["update"] == "45% now, 12% in the last message"
    # The present texts of Prometheus, for the alert and its update.
    assert update["annotations"]["summary"] == "CriticalErrorRate said"
    assert update["annotations"]["first"] == "Read the lines."
    assert "cause" in update["annotations"]
    (alert,) = [one for one in doubles.sent[-2:] if UPDATE not in one["labels"]]
    assert alert["annotations"]["summary"] == "CriticalErrorRate said"


def test_an_update_is_muted_before_it_ends_and_is_one_for_ten_minutes(doubles: Doubles, rounds: Rounds) -> None:
    for value in (0.12, 0.45, 0.99):
        rounds.looked = 0
        shop(doubles, value)
        rounds.run()
    (name, running), *more = rounds.updates.running.items()
    assert not more
    running.since -= SHOWN
    rounds.run()
    begun, mute = updates_sent(doubles)
    assert mute["labels"] == {"alertname": "UpdateSent", UPDATE: begun["labels"][UPDATE], UPDATE_SENT: "yes"}
    running.muted = time.monotonic() - MUTED
    rounds.run()
    _, _, end = updates_sent(doubles)
    assert end["labels"] == begun["labels"]
    assert datetime.fromisoformat(end["endsAt"]) <= datetime.fromisoformat(later(0))
    assert rounds.updates.running == {}
    # The value of 0.99 is twice that of the update: it has to wait.
    rounds.looked = 0
    rounds.run()
    assert len(updates_sent(doubles)) == 3
    rounds.updates.told[name].at -= 600
    rounds.looked = 0
    rounds.run()
    assert updates_sent(doubles)[-1]["annotations"]["update"] == "99% now, 45% in the last message"


def test_an_update_ends_with_its_alert(doubles: Doubles, rounds: Rounds) -> None:
    for value in (0.12, 0.45):
        rounds.looked = 0
        shop(doubles, value)
        rounds.run()
    doubles.alerts = [doubles.fire({"alertname": "Other", "system": "shop"})]
    rounds.run()
    _, end = updates_sent(doubles)
    assert datetime.fromisoformat(end["endsAt"]) <= datetime.fromisoformat(later(0))


@pytest.mark.parametrize(("value", "alert"), [(0.2, OWN["alertname"]), (0.9, "HostDown")])
def test_no_update_below_twice_the_value_or_for_an_alert_without_level(
    doubles: Doubles, rounds: Rounds, value: float, alert: str
) -> None:
    for one in (0.12, value):
        rounds.looked = 0
        doubles.evaluate({**OWN, "alertname": alert}, one)
        doubles.fire({**SENT, "alertname": alert})
        rounds.run()
    assert updates_sent(doubles) == []


def test_no_update_before_an_alert_has_settled(doubles: Doubles, rounds: Rounds) -> None:
    rounds.updates.settle = 300
    for value in (0.12, 0.9):
        rounds.looked = 0
        shop(doubles, value)
        rounds.run()
    assert updates_sent(doubles) == []


def test_its_image_imports_only_itself_the_standard_library_and_what_draws() -> None:
    files = {target.removeprefix("/app/"): path for target, path in RECIPE.source_files()}
    own = {Path(name).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__") for name in files}
    for name, path in files.items():
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                top = module.partition(".")[0]
                allowed = {*sys.stdlib_module_names, *(["PIL"] if "/pictures/" in name else [])}
                assert module in own or top in allowed, f"{name}: {module}"


def test_its_metrics_are_valid_and_count_what_it_did(doubles: Doubles, rounds: Rounds) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    shop(doubles)
    rounds.run()
    text = "\n".join([*metrics(rounds.counts, 1.5), ""])
    values = {sample.name: sample.value for one in text_string_to_metric_families(text) for sample in one.samples}
    assert values["notifier_sent_alerts_total"] == 1
    assert values["notifier_rounds_total"] == 1
    assert values["process_start_time_seconds"] == 1.5
    assert time.time() - timedelta(minutes=1).total_seconds() < values["notifier_last_round_timestamp_seconds"]


def test_it_reads_the_configuration_that_a_stack_writes() -> None:
    import json

    from dashboards.linked_rules import files as rule_files
    from observability.notifier.facts import facts, files
    from tests.unit.conftest import stack_config

    config = stack_config("dev")
    document = json.loads(files(config, rule_files(config))["notifier.json"])
    found = configured(document, Counts())
    assert found.facts == facts(config)
    assert found.client.servers["alertmanager"] == ["http://alertmanager:9093"]
    assert found.updates.of(OWN) == Level(high=True, form="humanizePercentage")
