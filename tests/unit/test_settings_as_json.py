"""Settings that `pulumi config set` wrote: objects and lists are JSON text."""

from pathlib import Path

import pytest

from observability.core.errors import ConfigError
from observability.settings.load import StackConfig, from_file


def config(folder: Path, *lines: str) -> StackConfig:
    text = "\n".join(["config:", "  observability:environment: dev", *(f"  observability:{line}" for line in lines)])
    (folder / "Pulumi.qa.yaml").write_text(text + "\n")
    return from_file("qa", folder)


def test_an_object_written_as_json_is_read_like_yaml(tmp_path: Path) -> None:
    found = config(tmp_path, """prometheus: '{"memoryMb": 2048}'""").settings.prometheus
    assert found == config(tmp_path, "prometheus: {memoryMb: 2048}").settings.prometheus
    assert found.memory_mb == 2048


def test_an_object_within_an_object_is_read_too(tmp_path: Path) -> None:
    found = config(tmp_path, """systems: '{"platform": {"thresholds": {"cpuRatio": {"warning": "70%"}}}}'""")
    own = [one for one in found.thresholds if one.system == "platform"]
    assert {one.value for one in own if (one.name, one.severity) == ("cpu_ratio", "warning")} == {0.7}


def test_an_invalid_value_in_json_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"observability:prometheus\.memoryMb"):
        config(tmp_path, """prometheus: '{"memoryMb": "much"}'""")


def test_text_that_begins_like_json_and_is_none_is_refused_with_its_position(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        config(tmp_path, """prometheus: '{"memoryMb": 2048'""")
    assert raised.value.what.startswith("Pulumi.qa.yaml: observability:prometheus: is text that begins like JSON")
    assert "character 18" in raised.value.what
    assert raised.value.fix == "write it as YAML without the quotes around it"
