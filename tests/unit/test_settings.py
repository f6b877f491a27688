"""Settings: working defaults, and errors that name the field and the fix."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from observability.core.errors import ConfigError
from observability.core.render import to_yaml
from observability.core.types import seconds
from observability.parts.images import PINS
from observability.settings import schema
from observability.settings.load import ROOT, from_file, validate
from observability.settings.model import ImageSettings, Settings, mirrored
from observability.settings.secrets import known_secrets, stated_secrets
from tests.unit.conftest import base, stack_config


def refused(values: dict[str, Any], stack: str = "dev", secrets: frozenset[str] = frozenset()) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        validate(stack, values, secrets)
    assert "\n" not in caught.value.what
    assert "\n" not in caught.value.fix
    return caught.value


def test_an_empty_dev_file_gives_a_complete_stack() -> None:
    settings = validate("dev", {}, frozenset()).settings
    assert settings.environment == "dev"
    assert settings.prometheus.scrape_interval == "15s"
    assert settings.retention == "15d"
    assert str(settings.bind_address) == "127.0.0.1"


def test_prod_keeps_samples_for_thirty_days() -> None:
    assert stack_config("prod").settings.retention == "30d"


def test_an_unknown_key_is_refused_with_the_nearest_name() -> None:
    error = refused({"prometheus": {"scrapInterval": "15s"}})
    assert "observability:prometheus.scrapInterval: unknown key" in error.what
    assert "did you mean 'scrapeInterval'" in error.fix


def test_an_unknown_section_is_refused_with_the_nearest_name() -> None:
    assert "did you mean 'prometheus'" in refused({"prometeus": {}}).fix


def test_a_wrong_type_is_refused_by_path() -> None:
    assert "observability:prometheus.port: 'many'" in refused({"prometheus": {"port": "many"}}).what


def test_targets_are_scraped_often_enough_for_four_samples_in_a_rate() -> None:
    assert validate("dev", {"prometheus": {"scrapeInterval": "1m"}}, frozenset()).settings
    error = refused({"prometheus": {"scrapeInterval": "2m"}})
    assert "observability:prometheus.scrapeInterval: '2m': must be between 1s and 1m" in error.what


@pytest.mark.parametrize("duration", ["15x", "-5s", "0s", "", "1s1h", "5 s", "10m", "0.5s"])
def test_an_invalid_interval_is_refused_by_path(duration: str) -> None:
    error = refused({"prometheus": {"scrapeInterval": duration}})
    assert "observability:prometheus.scrapeInterval" in error.what


def test_a_pin_without_a_tag_is_refused() -> None:
    error = refused({"images": {"overrides": {"prometheus": "prom/prometheus"}}})
    assert "images.overrides.prometheus" in error.what
    assert "has no tag" in error.what
    assert "prom/prometheus:v1.2.3" in error.fix


def test_a_pin_to_a_moving_tag_is_refused() -> None:
    assert "moves under you" in refused({"images": {"overrides": {"prometheus": "prom/prometheus:latest"}}}).what


def test_a_pin_by_digest_is_accepted() -> None:
    pin = f"prom/prometheus@sha256:{'0' * 64}"
    assert (
        validate("dev", {"images": {"overrides": {"prometheus": pin}}}, frozenset()).settings.image("prometheus")
        == pin
    )


def test_a_pin_for_a_service_that_does_not_exist_is_refused() -> None:
    assert "'promtheus' is not a service" in refused({"images": {"overrides": {"promtheus": "a/b:1"}}}).what


def test_two_services_with_the_same_name_are_refused() -> None:
    exporter = {"name": "rabbitmq", "image": "kbudde/rabbitmq-exporter:v1.0.0", "port": 9419}
    error = refused({"exporters": [exporter, exporter]})
    assert "two services have the name 'rabbitmq'" in error.what
    assert "exporters[1]" in error.fix


def test_an_exporter_cannot_take_the_name_of_a_built_in_service() -> None:
    error = refused({"exporters": [{"name": "prometheus", "image": "a/b:1", "port": 1}]})
    assert "two services have the name 'prometheus'" in error.what


def test_two_services_on_the_same_port_are_refused() -> None:
    assert "both 9090" in refused({"alertmanager": {"port": 9090}}).what


def test_a_public_network_is_refused() -> None:
    assert "network.subnet" in refused({"network": {"subnet": "8.8.8.0/24"}}).what


def test_a_required_secret_missing_in_prod_is_refused_with_the_command_that_sets_it() -> None:
    error = refused({"links": base("prod")["links"]}, stack="prod")
    assert "observability:alertWebhookUrl is required in prod" in error.what
    assert "./obs secret set alertWebhookUrl prod" in error.fix


def test_a_stack_with_another_name_must_state_its_environment() -> None:
    assert "observability:environment" in refused({}, stack="eu").what
    assert validate("eu", {"environment": "staging"}, frozenset()).settings.cluster == "obs-eu"


def test_a_stack_without_a_file_is_refused_with_the_names_of_existing_ones(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    with pytest.raises(ConfigError) as caught:
        from_file("qa", tmp_path)
    assert "Pulumi.qa.yaml does not exist" in caught.value.what
    assert "dev" in caught.value.fix


def test_a_stack_file_that_is_not_yaml_is_refused_with_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  a: [1,\n")
    with pytest.raises(
        ConfigError, match=r"Pulumi.dev.yaml:2:6: not valid YAML: a bracket is opened here and not closed"
    ):
        from_file("dev", tmp_path)


def test_a_plain_text_secret_is_refused_without_being_shown(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(
        "config:\n  observability:alertWebhookUrl: https://hooks.example.com/T0P\n"
    )
    with pytest.raises(ConfigError) as caught:
        from_file("dev", tmp_path)
    assert "secret in the clear" in caught.value.what
    assert "T0P" not in str(caught.value)


LINKS = "  observability:links:\n" + "".join(
    f"    {service}: https://{service}.example.com\n"
    for service in ("runbooks", "prometheus", "alertmanager", "grafana")
)


def test_in_prod_the_links_in_messages_are_required() -> None:
    error = refused({}, stack="prod")
    assert "links.runbooks is required in prod" in error.what
    assert "add links.runbooks, like https://" in error.fix


def test_an_encrypted_secret_in_the_file_counts_as_set(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text("config:\n  observability:heartbeatUrl:\n    secure: v1:abc\n" + LINKS)
    with pytest.raises(ConfigError, match=r"alertWebhookUrl is required in prod and missing\n"):
        from_file("prod", tmp_path)
    assert from_file("prod", tmp_path, frozenset({"alertWebhookUrl"})).secrets == {"alertWebhookUrl", "heartbeatUrl"}


@pytest.mark.parametrize(
    ("duration", "expected"),
    [("15s", 15), ("1m30s", 90), ("500ms", 0.5), ("2h", 7200), ("15d", 1_296_000), ("1w", 604_800)],
)
def test_durations_are_read_as_prometheus_reads_them(duration: str, expected: float) -> None:
    assert seconds(duration) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("prom/prometheus:v1", "mirror.example.com/x/prom/prometheus:v1"),
        ("ghcr.io/google/cadvisor:v1", "mirror.example.com/x/google/cadvisor:v1"),
        ("busybox:1", "mirror.example.com/x/busybox:1"),
    ],
)
def test_a_private_mirror_replaces_the_public_registry(reference: str, expected: str) -> None:
    assert mirrored(reference, "mirror.example.com/x") == expected
    assert mirrored(reference, None) == reference


def test_every_pin_is_a_valid_reference_with_a_version() -> None:
    ImageSettings.model_validate({"overrides": dict(PINS)})
    assert all(":" in reference.rpartition("/")[2] for reference in PINS.values())


def test_the_committed_schema_is_current() -> None:
    assert schema.PATH.read_text(encoding="utf-8") == schema.text(), "run: make schema"


def test_every_setting_is_described_in_the_schema() -> None:
    document = json.loads(schema.text())
    definitions = document["$defs"]
    sections = [*definitions.values(), document["properties"]["config"]]
    bare = [
        name
        for section in sections
        for name, field in section["properties"].items()
        if "description" not in {**definitions.get(field.get("$ref", "").rpartition("/")[2], {}), **field}
    ]
    assert bare == []


def test_the_schema_accepts_the_secrets_of_future_systems() -> None:
    patterns = json.loads(schema.text())["properties"]["config"]["patternProperties"]
    (secret,) = (pattern for pattern in patterns if "Password" in pattern)
    names = known_secrets(["print-shop"]).keys() - stated_secrets().keys()
    assert names == {"printShopScrapeToken", "printShopScrapePassword", "printShopScrapeKey"}
    assert all(re.search(secret, f"observability:{name}") for name in names)
    assert re.search(secret, "observability:depotPostgresPassword")
    assert not re.search(secret, "observability:loki")


def test_multi_line_text_is_written_as_a_block_and_nothing_as_an_alias() -> None:
    same = {"expr": "a\n  > b\n"}
    assert to_yaml([same, same], source="x").splitlines()[1:] == 2 * ["- expr: |", "    a", "      > b"]


def test_a_duplicate_key_is_refused_with_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  observability:cluster: a\n  observability:cluster: b\n")
    with pytest.raises(ConfigError, match=r"Pulumi.dev.yaml:3:3: not valid YAML: .* is there twice"):
        from_file("dev", tmp_path)


def test_settings_are_immutable_once_read() -> None:
    settings: Settings = validate("dev", {}, frozenset()).settings
    with pytest.raises(ValueError, match="frozen"):
        settings.cluster = "other"  # type: ignore[misc]  # what the test is about


def test_every_stack_file_names_its_schema() -> None:
    for path in ROOT.glob("Pulumi.*.yaml"):
        assert path.read_text().startswith("# yaml-language-server: $schema=observability/settings/schema.json\n")


@pytest.mark.parametrize("address", ["0.0.0.0", "10.1.2.3", "172.30.90.1"])  # noqa: S104 - refused
def test_an_address_that_others_reach_is_refused_without_the_edge(address: str) -> None:
    for edge in ({}, {"edge": {"enabled": False, "address": "monitoring.example.com"}}):
        with pytest.raises(ConfigError) as error:
            validate("dev", {"bindAddress": address, **edge}, frozenset())
        assert error.value.what.startswith(f"Pulumi.dev.yaml: observability:bindAddress: {address}: everyone who")
        assert "observability:edge: {enabled: true, address: monitoring.example.com}" in error.value.fix


def test_an_address_that_others_reach_is_taken_with_the_edge() -> None:
    edge = {"address": "monitoring.example.com"}
    for more in ({"edge": {**edge, "enabled": True}}, {"edge": edge, "hosts": {"web": {"docker": "ssh://web"}}}):
        found = validate("dev", {"bindAddress": "10.1.2.3", **more}, frozenset())
        assert str(found.settings.bind_address) == "10.1.2.3"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
def test_loopback_needs_no_edge(address: str) -> None:
    assert str(validate("dev", {"bindAddress": address}, frozenset()).settings.bind_address) == address
