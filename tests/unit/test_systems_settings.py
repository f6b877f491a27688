"""Systems in an environment: thresholds that override their own, their addresses, and how they are reached."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.parts import blackbox
from observability.scrape import prometheus
from observability.scrape.jobs import jobs
from observability.settings.load import StackConfig, from_file, validate
from tests.unit.conftest import FULL, REFERENCE, stack_config

FILES = REFERENCE / "files"


def with_systems(settings: dict[str, Any], stack: str = "staging", **more: Any) -> StackConfig:  # noqa: ANN401
    return stack_config(stack, {"systems": settings, **more})


def refused(settings: dict[str, Any], **more: Any) -> ConfigError:  # noqa: ANN401
    with pytest.raises(ConfigError) as caught:
        with_systems(settings, **more)
    assert "\n" not in caught.value.what + caught.value.fix
    return caught.value


def value(config: StackConfig, system: str, name: str, severity: str) -> float:
    (found,) = (
        one.value for one in config.thresholds if (one.system, one.name, one.severity) == (system, name, severity)
    )
    return found


def scrape_configs(config: StackConfig) -> dict[str, dict[str, Any]]:
    document = load_yaml(prometheus.files(config, {})["prometheus.yaml"])
    return {job["job_name"]: job for job in document["scrape_configs"]}


def test_an_environment_overrides_one_value_and_leaves_the_others() -> None:
    config = with_systems({"depot": {"thresholds": {"responseTime": {"critical": "1500ms"}}}})
    assert value(config, "depot", "response_time", "critical") == 1.5
    assert value(config, "depot", "response_time", "warning") == 1
    assert {one.quantile for one in config.thresholds if (one.system, one.name) == ("depot", "response_time")} == {
        "0.95"
    }
    assert value(with_systems({}), "depot", "response_time", "critical") == 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("written", [100, 100.0])
def test_an_environment_may_write_a_value_as_an_integer_or_a_float(written: float) -> None:
    config = with_systems({"depot": {"thresholds": {"goroutines": {"warning": written}}}})
    assert value(config, "depot", "goroutines", "warning") == 100


def test_an_environment_overrides_a_default() -> None:
    config = with_systems({"hospital": {"thresholds": {"diskRatio": {"critical": "99%"}}}})
    assert value(config, "hospital", "disk_ratio", "critical") == 0.99
    assert value(config, "hospital", "disk_ratio", "warning") == 0.8
    assert value(config, "depot", "disk_ratio", "critical") == 0.9


def test_the_stack_has_the_thresholds_of_hosts_and_an_environment_overrides_them() -> None:
    config = with_systems({"platform": {"thresholds": {"cpuRatio": {"warning": "60%"}}}})
    assert value(config, "platform", "cpu_ratio", "warning") == 0.6
    assert value(config, "platform", "certificate_validity", "warning") == 14 * 86_400
    assert "platform" not in config.systems
    assert {one.team for one in config.thresholds if one.system == "platform"} == {"platform"}


def test_a_system_that_is_switched_off_is_absent() -> None:
    config = with_systems({"depot": {"enabled": False, "instances": {"static": ["erp:8080"]}}}, "dev")
    assert "depot" not in config.systems
    assert "depot" not in {one.system for one in config.thresholds}
    assert "depot" not in {target.labels.get("system") for job in jobs(config) for target in job.targets}
    assert "depot" not in {placed.system for placed in config.servers("blackbox-exporter")}


@pytest.mark.parametrize(
    ("settings", "what", "fix"),
    [
        ({"depo": {}}, "systems.depo: there is no such system", "did you mean 'depot'"),
        ({"depot": {"treshold": {}}}, "systems.depot.treshold: unknown key", "did you mean 'thresholds'"),
        ({"depot": {"thresholds": {"errorRat": {}}}}, "systems.depot.thresholds.errorRat: 'errorRat'", "'errorRatio'"),
        (
            {"depot": {"thresholds": {"errorRatio": {"warning": "20%"}}}},
            "systems.depot.thresholds.errorRatio: warning (0.2) is not milder than critical (0.1)",
            "below critical",
        ),
        (
            {"depot": {"thresholds": {"responseTime": {"critical": "31s"}}}},
            "systems.depot.thresholds.responseTime.critical: http_request_duration_seconds measures up to 30 s",
            "higher bucket",
        ),
        (
            {"hospital": {"thresholds": {"cacheHitRatio": {"warning": "80%"}}}},
            "systems.hospital.thresholds.cacheHitRatio: there is no signals.cache",
            "add that signal",
        ),
        (
            {"platform": {"thresholds": {"errorRatio": {"warning": "5%"}}}},
            "systems.platform.thresholds.errorRatio: there is no signals.httpRequests",
            "take it out",
        ),
        (
            {"platform": {"thresholds": {"cpuRatio": {"warning": "96%"}}}},
            "systems.platform.thresholds.cpuRatio: warning (0.96) is not milder than critical (0.95)",
            "below critical",
        ),
        ({"platform": {"enabled": False}}, "systems.platform.enabled: platform has thresholds", "remove it"),
        ({"depot": {"instances": {"static": ["erp"]}}}, "systems.depot.instances.static[0]: 'erp'", "host:port"),
        ({"depot": {"instances": {"files": ["nope.yaml"]}}}, "systems.depot.instances.files[0]: 'nope.yaml'", "root"),
        ({"depot": {"instances": {"files": ["a.txt"]}}}, "systems.depot.instances.files[0]: 'a.txt': is not", ".yaml"),
        (
            {"depot": {"instances": {"files": ["../a.json"]}}},
            "systems.depot.instances.files[0]: '../a.json'",
            "its root",
        ),
        ({"depot": {"instances": {"files": ["systems/depot.yaml"]}}}, "systems/depot.yaml: is not a list", "targets"),
        ({"depot": {"instances": {"dns": [{"names": []}]}}}, "systems.depot.instances.dns[0].names", "add entries"),
        (
            {"depot": {"instances": {"dns": [{"names": ["a"], "type": "A"}]}}},
            "instances.dns[0]: A has no port",
            "add port",
        ),
        (
            {"depot": {"instances": {"dns": [{"names": ["a"], "port": 1}]}}},
            "instances.dns[0]: SRV records",
            "take port",
        ),
        ({"depot": {"bearerToken": True, "basicAuthUser": "a"}}, "systems.depot: has bearerToken and", "remove the"),
        ({"depot": {"tls": {}}}, "systems.depot: has tls and the scheme http", "scheme: https"),
        (
            {"depot": {"scheme": "https", "tls": {"ca": "files/targets.json"}}},
            "systems.depot.tls.ca: 'files/targets.json': holds no certificate",
            "PEM",
        ),
        ({"depot": {"scheme": "https", "tls": {"ca": "/etc/ca"}}}, "systems.depot.tls.ca: '/etc/ca'", "its root"),
    ],
)
def test_invalid_settings_of_a_system_are_refused_by_path(settings: dict[str, Any], what: str, fix: str) -> None:
    error = refused(settings)
    assert error.what.startswith("Pulumi.staging.yaml: observability:") or error.what.startswith("systems/")
    assert what in error.what
    assert fix in error.fix


def test_the_platform_may_have_its_own_servers_and_probes() -> None:
    own = {
        "redis": [{"address": "cache:6379"}],
        "probes": [{"name": "grafana", "url": "https://grafana.example.com/"}],
    }
    found = {job.name: job.targets for job in jobs(with_systems({"platform": own}))}
    assert [target.labels["system"] for target in (*found["redis"], *found["blackbox"])] == ["platform"] * 2


def test_only_the_systems_that_the_settings_name_are_watched() -> None:
    assert tuple(validate("staging", {"systems": {"depot": {}}}, frozenset(), REFERENCE).systems) == ("depot",)
    assert validate("staging", {}, frozenset(), REFERENCE).systems == {}


@pytest.mark.parametrize(
    ("own", "setting", "secret"),
    [
        ({"bearerToken": True}, "bearerToken", "printShopScrapeToken"),
        ({"basicAuthUser": "prometheus"}, "basicAuthUser", "printShopScrapePassword"),
        (
            {"scheme": "https", "tls": {"certificate": "files/client.pem"}},
            "tls.certificate",
            "printShopScrapeKey",
        ),
    ],
)
def test_a_missing_secret_of_a_scrape_is_requested(own: dict[str, Any], setting: str, secret: str) -> None:
    values = {"systems": {"print-shop": own}}
    with pytest.raises(ConfigError) as caught:
        validate("staging", values, frozenset(), REFERENCE)
    assert f"observability:systems.print-shop.{setting} needs the secret observability:{secret}" in caught.value.what
    assert f"./obs secret set {secret} staging" in caught.value.fix
    assert secret in validate("staging", values, frozenset({secret}), REFERENCE).secrets


def test_a_plain_text_secret_is_refused_and_one_of_no_system_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems/shop.yaml").write_text((REFERENCE / "systems/hospital.yaml").read_text())
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config:\n  observability:shopScrapeToken: t0p\n")
    with pytest.raises(ConfigError, match="observability:shopScrapeToken is a secret in the clear"):
        from_file("dev", tmp_path)
    file.write_text("config:\n  observability:shopScrapeToken: {secure: v1:abc}\n")
    assert from_file("dev", tmp_path).secrets == {"shopScrapeToken"}
    file.write_text("config:\n  observability:shoppScrapeToken: {secure: v1:abc}\n")
    with pytest.raises(ConfigError) as caught:
        from_file("dev", tmp_path)
    assert "did you mean 'shopScrapeToken'" in caught.value.fix


def test_a_system_without_instances_has_no_job_and_is_named() -> None:
    config = with_systems({"depot": {"instances": {"static": ["erp:8080"]}}})
    assert [name for name in scrape_configs(config) if name.startswith(("backend", "studio"))] == ["backend-depot"]
    nowhere = [one.system for one in config.unplaced if one.what == "instances"]
    assert nowhere == ["academy", "hospital", "print-shop", "studio"]
    assert len(config.systems) == 5


def test_the_jobs_have_separate_names_in_prometheus_and_one_label_job() -> None:
    found = [name for name in scrape_configs(stack_config()) if name.startswith("backend")]
    assert found == ["backend-academy", "backend-depot", "backend-hospital", "backend-print-shop"]


def test_a_system_is_scraped_at_the_interval_of_its_file() -> None:
    found = scrape_configs(stack_config())
    assert found["backend-hospital"]["scrape_interval"] == "5s"
    assert "scrape_interval" not in found["backend-depot"]


def test_targets_found_at_run_time_have_the_systems_labels() -> None:
    found = scrape_configs(stack_config("staging", FULL))
    assert found["backend-hospital"]["file_sd_configs"] == [
        {"files": ["files/files/targets.yaml", "files/files/targets.json"]}
    ]
    assert found["backend-hospital"]["relabel_configs"] == [
        {"target_label": "system", "replacement": "hospital"},
        {"target_label": "job", "replacement": "backend"},
    ]
    assert [one["type"] for one in found["studio-api-studio"]["dns_sd_configs"]] == ["SRV", "A"]


def test_secrets_and_certificates_are_passed_to_prometheus_only_as_files() -> None:
    config = stack_config("staging", FULL)
    found = scrape_configs(config)
    assert found["backend-depot"]["authorization"] == {"credentials_file": "secrets/depot-token"}
    assert found["backend-depot"]["tls_config"]["ca_file"] == "files/files/ca.pem"
    assert found["backend-hospital"]["basic_auth"] == {
        "username": "prometheus",
        "password_file": "secrets/hospital-password",
    }
    assert found["studio-api-studio"]["tls_config"] == {
        "cert_file": "files/files/client.pem",
        "key_file": "secrets/studio-key.pem",
    }
    scraped = {path: name for path, name in prometheus.secret_files(config).items() if "remote-write" not in path}
    assert scraped == {
        "secrets/depot-token": "depotScrapeToken",
        "secrets/hospital-password": "hospitalScrapePassword",
        "secrets/studio-key.pem": "studioScrapeKey",
    }
    assert prometheus.files(config, {})["files/files/ca.pem"] == (FILES / "ca.pem").read_text()


def test_a_native_histogram_is_scraped_as_one(tmp_path: Path) -> None:
    (tmp_path / "systems").mkdir()
    text = (REFERENCE / "systems/hospital.yaml").read_text().replace("    buckets: http\n", "")
    (tmp_path / "systems/shop.yaml").write_text(text)
    values = {"systems": {"shop": {"instances": {"static": ["shop:3000"]}}}}
    config = validate("staging", values, frozenset(), tmp_path)
    assert scrape_configs(config)["backend-shop"]["scrape_native_histograms"] is True
    assert "scrape_native_histograms" not in scrape_configs(stack_config())["backend-hospital"]


def probes(config: StackConfig) -> list[Any]:
    """Every probe of a stack."""
    return [placed.server for placed in config.servers("blackbox-exporter")]


def test_a_health_page_is_probed_at_every_instance_that_is_known() -> None:
    config = stack_config("staging", FULL)
    assert [(probe.name, probe.url) for probe in probes(config) if "depot/health" in probe.name] == [
        ("depot/health", "https://erp-1.example.com:8080/health"),
        ("depot/health", "https://erp-2.example.com:8080/health"),
    ]
    text = blackbox.modules(config.servers("blackbox-exporter"), "x")
    module = load_yaml(text)["modules"]["http_tls_depot/health"]["http"]
    assert module["fail_if_body_not_matches_regexp"] == ['"status":"ok"']
    assert module["tls_config"] == {"ca": (FILES / "ca.pem").read_text(), "server_name": "erp.example.com"}


def test_instances_found_by_dns_or_file_have_health_probes_found_the_same_way() -> None:
    dns = {"dns": [{"names": ["shop.example.com"], "type": "A", "port": 3000}]}
    config = with_systems({"print-shop": {"instances": dns, "scheme": "https"}})
    jobs_of_pages = {name: job for name, job in scrape_configs(config).items() if name.startswith("blackbox-")}
    assert set(jobs_of_pages) == {f"blackbox-print-shop-{page}" for page in ("health", "health-ready", "health-live")}
    job = jobs_of_pages["blackbox-print-shop-health-ready"]
    assert job["dns_sd_configs"] == [{"names": ["shop.example.com"], "type": "A", "port": 3000}]
    first, second, *fixed, last = job["relabel_configs"]
    assert first["replacement"] == "https://$1/health/ready"
    assert second == {"source_labels": ["__param_target"], "target_label": "instance"}
    assert {"target_label": "system", "replacement": "print-shop"} in fixed
    assert {"target_label": "job", "replacement": "blackbox"} in fixed
    assert last == {"target_label": "__address__", "replacement": "blackbox-exporter:9115"}


def test_health_pages_are_enough_to_run_the_blackbox_exporter() -> None:
    assert not with_systems({}).runs("blackbox-exporter")
    assert with_systems({"depot": {"instances": {"static": ["erp:8080"]}}}).runs("blackbox-exporter")


def test_a_page_behind_a_clients_certificate_is_not_probed() -> None:
    tls = {"scheme": "https", "tls": {"certificate": "files/client.pem"}}
    assert probes(with_systems({"depot": {"instances": {"static": ["erp:8080"]}, **tls}})) == []


def test_the_hosts_of_a_system_are_scraped_by_the_job_of_the_docker_host() -> None:
    (node,) = (job for job in jobs(stack_config("staging", FULL)) if job.name == "node")
    nodes = {target.labels["instance"]: target for target in node.targets}
    assert nodes["app-1"].labels["system"] == "academy"
    assert nodes["app-1"].address == "app-1.example.com:9100"
    assert nodes["docker-host"].labels["system"] == "platform"


def test_a_remote_host_is_scraped_even_without_an_exporter_of_our_own() -> None:
    hosts = [{"address": "app-1.example.com:9100", "name": "app-1"}]
    config = stack_config("staging", {"nodeExporter": {"enabled": False}, "systems": {"academy": {"hosts": hosts}}})
    (node,) = (job for job in jobs(config) if job.name == "node")
    assert [target.labels["instance"] for target in node.targets] == ["app-1"]


def test_a_system_on_the_stacks_own_host_has_no_separate_host_target() -> None:
    config = with_systems({"depot": {"hosts": [{"name": "docker-host"}]}})
    (node,) = (job for job in jobs(config) if job.name == "node")
    assert [target.labels for target in node.targets] == [{"system": "platform", "instance": "docker-host"}]


def test_the_job_of_a_system_has_a_fallback_protocol_and_escapes_names() -> None:
    job = scrape_configs(stack_config())["backend-depot"]
    assert job["fallback_scrape_protocol"] == "PrometheusText0.0.4"
    assert job["metric_name_escaping_scheme"] == "underscores"


def test_a_query_in_the_path_becomes_params(tmp_path: Path) -> None:
    (tmp_path / "systems").mkdir()
    text = (REFERENCE / "systems/hospital.yaml").read_text()
    document = load_yaml(text)
    document["scrape"]["path"] = "/actuator/metrics?format=prometheus&name[]=a&name[]=b"
    (tmp_path / "systems/shop.yaml").write_text(yaml.safe_dump(document))
    values = {"systems": {"shop": {"instances": {"static": ["shop:3000"]}}}}
    job = scrape_configs(validate("staging", values, frozenset(), tmp_path))["backend-shop"]
    assert job["metrics_path"] == "/actuator/metrics"
    assert job["params"] == {"format": ["prometheus"], "name[]": ["a", "b"]}
