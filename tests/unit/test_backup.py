"""The backup: settings, its container and what that can reach, snapshots, the archive of the data folder."""

import json
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pytest

from dashboards.linked_rules import files as rule_files
from dashboards.queries import panels as panels_of
from dashboards.registry import dashboards
from observability.core.errors import ConfigError
from observability.operations import backup
from observability.operations.home import Home
from observability.operations.restore import plan, put_state, refuse_running, unpacked
from observability.parts.backup import BackupSettings, KeepSettings, ScheduleSettings, patterns
from observability.parts.backup import plan as variables
from observability.parts.model import Kept
from observability.scrape.backup import files, kept, secret_files
from observability.settings.load import StackConfig, stack_file, validate
from observability.synth.declared import CONTAINER, Declared
from tests.unit.conftest import declared, stack_config

REPOSITORY: Final = "/var/backups/monitoring"
ON: Final = {"backup": {"repository": REPOSITORY}}
KNOWN: Final = "backup.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIexample"


def settings(**values: Any) -> BackupSettings:  # noqa: ANN401 - any field
    return BackupSettings.model_validate({"repository": REPOSITORY, **values})


def variable(given: BackupSettings, name: str) -> str:
    (found,) = (line for line in variables(given, "prod").splitlines() if line.startswith(f"{name}="))
    return found.partition("=")[2]


def container(config_values: dict[str, Any], service: str) -> Declared:
    name = f"obs-staging-{service}"
    (found,) = (
        one for one in declared("staging", config_values) if one.type == CONTAINER and one.inputs["name"] == name
    )
    return found


# Off, on


def test_without_a_repository_nothing_of_it_exists() -> None:
    config = stack_config("staging", {})
    assert not config.runs("backup")
    assert "backup.yaml" not in rule_files(config)
    assert not [one.name for one in declared("staging", {}) if "backup" in one.name or "textfile" in one.name]
    assert "Age of Backups" not in panels(config)
    command = container({}, "node-exporter").inputs["command"]
    assert not [word for word in command if "textfile" in word]


def test_with_a_repository_its_rules_panels_and_container_exist() -> None:
    config = stack_config("staging", ON)
    assert "BackupOverdue" in rule_files(config)["backup.yaml"]
    assert {"Age of Backups", "Size of Backups", "Duration of Backups"} <= panels(config)
    assert container(ON, "backup").inputs["image"] == "restic/restic:0.18.1"


def panels(config: StackConfig) -> set[str]:
    (page,) = (entry for entry in dashboards(config) if entry.uid == "obs-stack")
    return {str(panel.get("title")) for panel in panels_of(json.loads(page.text))}


def test_the_node_exporter_reads_the_metrics_that_the_backup_writes() -> None:
    reader, writer = container(ON, "node-exporter").inputs, container(ON, "backup").inputs
    assert "--collector.textfile.directory=/textfile" in reader["command"]
    (read,) = (one for one in reader["volumes"] if one["containerPath"] == "/textfile")
    (written,) = (one for one in writer["volumes"] if one["containerPath"] == "/metrics")
    assert read["volumeName"] == written["volumeName"] == "obs-staging-node-exporter-textfile"
    assert read["readOnly"]
    assert not written.get("readOnly")


def test_the_backup_can_only_read_the_data_of_the_servers() -> None:
    mounts = {one["containerPath"]: one for one in container(ON, "backup").inputs["volumes"]}
    data = {path: one for path, one in mounts.items() if path.startswith("/volumes/")}
    assert data["/volumes/prometheus"]["volumeName"] == "obs-staging-prometheus-data"
    assert all(one["readOnly"] for one in data.values())
    assert mounts["/repository"]["hostPath"] == REPOSITORY


def test_no_folder_of_the_host_is_mounted_for_a_repository_elsewhere() -> None:
    values = {"backup": {"repository": "s3:https://s3.example.com/backups/monitoring"}}
    mounts = container(values, "backup").inputs["volumes"]
    assert not [one for one in mounts if "hostPath" in one]


# Settings


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        (REPOSITORY, {"password": "backupPassword"}),
        (
            "s3:https://s3.example.com/backups",
            {"password": "backupPassword", "s3-credentials": "backupS3Credentials"},
        ),
        ("sftp:me@backup.example.com:/srv", {"password": "backupPassword", "ssh-key": "backupSshKey"}),
    ],
    ids=["folder", "s3", "sftp"],
)
def test_each_kind_of_repository_needs_its_secrets(repository: str, expected: dict[str, str]) -> None:
    given = settings(repository=repository, knownHosts=KNOWN)
    assert given.secret_files == expected
    assert [name for _, name in given.wanted_secrets] == list(expected.values())


