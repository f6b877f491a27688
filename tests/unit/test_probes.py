"""Probes as settings: what is refused, the exporter's modules, secrets, scrape settings and the rows of `verify`."""

from typing import Any

import pytest

from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.operations import parts as rows
from observability.parts import blackbox
from observability.parts.model import FOLDER_MARK
from observability.settings.load import StackConfig, validate
from observability.settings.secrets import known_secrets
from tests.unit.conftest import REFERENCE, declared, stack_config


def config(*probes: dict[str, Any], stack: str = "dev") -> StackConfig:
    return stack_config(stack, {"systems": {"depot": {"probes": list(probes)}}})


def modules(*probes: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = load_yaml(blackbox.modules(config(*probes).servers("blackbox-exporter"), "x"))
    return dict(found["modules"])


@pytest.mark.parametrize(
    ("probe", "what"),
    [
        ({"url": "ftp://shop.example.com"}, "url"),
        ({"url": "https://user@shop.example.com"}, "url"),
        ({"url": "tcp://shop.example.com"}, "has no port"),
        ({"url": "tcp://shop.example.com:70000"}, "up to 65535"),
        ({"url": "tls://shop.example.com:443/path"}, "has a path"),
        ({"url": "icmp://shop.example.com:1"}, "more than a host"),
        ({"url": "dns://9.9.9.9"}, "names nothing to look up"),
        ({"url": "https://a.example.com", "interval": "61m"}, "between 5s and 1h"),
        ({"url": "https://a.example.com", "interval": "2s"}, "between 5s and 1h"),
        ({"url": "https://a.example.com", "interval": "10s", "timeout": "11s"}, "no longer than interval"),
        ({"url": "https://a.example.com", "interval": "5m", "timeout": "2m"}, "at most 1m"),
        ({"url": "tcp://a.example.com:1", "json": {"status": "ok"}}, "json is for http:// or https:// only"),
        ({"url": "icmp://a.example.com", "bearerToken": True}, "bearerToken is for http:// or https:// only"),
        ({"url": "http://a.example.com", "verifyCertificate": False}, "verifyCertificate is for https://"),
        ({"url": "https://a.example.com", "record": "MX"}, "record is for dns:// only"),
        ({"url": "https://a.example.com", "bearerToken": True, "basicAuthUser": "a"}, "keep one"),
        ({"url": "https://a.example.com", "secretHeader": "Authorization"}, "write bearerToken or basicAuthUser"),
        ({"url": "https://a.example.com", "headers": {"Cookie": "session=1"}}, "headers holds the secret Cookie"),
        ({"url": "https://a.example.com", "ca": "files/none.pem"}, "is no text file"),
        ({"url": "https://a.example.com", "status": [700]}, "status"),
    ],
)
def test_an_invalid_probe_is_refused_by_path_with_what_is_wrong(probe: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError) as raised:
        config({"name": "shop", **probe})
    assert "systems.depot.probes[0]" in raised.value.what
    assert what in f"{raised.value.what} {raised.value.fix}"


@pytest.mark.parametrize("interval", ["5s", "2m", "300s", "5m", "1h"])
def test_an_interval_up_to_an_hour_is_that_of_the_scrape(interval: str) -> None:
    probe = {"name": "shop", "url": "https://shop.example.com/", "interval": interval, "timeout": "5s"}
    (placed,) = (one for one in config(probe).servers("blackbox-exporter") if one.server.name == "shop")
    assert blackbox.labels(placed.server) == {
        "probe": "shop",
        "__param_module": "http_2xx",
        "__scrape_interval__": interval,
        "__scrape_timeout__": "5s",
    }


def test_probes_that_state_nothing_more_share_the_modules_of_their_kind() -> None:
    found = modules(
        {"name": "a1", "url": "https://a.example.com/"},
        {"name": "b1", "url": "tcp://b.example.com:22"},
        {"name": "c1", "url": "icmp://c.example.com"},
    )
    own = {name for name in found if not name.startswith("http_keyword") and not name.startswith("http_tls")}
    assert own == {"http_2xx", "tcp_connect", "icmp"}


def test_a_probe_that_states_more_has_a_module_of_its_own() -> None:
    found = modules(
        {"name": "api", "url": "https://a.example.com/", "json": {"checks.0.ready": True, "n": 2}, "timeout": "20s"},
        {"name": "mx", "url": "dns://9.9.9.9/shop.example.com", "record": "MX", "keyword": "mail.shop"},
        {"name": "rpc", "url": "grpcs://a.example.com:443/shop.v1.Orders", "ca": "files/ca.pem"},
        {"name": "imap", "url": "tls://mail.example.com:993", "verifyCertificate": False},
    )
    api = found["http_api"]
    assert api["timeout"] == "20s"
    assert api["http"]["fail_if_body_json_not_matches_cel"] == 'body["checks"][0]["ready"] == true && body["n"] == 2.0'
    assert found["dns_mx"]["dns"] == {
        "preferred_ip_protocol": "ip4",
        "ip_protocol_fallback": True,
        "query_name": "shop.example.com",
        "query_type": "MX",
        "validate_answer_rrs": {"fail_if_none_matches_regexp": [r"mail\.shop"]},
    }
    assert (found["grpcs_rpc"]["prober"], found["grpcs_rpc"]["grpc"]["service"]) == ("grpc", "shop.v1.Orders")
    assert found["grpcs_rpc"]["grpc"]["tls_config"] == {"ca": (REFERENCE / "files" / "ca.pem").read_text()}
    assert found["tls_imap"]["tcp"]["tls_config"] == {"insecure_skip_verify": True}


SECRET = {"name": "shop-api", "url": "https://api.example.com/", "secretHeader": "X-Api-Key"}


def test_a_secret_header_is_a_file_beside_the_configuration() -> None:
    found = modules(SECRET)["http_shop-api"]["http"]
    assert found["http_headers"] == {"X-Api-Key": {"files": [f"{FOLDER_MARK}/secrets/shop-api"]}}
    (checker,) = (one for one in declared("dev", {"systems": {"depot": {"probes": [SECRET]}}})
                  if one.inputs.get("name") == "obs-dev-blackbox-exporter-check")  # fmt: skip
    uploads = {upload["file"]: upload["content"] for upload in checker.inputs["uploads"]}
    (folder,) = {path.rpartition("/")[0] for path in uploads if path.endswith("/blackbox.yaml")}
    assert f"{folder}/secrets/shop-api" in uploads
    assert f"{folder}/secrets/shop-api" in uploads[f"{folder}/blackbox.yaml"]
    assert FOLDER_MARK not in uploads[f"{folder}/blackbox.yaml"]


def test_the_secret_of_a_probe_is_requested_by_name_and_described() -> None:
    name = "depotProbesShopApiPassword"
    systems = {"depot": {"probes": [SECRET]}}
    assert known_secrets(["depot"], settings=systems)[name].description.startswith("Token, password or header")
    assert name in validate("dev", {"systems": systems}, frozenset(), REFERENCE, complete=False).missing


def samples(*instances: str) -> Any:  # noqa: ANN401 - an answer of Prometheus
    result = [{"metric": {"instance": one}, "value": [0, "1"]} for one in instances]
    return lambda *_, **__: {"data": {"result": result}}


@pytest.mark.parametrize(("interval", "verdict"), [("1h", "passed"), ("30s", "failed")])
def test_a_probe_that_was_not_due_yet_is_no_failure(interval: str, verdict: str) -> None:
    values = {
        "systems": {"hospital": {"probes": [{"name": "a1", "url": "https://a.example.com/", "interval": interval}]}}
    }
    of = validate("dev", values, frozenset(), REFERENCE)
    (row,) = (one for one in rows.exporters(of, samples(), lambda condition: condition()) if one[0] == "probe_success")
    assert row[1] == verdict


def test_verify_asks_for_the_last_value_of_slow_probes() -> None:
    asked: list[str] = []

    def get(*_: object, query: str) -> Any:  # noqa: ANN401 - as above
        asked.append(query)
        return samples("https://a.example.com/")()

    of = config({"name": "a1", "url": "https://a.example.com/", "interval": "1h"})
    assert ("probe_success https://a.example.com/", "passed", "reached") in [
        *rows.exporters(of, get, lambda one: one())
    ]
    assert any(query.startswith("(instance_probe:probe_success:last{") for query in asked)
