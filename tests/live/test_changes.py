"""What a change does to a running stack."""

import re
import threading
import time
from functools import partial

import docker
import pytest

from tests.live.conftest import STACK, Project, until

pytestmark = pytest.mark.live


def test_verify_is_green_with_a_row_for_every_target(stack: Project) -> None:
    done = stack.obs("verify", STACK)
    assert done.returncode == 0, done.stdout
    for target in ("prometheus prometheus:9090", "alertmanager alertmanager:9093", "node docker-host"):
        assert re.search(rf"^ok +target {target} +up$", done.stdout, re.MULTILINE), done.stdout
    assert "received by a webhook" in done.stdout
    assert "FAIL" not in done.stdout


def test_up_again_changes_nothing_within_twenty_seconds(stack: Project) -> None:
    before = stack.tracked()
    start = time.monotonic()
    done = stack.obs("up", STACK)
    assert done.returncode == 0, done.stderr
    assert f"{STACK}: 0 changes" in done.stdout
    assert time.monotonic() - start < 20
    assert "building" not in done.stderr
    assert stack.tracked() == before


def interval_is(project: Project, interval: str) -> bool:
    return f"scrape_interval: {interval}" in project.prometheus("status/config")["yaml"]


def test_a_changed_interval_is_live_within_three_seconds_without_a_restart(settled: Project) -> None:
    # Of the parts that are always there: each further one makes the command itself a little longer.
    spine = {"profile": "minimal", "demo": {"enabled": False}}
    settled.configure(spine)
    assert settled.obs("up", STACK).returncode == 0
    started = settled.started_at()
    times = []
    # The best of a few: other work on the machine can only add to it.
    for interval in ("3s", "4s", "5s", "6s", "7s"):
        settled.configure({**spine, "prometheus": {"scrapeInterval": interval}})
        run = threading.Thread(target=settled.obs, args=("up", STACK))
        start = time.monotonic()
        run.start()
        until(partial(interval_is, settled, interval), 20)
        times.append(time.monotonic() - start)
        run.join()
        if times[-1] < 3:
            break
    assert min(times) < 3, times
    assert settled.started_at() == started


def test_a_broken_rule_fails_with_promtools_words_while_the_old_rules_stay(settled: Project) -> None:
    broken = settled.root / "rules" / "broken.yaml"
    broken.write_text("groups:\n- name: broken\n  rules:\n  - {alert: A, expr: 'rate(foo[5m'}\n")
    started = settled.started_at()
    for _ in range(2):  # the second time nothing has changed, and it must still fail
        done = settled.obs("up", STACK)
        assert done.returncode == 1
        assert "unclosed left parenthesis" in done.stderr
        assert "Traceback" not in done.stderr
        assert [group["name"] for group in settled.prometheus("rules")["groups"]] == ["stack"]
    broken.write_text("groups:\n- name: mended\n  rules:\n  - {alert: A, expr: 'vector(1)'}\n")
    done = settled.obs("up", STACK)
    assert done.returncode == 0, done.stderr
    assert [group["name"] for group in settled.prometheus("rules")["groups"]] == ["mended", "stack"]
    assert settled.started_at() == started
    broken.unlink()


def test_a_server_ended_from_inside_is_back_and_verify_green_within_thirty_seconds(stack: Project) -> None:
    started = stack.started_at()
    start = time.monotonic()
    container = stack.client.containers.get(f"obs-{STACK}-prometheus")
    assert container.exec_run(["sh", "-c", "kill -TERM 1"]).exit_code == 0
    until(lambda: stack.started_at() != started, 20)
    done = stack.obs("verify", STACK, "--quick")
    assert done.returncode == 0, done.stdout
    assert time.monotonic() - start < 30


def test_what_a_hand_removed_or_stopped_is_there_again_after_up(stack: Project) -> None:
    stack.client.containers.get(f"obs-{STACK}-node-exporter").remove(force=True)
    stack.client.containers.get(f"obs-{STACK}-alertmanager").stop()
    stack.client.containers.get(f"obs-{STACK}-prometheus-config").remove(force=True)
    assert stack.obs("status", STACK).returncode == 1
    done = stack.obs("up", STACK)
    assert done.returncode == 0, done.stderr
    assert stack.obs("status", STACK).returncode == 0
    assert f"{STACK}: 0 changes" in stack.obs("up", STACK).stdout


def test_verify_is_red_and_says_where_when_a_server_is_gone(settled: Project) -> None:
    settled.client.containers.get(f"obs-{STACK}-alertmanager").stop()
    done = settled.obs("verify", STACK, "--quick")
    assert done.returncode == 1
    assert re.search(r"^FAIL +container alertmanager +exited$", done.stdout, re.MULTILINE), done.stdout
    assert re.search(r"^FAIL +target alertmanager alertmanager:9093 +down", done.stdout, re.MULTILINE), done.stdout


def test_data_survives_down_and_up_and_down_with_volumes_leaves_nothing(settled: Project) -> None:
    since = time.time()
    until(lambda: settled.prometheus("query", query="up")["result"], 20)
    done = settled.obs("down", STACK)
    assert done.returncode == 0, done.stderr
    left = settled.objects()
    assert left
    assert all(name.endswith(("-data", "-config")) for name in left)
    for kept in left:
        assert settled.client.volumes.get(kept)
    with pytest.raises(docker.errors.NotFound):
        settled.client.networks.get(f"obs-{STACK}")
    assert settled.obs("up", STACK).returncode == 0
    old = settled.prometheus("query", query="up", time=str(since))["result"]
    assert {"prometheus", "alertmanager", "node", "loki", "postgres"} <= {series["metric"]["job"] for series in old}
    assert settled.obs("down", STACK, "--volumes").returncode == 0
    assert settled.objects() == set()
