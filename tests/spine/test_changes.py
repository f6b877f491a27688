"""The effect of a change on a running spine."""

import re
import threading
from pathlib import Path

import pytest

from tests.spine.conftest import STACK, Project, until

pytestmark = pytest.mark.usefixtures("started")


def test_verify_is_green_with_a_row_for_every_target(spine: Project) -> None:
    done = spine.obs("verify", STACK)
    assert done.returncode == 0, done.stdout
    for target in ("prometheus prometheus:9090", "alertmanager alertmanager:9093", "node docker-host"):
        assert re.search(rf"^ok +target {target} +up$", done.stdout, re.MULTILINE), done.stdout
    assert "received by a webhook" in done.stdout
    assert "FAIL" not in done.stdout


def test_a_second_up_changes_nothing(spine: Project) -> None:
    before = spine.tracked()
    done = spine.obs("up", STACK)
    assert done.returncode == 0, done.stderr
    assert f"{STACK}: 0 changes" in done.stdout
    assert "building" not in done.stderr
    assert spine.tracked() == before


def test_a_changed_interval_is_active_after_up_without_a_restart(changed: Project) -> None:
    started = changed.started_at()
    changed.configure({"prometheus": {"scrapeInterval": "3s"}})
    done = changed.obs("up", STACK)
    assert done.returncode == 0, done.stderr
    assert "scrape_interval: 3s" in changed.prometheus("status/config")["yaml"]
    assert changed.started_at() == started


def rule_groups(project: Project) -> set[str]:
    """Names of the rule groups that Prometheus has loaded."""
    return {group["name"] for group in project.prometheus("rules")["groups"]}


def test_a_broken_rule_fails_with_promtools_error_and_the_old_rules_stay(changed: Project) -> None:
    broken = changed.root / "rules" / "broken.yaml"
    broken.write_text("groups:\n- name: broken\n  rules:\n  - {alert: A, expr: 'rate(foo[5m'}\n")
    started = changed.started_at()
    loaded = rule_groups(changed)
    for _ in range(2):  # the second time nothing has changed, and it must still fail
        done = changed.obs("up", STACK)
        assert done.returncode == 1
        assert "unclosed left parenthesis" in done.stderr
        assert "Traceback" not in done.stderr
        assert rule_groups(changed) == loaded
    broken.write_text("groups:\n- name: repaired\n  rules:\n  - {alert: A, expr: 'vector(1)'}\n")
    done = changed.obs("up", STACK)
    assert done.returncode == 0, done.stderr
    assert rule_groups(changed) == loaded | {"repaired"}
    assert changed.started_at() == started
    broken.unlink()


def test_a_server_that_exits_is_restarted_and_verify_is_green(spine: Project) -> None:
    started = spine.started_at()
    container = spine.client.containers.get(f"obs-{STACK}-prometheus")
    assert container.exec_run(["sh", "-c", "kill -TERM 1"]).exit_code == 0
    until(lambda: spine.started_at() != started)
    done = spine.obs("verify", STACK, "--quick")
    assert done.returncode == 0, done.stdout


def test_a_container_removed_or_stopped_by_hand_runs_again_after_up(spine: Project) -> None:
    spine.client.containers.get(f"obs-{STACK}-node-exporter").remove(force=True, v=True)
    spine.client.containers.get(f"obs-{STACK}-alertmanager").stop()
    spine.client.containers.get(f"obs-{STACK}-prometheus-config").remove(force=True, v=True)
    assert spine.obs("status", STACK).returncode == 1
    done = spine.obs("up", STACK)
    assert done.returncode == 0, done.stderr
    assert spine.obs("status", STACK).returncode == 0
    assert f"{STACK}: 0 changes" in spine.obs("up", STACK).stdout


def test_verify_is_red_and_names_a_missing_server(changed: Project) -> None:
    changed.client.containers.get(f"obs-{STACK}-alertmanager").stop()
    done = changed.obs("verify", STACK, "--quick")
    assert done.returncode == 1
    assert re.search(r"^FAIL +container alertmanager +exited$", done.stdout, re.MULTILINE), done.stdout
    assert re.search(r"^FAIL +target alertmanager alertmanager:9093 +down", done.stdout, re.MULTILINE), done.stdout


def test_no_process_has_a_secret_in_its_arguments(changed: Project) -> None:
    value = "https://127.0.0.1:9/hooks/a-secret-token"
    changed.store("alertWebhookUrl", value)
    seen: list[str] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    arguments = path.read_bytes().decode(errors="replace")
                except OSError:
                    continue
                if "a-secret-token" in arguments:
                    seen.append(arguments)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert changed.obs("up", STACK).returncode in (0, 1)
    finally:
        done.set()
        watcher.join()
    assert seen == []
    installed = changed.client.containers.get(f"obs-{STACK}-alertmanager").exec_run(
        ["sh", "-c", "cat /etc/alertmanager/current/secrets/*"]
    )
    assert value.encode() in installed.output
