"""Groups of changes, the rows of `verify` that must report each, and how it is undone.

The changes of a group are made together; after that `up` must repair those that it can.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tests.sabotage import changes
from tests.sabotage.stack import ALERTMANAGER, PROMETHEUS, STACK, Stack

TIMELY: Final = ("messages ", "memory ", "restarts ", "alert ")
"""Begin of checks that report what happened a short time ago."""


@dataclass(frozen=True, kw_only=True)
class Sabotage:
    """One change by hand, the rows that report it (pattern of the check → of the text), and how it is undone.

    `undo` None: `up` repairs it.
    """

    name: str
    make: Callable[[Stack], None]
    reported: dict[str, str]
    undo: Callable[[Stack], None] | None = None


FAR: Final = datetime(2030, 1, 1, tzinfo=UTC)

GROUPS: Final[dict[str, tuple[Sabotage, ...]]] = {
    "rules, receivers, a container with the host's files": (
        Sabotage(
            name="every rule but the Watchdog is deleted",
            make=changes.only_the_watchdog,
            reported={
                "files of prometheus": r"changed: rules/",
                "rules in use by prometheus": "not loaded",
                "constant series in prometheus": "",
            },
        ),
        Sabotage(
            name="the receivers are emptied",
            make=changes.edited("alertmanager", "alertmanager.yaml", changes.empty_receivers, ALERTMANAGER),
            reported={
                "files of alertmanager": r"changed: alertmanager\.yaml",
                "configuration in use by alertmanager": r"webhook_configs is not in use",
            },
        ),
        Sabotage(
            name="node-exporter is a root container with the host's files",
            make=changes.changed("node-exporter", changes.root_with_the_hosts_files),
            reported={"obs-truth-node-exporter as declared": r"user is 0:0, declared 65534:65534"},
        ),
    ),
    "a configuration that drops metrics, a receiver's address, limits": (
        Sabotage(
            name="metrics are dropped by a hand-made prometheus.yaml",
            make=changes.edited("prometheus", "prometheus.yaml", changes.drop_metrics, PROMETHEUS),
            reported={
                "files of prometheus": r"changed: prometheus\.yaml",
                "configuration in use by prometheus": r"metric_relabel_configs is in use, not declared",
            },
        ),
        Sabotage(
            name="a receiver's address is exchanged",
            make=changes.hook("http://stranger.example.com/"),
            reported={"files of alertmanager": r"changed: secrets/hookUrl"},
        ),
        Sabotage(
            name="a limit is changed with docker update",
            make=changes.update("node-exporter", mem_limit="48m", memswap_limit="48m"),
            reported={"obs-truth-node-exporter as declared": r"memory limit is 48 MiB, declared 64 MiB"},
        ),
        Sabotage(
            name="everything is silenced until 2030",
            make=lambda stack: stack.silence(FAR, name="severity", value=".+", isRegex=True),
            reported={r"silence [0-9a-f]{8}": r'severity=~"\.\+" until 2030-01-01'},
            undo=Stack.end_silences,
        ),
    ),
    "files that were loaded and restored, a restart policy": (
        Sabotage(
            name="a remote write is in use and no longer in the file",
            make=changes.load_and_restore,
            reported={"configuration in use by prometheus": "remote_write is in use, not declared"},
        ),
        Sabotage(
            name="empty receivers are in use and no longer in the file",
            make=changes.load_and_restore_alertmanager,
            reported={"configuration in use by alertmanager": "webhook_configs is not in use"},
        ),
        Sabotage(
            name="a restart policy is removed",
            make=changes.update("node-exporter", restart_policy={"Name": "no"}),
            reported={"obs-truth-node-exporter as declared": r"restart policy is no, declared unless-stopped"},
        ),
    ),
    "a remote write, an emptied secret, another network": (
        Sabotage(
            name="a remote write to a stranger",
            make=changes.edited("prometheus", "prometheus.yaml", changes.remote_write, PROMETHEUS),
            reported={"configuration in use by prometheus": "remote_write is in use, not declared"},
        ),
        Sabotage(
            name="a secret's file is emptied",
            make=changes.hook(""),
            reported={"files of alertmanager": "changed: secrets/hookUrl"},
        ),
        Sabotage(
            name="a container is attached to another network",
            make=changes.attach,
            reported={"obs-truth-alertmanager as declared": r"networks differs in \+truth-other"},
        ),
    ),
    "thresholds, routes, a variable": (
        Sabotage(
            name="thresholds are raised by hand",
            make=changes.raise_thresholds,
            reported={
                "files of prometheus": r"changed: rules/thresholds\.yaml",
                "rules in use by prometheus": "app:threshold:.* differs in expr",
                "constant series in prometheus": "is 99, declared",
            },
        ),
        Sabotage(
            name="routes are edited",
            make=changes.edited("alertmanager", "alertmanager.yaml", changes.edit_routes, ALERTMANAGER),
            reported={"configuration in use by alertmanager": r"route\.routes.* is not in use"},
        ),
        Sabotage(
            name="a variable is added to a container",
            make=changes.changed("node-exporter", changes.variable),
            reported={"obs-truth-node-exporter as declared": r"environment differs in \+GODEBUG"},
        ),
    ),
    "an empty volume, a mute time, a paused container": (
        Sabotage(
            name="a configuration volume is wiped",
            make=lambda stack: stack.in_volume("prometheus", "cd /v && rm -rf /v/*"),
            reported={"files of prometheus": "nothing is installed"},
        ),
        Sabotage(
            name="every route is muted",
            make=changes.edited("alertmanager", "alertmanager.yaml", changes.mute, ALERTMANAGER),
            reported={"configuration in use by alertmanager": "mute_time_intervals is in use, not declared"},
        ),
        Sabotage(
            name="a container is paused",
            make=lambda stack: stack.client.containers.get(stack.name("node-exporter")).pause(),
            reported={"container node-exporter": "paused"},
        ),
    ),
    "an expression, an anonymous volume, a command": (
        Sabotage(
            name="a rule's expression is changed in the volume",
            make=changes.change_an_expression,
            reported={
                "files of prometheus": r"changed: rules/",
                "rules in use by prometheus": "differs in expr",
            },
        ),
        Sabotage(
            name="a data volume is replaced by an anonymous one",
            make=changes.changed("alertmanager", changes.anonymous),
            reported={"obs-truth-alertmanager as declared": r"mounts differs: \+volume [0-9a-f]{64} /alertmanager"},
        ),
        Sabotage(
            name="a container's command is changed",
            make=changes.changed("node-exporter", changes.command),
            reported={"obs-truth-node-exporter as declared": r"command differs: \+--no-collector\.cpu"},
        ),
    ),
    "a rule file, an open port, a capability, a wide silence": (
        Sabotage(
            name="a stranger adds a rule file",
            make=changes.add_a_rule_file,
            reported={
                "files of prometheus": r"not declared: rules/strange\.yaml",
                "rules in use by prometheus": "group strange of strange.yaml is loaded, not declared",
            },
        ),
        Sabotage(
            name="a port is open on every address",
            make=changes.changed("alertmanager", changes.everywhere),
            reported={"obs-truth-alertmanager as declared": r"ports differs: \+0\.0\.0\.0:19393"},
        ),
        Sabotage(
            name="a capability is added",
            make=changes.changed("node-exporter", changes.capability),
            reported={"obs-truth-node-exporter as declared": r"added capabilities differs: \+SYS_PTRACE"},
        ),
        Sabotage(
            name="every alert is silenced by a pattern",
            make=lambda stack: stack.silence(FAR, name="alertname", value=".+", isRegex=True),
            reported={r"silence [0-9a-f]{8}": r'alertname=~"\.\+"'},
            undo=Stack.end_silences,
        ),
    ),
    "another image, privileges, strangers": (
        Sabotage(
            name="a container runs another image",
            make=changes.changed("node-exporter", changes.other_image),
            reported={"obs-truth-node-exporter as declared": "image is sha256:"},
        ),
        Sabotage(
            name="a container is privileged",
            make=changes.changed("alertmanager", changes.privileged),
            reported={"obs-truth-alertmanager as declared": "privileged is True, declared False"},
        ),
        Sabotage(
            name="a stranger is on the stack's network",
            make=changes.stranger,
            reported={"networks and volumes as declared": "truth-stranger on obs-truth, not declared"},
            undo=changes.remove(f"{STACK}-stranger"),
        ),
        Sabotage(
            name="a container has the stack's label",
            make=changes.labelled,
            reported={"container truth-stranger-2": "is not declared"},
            undo=changes.remove(f"{STACK}-stranger-2"),
        ),
    ),
    "a receiver that refuses, a server out of memory": (
        Sabotage(
            name="a receiver answers 500",
            make=changes.refuse,
            reported={"messages to default": "webhook: .* of the attempts .* failed"},
            undo=changes.accept,
        ),
        Sabotage(
            name="Prometheus is killed by its memory limit",
            make=changes.out_of_memory,
            reported={"memory of obs-truth-prometheus": "killed at its limit of 512 MiB"},
            undo=changes.started_anew,
        ),
    ),
}
"""Every group by its name."""

QUICK: Final = tuple(GROUPS)[:1]
"""The groups of the live tests; `make chaos` makes all."""


def check(stack: Stack, group: str) -> None:
    """Make the changes of a group; each must be reported, and gone after `up`, which then changes nothing more."""
    made = GROUPS[group]
    for one in made:
        one.make(stack)
    failed = [row for row in stack.rows() if row.verdict == "failed"]
    shown = "\n".join(f"{row.check}: {row.text}" for row in failed)
    for one in made:
        for pattern, text in one.reported.items():
            hits = [row for row in failed if re.fullmatch(pattern, row.check) and re.search(text, row.text)]
            assert hits, f"{one.name}: no failed row {pattern!r} with {text!r} in\n{shown}"
    for one in made:
        if one.undo is not None:
            one.undo(stack)
    done = stack.obs("up", STACK)
    assert done.returncode == 0, done.stdout + done.stderr
    left = [row for row in stack.rows() if row.verdict == "failed" and not row.check.startswith(TIMELY)]
    assert not left, "\n".join(f"{row.check}: {row.text}" for row in left)
    assert f"{STACK}: 0 changes" in stack.obs("up", STACK).stdout