def test_a_missing_password_is_refused_with_the_command_that_stores_it() -> None:
    with pytest.raises(ConfigError, match=r"observability:backup\.repository needs the secret") as caught:
        validate("dev", ON, frozenset())
    assert "./obs secret set backupPassword dev" in caught.value.fix


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"repository": "backups"}, "backup.repository"),
        ({"repository": "sftp:me@backup.example.com:/srv"}, "no knownHosts"),
        ({"enabled": True}, "has no repository"),
        ({"repository": REPOSITORY, "schedule": {"every": "1m"}}, "must be 15m or longer"),
        ({"repository": REPOSITORY, "schedule": {"at": "25:00"}}, "backup.schedule.at"),
        ({"repository": REPOSITORY, "verify": "0%"}, "backup.verify"),
        ({"repository": REPOSITORY, "leftOut": ["redis"]}, r"leftOut\[0\]: 'redis'"),
    ],
    ids=["relative", "unknown server", "nowhere", "too often", "no time", "unverified", "unknown part"],
)
def test_a_bad_setting_is_refused_by_its_path(values: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        validate("dev", {"backup": values}, frozenset({"backupPassword"}))


def test_a_backup_whose_age_nobody_would_see_is_refused() -> None:
    with pytest.raises(ConfigError, match="node exporter") as caught:
        validate("dev", {**ON, "nodeExporter": {"enabled": False}}, frozenset({"backupPassword"}))
    assert "nodeExporter.enabled" in caught.value.fix


# Input of the script


def test_the_schedule_is_in_seconds_and_a_failed_run_is_repeated_in_an_hour() -> None:
    given = settings(schedule={"every": "6h", "at": "02:30"})
    assert [variable(given, name) for name in ("EVERY", "AT", "RETRY")] == ["21600", "9000", "3600"]
    assert variable(settings(schedule={"every": "15m"}), "RETRY") == "900"


def test_the_retention_and_the_verified_share_are_those_of_the_settings() -> None:
    given = settings(keep={"daily": 3, "weekly": 2, "monthly": 1}, verify="10%")
    assert [variable(given, name) for name in ("DAILY", "WEEKLY", "MONTHLY", "SUBSET")] == ["3", "2", "1", "10%"]
    assert KeepSettings() == KeepSettings(daily=7, weekly=5, monthly=12)
    assert ScheduleSettings().offset == 9000


def test_a_value_with_signs_of_the_shell_is_quoted() -> None:
    assert variable(settings(repository="s3:https://h/b/$(id)"), "REPOSITORY") == "'s3:https://h/b/$(id)'"


def test_a_folder_of_the_host_is_at_its_place_in_the_container() -> None:
    assert variable(settings(), "REPOSITORY") == "/repository"


def test_each_pattern_is_a_line_with_its_service_and_kind() -> None:
    found = patterns({"a": Kept(owner="1:1", copied=("wal",), databases=("a.db",), left_out=("tmp*",))})
    assert found == "a\tcopied\twal\na\tdatabase\ta.db\na\tleft-out\ttmp*\n"


def test_every_replica_of_alertmanager_is_backed_up_and_what_is_left_out_is_not() -> None:
    values = {"alertmanager": {"replicas": 2}, "backup": {"repository": REPOSITORY, "leftOut": ["loki"]}}
    config = stack_config("staging", values)
    found = set(kept(config))
    assert {"alertmanager", "alertmanager-2", "prometheus"} <= found
    assert "loki" not in found
    assert "loki" not in files(config)["volumes"]


def test_the_password_is_in_a_file_of_its_own_and_in_no_other() -> None:
    config = stack_config("staging", ON)
    assert secret_files(config) == {"password": "backupPassword"}
    assert set(files(config)) == {"backup.sh", "plan", "volumes"}


# Snapshots


LISTED: Final = """[
  {"time":"2026-11-30T18:36:32.696232427Z","short_id":"c90b9dac","tags":["obs"],
   "summary":{"total_bytes_processed":8209,"data_added_packed":4687}},
  {"time":"2026-11-29T20:36:32.5+02:00","short_id":"0d1e2f30"}
]"""


def test_snapshots_are_sorted_by_time_with_their_sizes() -> None:
    first, last = backup.snapshots(LISTED)
    assert (first.id, first.time) == ("0d1e2f30", datetime(2026, 11, 29, 18, 36, 32, 500000, UTC))
    assert (last.id, last.size, last.added) == ("c90b9dac", 8209, 4687)


def test_a_snapshot_is_chosen_by_a_beginning_or_as_the_latest() -> None:
    found = backup.snapshots(LISTED)
    assert backup.chosen(found, "latest", "dev").id == "c90b9dac"
    assert backup.chosen(found, "0d1", "dev").id == "0d1e2f30"


@pytest.mark.parametrize("wanted", ["ff", ""])
def test_an_unknown_snapshot_is_refused_with_the_newest_ones(wanted: str) -> None:
    with pytest.raises(ConfigError, match="no snapshot begins with") as caught:
        backup.chosen(backup.snapshots(LISTED), wanted, "dev")
    assert "c90b9dac, 0d1e2f30" in caught.value.fix


def test_an_empty_repository_is_refused_with_what_makes_a_backup() -> None:
    with pytest.raises(ConfigError, match="there is no backup of dev") as caught:
        backup.chosen([], "latest", "dev")
    assert caught.value.fix == "make one: ./obs backup dev"


def test_lines_come_whole_from_pieces_that_are_cut_anywhere() -> None:
    assert list(backup.lines(iter([b"one\ntw", b"o\n", b"three"]))) == ["one", "two", "three"]


# The data folder


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("passphrase", True),
        ("secrets/dev/backupPassword", True),
        ("secrets/prod/backupPassword", False),
        ("state/.pulumi/meta.yaml", True),
        ("state/.pulumi/stacks/observability/dev.json", True),
        ("state/.pulumi/stacks/observability/dev-2.json", False),
        ("state/.pulumi/locks/organization/observability/dev/1.json", False),
        ("state/.pulumi/backups/observability/dev/dev.1.json", False),
        ("state/.pulumi/history/observability/dev/dev-1.history.json", True),
        ("project/Pulumi.dev.yaml", True),
        ("project/Pulumi.prod.yaml", False),
        ("incidents/dev.jsonl", True),
        ("made/dev", True),
    ],
)
def test_the_archive_has_the_files_of_its_stack_alone(path: str, expected: bool) -> None:
    assert backup.belongs(PurePosixPath(path), "dev") == expected


