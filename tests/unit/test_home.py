"""What `obs` keeps outside the repository."""

from pathlib import Path

import pytest
import yaml

from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.operations.home import Home
from observability.settings.load import ROOT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path / "data"))
    return Home.find()


def test_the_passphrase_is_generated_once_and_readable_by_its_owner_only(home: Home) -> None:
    path = Path(home.environment()["PULUMI_CONFIG_PASSPHRASE_FILE"])
    first = path.read_text()
    assert len(first) >= 32
    assert path.stat().st_mode & 0o077 == 0
    assert Path(home.environment()["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text() == first


def test_the_users_own_backend_and_passphrase_are_kept(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "mine")
    environment = home.environment()
    assert environment["PULUMI_BACKEND_URL"] == "s3://state"
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environment


def test_a_stored_secret_is_readable_by_its_owner_only(home: Home) -> None:
    path = home.set_secret("prod", "alertWebhookUrl", "https://hooks.example.com/x")
    assert path.stat().st_mode & 0o077 == 0
    assert home.secrets("prod") == {"alertWebhookUrl": "https://hooks.example.com/x"}
    assert home.secrets("dev") == {}


@pytest.mark.parametrize(("name", "value"), [("unknown", "x"), ("alertWebhookUrl", "")])
def test_an_unknown_or_empty_secret_is_refused(home: Home, name: str, value: str) -> None:
    with pytest.raises(ConfigError):
        home.set_secret("dev", name, value)
    assert home.secrets("dev") == {}


def test_the_working_copy_follows_the_tracked_file_and_keeps_salt_and_secrets(home: Home, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    (root / "Pulumi.dev.yaml").write_text("config:\n  observability:cluster: one\n")
    home.set_secret("dev", "alertWebhookUrl", "x")
    copy = home.refresh_project("dev", root) / "Pulumi.dev.yaml"
    document = load_yaml(copy.read_text())
    document["encryptionsalt"] = "v1:salt"
    document["config"] |= {"observability:alertWebhookUrl": {"secure": "v1:x"}, "observability:stale": 1}
    copy.write_text(yaml.safe_dump(document))
    (root / "Pulumi.dev.yaml").write_text("config:\n  observability:cluster: two\n")
    home.refresh_project("dev", root)
    assert load_yaml(copy.read_text()) == {
        "encryptionsalt": "v1:salt",
        "config": {"observability:cluster": "two", "observability:alertWebhookUrl": {"secure": "v1:x"}},
    }
    assert load_yaml((home.project / "Pulumi.yaml").read_text())["main"] == str(root)
    assert (root / "Pulumi.dev.yaml").read_text() == "config:\n  observability:cluster: two\n"


def test_a_secret_is_encrypted_once_and_again_when_it_is_stored_again(home: Home, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    (root / "Pulumi.dev.yaml").write_text("config: {}\n")
    home.set_secret("dev", "alertWebhookUrl", "one")
    copy = home.refresh_project("dev", root) / "Pulumi.dev.yaml"
    assert home.to_encrypt("dev") == {"alertWebhookUrl": "one"}
    copy.write_text("config:\n  observability:alertWebhookUrl: {secure: v1:x}\n")
    home.encrypted("dev")
    assert home.to_encrypt("dev") == {}
    home.set_secret("dev", "alertWebhookUrl", "two")
    assert home.to_encrypt("dev") == {"alertWebhookUrl": "two"}
    for emptied in ("config: {}\n", "encryptionsalt: v1:x\n", ""):
        copy.write_text(emptied)
        home.encrypted("dev")
        assert home.to_encrypt("dev") == {"alertWebhookUrl": "two"}


def test_a_preview_leaves_out_images_without_changing_the_record(home: Home) -> None:
    home.set_left_out("dev", {"loki": "not published"})
    copy = home.refresh_project("dev", left_out={"cadvisor": "no such host"}) / "Pulumi.dev.yaml"
    assert load_yaml(copy.read_text())["config"]["observability:leftOut"] == {"cadvisor": "no such host"}
    assert home.left_out("dev") == {"loki": "not published"}
    home.refresh_project("dev", left_out={})
    assert "observability:leftOut" not in load_yaml(copy.read_text())["config"]
    home.refresh_project("dev")
    assert load_yaml(copy.read_text())["config"]["observability:leftOut"] == {"loki": "not published"}


def test_a_data_folder_that_others_can_read_becomes_its_owners_alone(home: Home) -> None:
    home.set_secret("dev", "alertWebhookUrl", "x")
    home.folder.chmod(0o755)
    assert Home.find().folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_with_other_files_is_neither_hidden_nor_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "report.pdf").touch()
    monkeypatch.setenv("OBS_DATA_DIR", str(shared))
    with pytest.raises(
        ConfigError, match=r"can be read by other users of this machine, and has other files: report\.pdf"
    ):
        Home.find()
    assert shared.stat().st_mode & 0o777 == 0o755


def test_a_lost_passphrase_is_not_replaced_where_there_is_a_state(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(home.environment()["PULUMI_CONFIG_PASSPHRASE_FILE"])
    home.project.mkdir()
    (home.project / "Pulumi.dev.yaml").write_text("encryptionsalt: v1:salt\n")
    path.unlink()
    with pytest.raises(ConfigError, match=r"the passphrase of the state in .* is missing"):
        home.environment()
    assert not path.exists()
    own = str(home.folder.parent / "own")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", own)
    assert home.environment()["PULUMI_CONFIG_PASSPHRASE_FILE"] == own
