"""The rate limit of each external API of a system."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.settings.load import validate
from observability.systems.load import load_file
from observability.systems.model import System, ThresholdValues
from observability.systems.resolve import thresholds
from rules.thresholds import groups
from tests.unit.conftest import REFERENCE

LIMIT = "app:threshold:external_api_rate_limit"


def written(folder: Path, limits: dict[str, Any] | None, *more: str) -> Path:
    """The file of studio with these limits, and with more external APIs."""
    document = load_yaml((REFERENCE / "systems" / "studio.yaml").read_text())
    apis = document["signals"]["externalApis"]
    apis |= dict.fromkeys(more, apis["openai"])
    document["thresholds"].pop("externalApiRateLimit")
    if limits is not None:
        document["thresholds"]["externalApiRateLimit"] = limits
    path = folder / "systems" / "studio.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path


def limits_of(system: System) -> dict[str | None, float]:
    return {one.api: one.value for one in thresholds(system) if one.name == "external_api_rate_limit"}


def test_a_plain_number_is_that_of_every_api(tmp_path: Path) -> None:
    assert limits_of(load_file(written(tmp_path, {"warning": 500}))) == {"openai": 500}
    assert limits_of(load_file(written(tmp_path, {"warning": 500}, "maps"))) == {"openai": 500, "maps": 500}


def test_an_api_may_have_its_own_number(tmp_path: Path) -> None:
    limits = {"warning": 500, "apis": {"maps": {"warning": 100}}}
    assert limits_of(load_file(written(tmp_path, limits, "maps"))) == {"openai": 500, "maps": 100}


def test_an_api_without_a_number_has_no_limit(tmp_path: Path) -> None:
    limits = {"apis": {"maps": {"warning": 100}}}
    assert limits_of(load_file(written(tmp_path, limits, "maps"))) == {"maps": 100}


def test_the_series_of_a_limit_has_the_label_api(tmp_path: Path) -> None:
    system = load_file(written(tmp_path, {"warning": 500, "apis": {"maps": {"warning": 100}}}, "maps"))
    (group,) = groups({"studio": "studio"}, thresholds(system))
    found = {rule["labels"]["api"]: rule["expr"] for rule in group["rules"] if rule["record"] == LIMIT}
    assert found == {"openai": "vector(500)", "maps": "vector(100)"}


def test_an_environment_overrides_the_number_of_one_api(tmp_path: Path) -> None:
    written(tmp_path, {"warning": 500, "apis": {"maps": {"warning": 100}}}, "maps", "chat")
    own = {"thresholds": {"externalApiRateLimit": {"warning": 600, "apis": {"chat": {"warning": 50}}}}}
    values = {"systems": {"studio": {"instances": {"static": ["studio:3000"]}, **own}}}
    config = validate("staging", values, frozenset(), tmp_path)
    assert limits_of(config.systems["studio"]) == {"openai": 600, "maps": 100, "chat": 50}


@pytest.mark.parametrize(
    ("limits", "what", "fix"),
    [
        ({"apis": {"map": {"warning": 100}}}, "apis.map: 'map': unknown external API", "did you mean 'maps'?"),
        (
            {"apis": {"maps": {"critical": 100}}},
            "apis.maps.critical: 'critical': unknown severity",
            "known here: warning",
        ),
        ({"apis": {"maps": {"warning": "5%"}}}, "apis.maps.warning: '5%'", ""),
    ],
)
def test_an_invalid_limit_of_an_api_is_refused_by_path(
    tmp_path: Path, limits: dict[str, Any], what: str, fix: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        load_file(written(tmp_path, limits, "maps"))
    assert f"thresholds.externalApiRateLimit.{what}" in raised.value.what
    assert fix in raised.value.fix


def test_another_threshold_has_no_numbers_of_apis(tmp_path: Path) -> None:
    path = written(tmp_path, None)
    document = load_yaml(path.read_text())
    document["thresholds"]["errorRatio"]["apis"] = {"openai": {"warning": "1%"}}
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigError, match=r"thresholds\.errorRatio\.apis: it is not about single external APIs"):
        load_file(path)


def test_values_of_apis_are_merged_by_severity() -> None:
    below = ThresholdValues.model_validate({"warning": 1, "apis": {"a": {"warning": 2}, "b": {"warning": 3}}})
    above = ThresholdValues.model_validate({"apis": {"b": {"warning": 4}}})
    merged = below.under(above)
    assert {name: own.warning for name, own in merged.apis.items()} == {"a": 2, "b": 4}
    assert merged.warning == 1