def test_the_archive_is_restored_into_an_empty_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = home(tmp_path / "old", monkeypatch)
    write(old, {"passphrase": "p", "secrets/dev/backupPassword": "s", "made/dev": "", "made/prod": ""})
    found = unpacked(backup.archive(old, "dev"))
    assert found[f"{backup.STACK_FILE}/Pulumi.dev.yaml"] == stack_file("dev").read_bytes()
    new = home(tmp_path / "new", monkeypatch)
    assert put_state(new, "dev", found) is None
    assert (new.folder / "passphrase").read_text() == "p"
    assert (new.folder / "secrets/dev/backupPassword").read_text() == "s"
    assert new.made("dev")
    assert new.unfinished("dev")
    assert not (new.folder / "made/prod").exists()
    assert {path.stat().st_mode & 0o077 for path in new.folder.rglob("*") if path.is_file()} == {0}


def test_what_a_restore_replaces_in_the_data_folder_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = home(tmp_path, monkeypatch)
    write(there, {"passphrase": "p", "incidents/dev.jsonl": "new", "secrets/dev/backupPassword": "now"})
    before = {"passphrase": b"p", "incidents/dev.jsonl": b"old", "secrets/dev/backupPassword": b"then"}
    aside = put_state(there, "dev", before)
    assert aside is not None
    assert (aside / "incidents/dev.jsonl").read_text() == "new"
    assert (there.folder / "incidents/dev.jsonl").read_text() == "old"
    assert (there.folder / "secrets/dev/backupPassword").read_text() == "now"


def test_a_data_folder_with_another_passphrase_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = home(tmp_path, monkeypatch)
    write(there, {"passphrase": "other"})
    with pytest.raises(ConfigError, match="another one than that of the backup") as caught:
        put_state(there, "dev", {"passphrase": b"p", "made/dev": b""})
    assert "OBS_DATA_DIR=" in caught.value.fix
    assert not (there.folder / "made").exists()


def test_an_archive_that_leads_out_of_the_data_folder_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"\.\./passwd"):
        unpacked(backup.packed({"../passwd": b"x"}))


def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("OBS_DATA_DIR", str(folder))
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    return Home.find()


def write(there: Home, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        (there.folder / path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        (there.folder / path).touch(mode=0o600)
        (there.folder / path).write_text(text)


# What is restored


def test_a_restore_without_names_is_of_everything_and_of_a_state_that_is_missing() -> None:
    config = stack_config("staging", ON)
    everything = plan(config, [], has_state=False)
    assert set(everything.services) == set(kept(config))
    assert everything.state
    assert not plan(config, [], has_state=True).state


def test_a_restore_of_named_services_leaves_the_others() -> None:
    found = plan(stack_config("staging", ON), ["prometheus", "state"], has_state=True)
    assert found.arguments == ["prometheus:65534:65534"]
    assert found.state


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="--only redis") as caught:
        plan(stack_config("staging", ON), ["redis"], has_state=True)
    assert "prometheus" in caught.value.fix
    assert "state" in caught.value.fix


def test_a_stack_that_runs_is_refused_with_what_would_be_stopped() -> None:
    class Named:
        name = "obs-dev-prometheus"

    with pytest.raises(ConfigError, match="dev is running: obs-dev-prometheus have the volumes") as caught:
        refuse_running([Named()], "dev")  # type: ignore[list-item]  # only its name is read
    assert "--stop" in caught.value.fix
    refuse_running([], "dev")
