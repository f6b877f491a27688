"""Remote write: the settings, the configuration of Prometheus, and the rows of `verify`."""

import time
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest

from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.operations import remote_write as operation
from observability.operations.parts import Answer
from observability.scrape import agents, prometheus
from observability.settings.load import StackConfig, secret_specs, validate
from tests.unit.conftest import REFERENCE, declared, stack_config

URL: Final = "https://metrics.example.com/api/v1/push"
EDGE: Final = {"address": "monitoring.example.com"}


def one(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - settings
    """The settings of one receiver."""
    return {"remoteWrite": [{"name": "long-term", "url": URL, **more}]}


def section(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The receivers in the configuration of Prometheus."""
    text = prometheus.files(stack_config("dev", values), {})["prometheus.yaml"]
    found: list[dict[str, Any]] = load_yaml(text)["remote_write"]
    return found


def refused(values: dict[str, Any], **more: Any) -> ConfigError:  # noqa: ANN401 - settings
    with pytest.raises(ConfigError) as caught:
        validate("dev", {**values, **more}, frozenset(secret_specs(values)))
    return caught.value


def test_without_a_receiver_nothing_is_said_of_remote_write() -> None:
    config = stack_config("dev", {})
    assert "remote_write" not in load_yaml(prometheus.files(config, {})["prometheus.yaml"])
    server = next(each for each in declared("dev", {}) if each.name == "prometheus-server-container")
    assert not [word for word in server.inputs["command"] if "metadata-wal-records" in word]
    assert list(rows(config)) == []


def test_a_receiver_needs_only_a_name_and_an_address() -> None:
    assert section(one()) == [
        {
            "name": "long-term",
            "url": URL,
            "remote_timeout": "30s",
            "protobuf_message": "prometheus.WriteRequest",
            "queue_config": {
                "capacity": 10000,
                "min_shards": 1,
                "max_shards": 10,
                "max_samples_per_send": 2000,
                "batch_send_deadline": "5s",
                "min_backoff": "1s",
                "max_backoff": "30s",
                "retry_on_http_429": True,
            },
        }
    ]


CREDENTIALS: Final[list[tuple[dict[str, Any], dict[str, Any], dict[str, str]]]] = [
    (
        {"bearerToken": True},
        {"authorization": {"credentials_file": "secrets/remote-write-long-term-token"}},
        {"secrets/remote-write-long-term-token": "longTermRemoteWriteToken"},
    ),
    (
        {"basicAuthUser": "17"},
        {"basic_auth": {"username": "17", "password_file": "secrets/remote-write-long-term-password"}},
        {"secrets/remote-write-long-term-password": "longTermRemoteWritePassword"},
    ),
    (
        {"headers": {"X-Scope-OrgID": "a"}, "secretHeaders": ["Api-Key"]},
        {
            "headers": {"X-Scope-OrgID": "a"},
            "http_headers": {"Api-Key": {"files": ["secrets/remote-write-long-term-header-api-key"]}},
        },
        {"secrets/remote-write-long-term-header-api-key": "longTermRemoteWriteHeaderApiKey"},
    ),
    (
        {"tls": {"ca": "files/ca.pem", "certificate": "files/client.pem", "serverName": "m"}},
        {
            "tls_config": {
                "ca_file": "files/files/ca.pem",
                "cert_file": "files/files/client.pem",
                "key_file": "secrets/remote-write-long-term-key.pem",
                "server_name": "m",
            }
        },
        {"secrets/remote-write-long-term-key.pem": "longTermRemoteWriteKey"},
    ),
]


@pytest.mark.parametrize(("own", "told", "files"), CREDENTIALS, ids=["token", "password", "headers", "tls"])
def test_a_credential_is_a_file_with_a_secret_of_the_stack(
    own: dict[str, Any], told: dict[str, Any], files: dict[str, str]
) -> None:
    config = stack_config("dev", one(**own))
    (found,) = section(one(**own))
    assert {key: found.get(key) for key in told} == told
    written = prometheus.secret_files(config)
    assert {path: name for path, name in written.items() if "remote-write" in path} == files
    assert set(files.values()) <= set(secret_specs(one(**own)))


@pytest.mark.parametrize("own", [own for own, _, _ in CREDENTIALS], ids=["token", "password", "headers", "tls"])
def test_a_missing_secret_is_named_with_its_setting(own: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        validate("dev", one(**own), frozenset(), REFERENCE)
    assert "observability:remoteWrite[0]." in caught.value.what
    assert "./obs secret set longTermRemoteWrite" in caught.value.fix


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        (
            {"keep": [{"metrics": ["up", "http_.+"], "labels": {"system": "depot", "job": "a|b"}}]},
            [
                {
                    "source_labels": ["__name__", "job", "system"],
                    "regex": "(?:up|http_.+);(?:a|b);(?:depot)",
                    "action": "keep",
                }
            ],
        ),
        (
            {"keep": [{"metrics": ["up"]}, {"labels": {"system": "depot"}}], "drop": [{"metrics": ["go_.+"]}]},
            [
                {"source_labels": ["__name__"], "regex": "(?:up)", "target_label": "__tmp_keep", "replacement": "yes"},
                {
                    "source_labels": ["system"],
                    "regex": "(?:depot)",
                    "target_label": "__tmp_keep",
                    "replacement": "yes",
                },
                {"source_labels": ["__tmp_keep"], "regex": "yes", "action": "keep"},
                {"regex": "__tmp_keep", "action": "labeldrop"},
                {"source_labels": ["__name__"], "regex": "(?:go_.+)", "action": "drop"},
            ],
        ),
    ],
    ids=["one selection", "several"],
)
def test_filters_become_relabelling(filters: dict[str, Any], told: list[dict[str, Any]]) -> None:
    (found,) = section(one(**filters))
    assert found["write_relabel_configs"] == told


@pytest.mark.parametrize(
    ("own", "flags"),
    [
        ({}, []),
        ({"sendNativeHistograms": True}, []),
        ({"sendExemplars": True}, ["--enable-feature=exemplar-storage"]),
        ({"protocol": "v2"}, ["--enable-feature=metadata-wal-records"]),
        (
            {"sendExemplars": True, "protocol": "v2"},
            ["--enable-feature=exemplar-storage,metadata-wal-records"],
        ),
    ],
)
def test_prometheus_gets_the_feature_flags_that_its_receivers_need(own: dict[str, Any], flags: list[str]) -> None:
    values = {**one(**own), "prometheus": {"exemplars": 0}}
    server = next(each for each in declared("dev", values) if each.name == "prometheus-server-container")
    assert [word for word in server.inputs["command"] if word.startswith("--enable-feature")] == flags


def test_agents_send_to_the_edge_alone() -> None:
    config = stack_config("dev", {**one(), "hosts": {"web-2": {"docker": "ssh://root@10.0.0.2"}}, "edge": EDGE})
    text = agents.files(config, "web-2")["prometheus.yaml"]
    assert [each["name"] for each in load_yaml(text)["remote_write"]] == ["edge"]


@pytest.mark.parametrize(
    ("own", "path", "said"),
    [
        ({"url": "metrics.example.com"}, "[0].url", "is no address"),
        ({"url": "ftp://metrics.example.com"}, "[0].url", "is no address"),
        ({"url": "https://metrics.example.com:port/"}, "[0].url", "is no address"),
        ({"url": "https://a:b@metrics.example.com"}, "[0].url", "use basicAuthUser"),
        ({"url": f"{URL}?X-License-Key=abc"}, "[0].url", "parameter X-License-Key"),
        ({"url": f"{URL}?api_key=abc"}, "[0].url", "parameter api_key"),
        ({"url": "http://localhost:9090/api/v1/write"}, "[0].url", "others can reach"),
        ({"url": "http://127.0.0.1:9090/api/v1/write"}, "[0].url", "others can reach"),
        ({"url": "http://prometheus:9090/api/v1/write"}, "[0].url", "is this stack itself"),
        ({"url": "https://Monitoring.example.com:8443/api/v1/write"}, "[0].url", "is the edge of this stack"),
        ({"name": "Long_Term"}, "[0].name", "2 to 40 of a-z"),
        ({"bearerToken": True, "basicAuthUser": "a"}, "[0]", "remove the other"),
        ({"url": "http://metrics.example.com", "tls": {"serverName": "m"}}, "[0]", "write https in url"),
        ({"tls": {"ca": "../ca.pem"}}, "[0].tls.ca", "leaves the repository"),
        ({"tls": {"ca": "nowhere.pem"}}, "[0].tls.ca", "is no text file here"),
        ({"headers": {"Authorization": "Bearer a"}}, "[0]", "use bearerToken"),
        ({"headers": {"content-type": "a"}}, "[0]", "sets itself"),
        ({"headers": {"Api-Key": "a"}, "secretHeaders": ["api-key"]}, "[0]", "twice"),
        ({"keep": [{}]}, "[0].keep[0]", "add metrics or labels"),
        ({"keep": [{"metrics": ["up("]}]}, "[0].keep[0].metrics[0]", "is no expression of RE2"),
        ({"drop": [{"labels": {"system": "(?=a)"}}]}, "[0].drop[0].labels.system", "RE2 has no look-ahead"),
        ({"protocol": "v3"}, "[0].protocol", "v1"),
        ({"queue": {"minShards": 20}}, "[0].queue", "lower minShards"),
        ({"queue": {"minBackoff": "1m"}}, "[0].queue", "lower minBackoff"),
        ({"queue": {"capacity": 500}}, "[0].queue", "raise capacity"),
        ({"queue": {"maxShard": 5}}, "[0].queue.maxShard", "did you mean"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_path_and_the_fix(own: dict[str, Any], path: str, said: str) -> None:
    error = refused(one(**own), edge=EDGE)
    assert f"observability:remoteWrite{path}" in error.what
    assert said in f"{error.what} {error.fix}"
    assert error.fix


def test_two_receivers_of_one_name_are_refused() -> None:
    listed = one()["remoteWrite"]
    error = refused({"remoteWrite": [*listed, {"name": "long-term", "url": "https://other.example.com"}]})
    assert "observability:remoteWrite[1].name" in error.what


LOG: Final = (
    'time=2026-01-01 level=ERROR msg="non-recoverable error" component=remote remote_name=long-term url=https://a '
    'failedSampleCount=3 err="server returned HTTP status 401 Unauthorized: no such \\"token\\"\\n"\n'
    'time=2026-01-01 level=ERROR msg="non-recoverable error" component=remote remote_name=other url=https://a '
    'err="server returned HTTP status 500"\n'
)


def rows(
    config: StackConfig, now: dict[str, float] | None = None, earlier: dict[str, float] | None = None, log: str = ""
) -> list[Answer]:
    """The rows where Prometheus has these values of the queue `long-term`, and had others two minutes ago."""

    def get(_: str, __: str, query: str) -> Any:  # noqa: ANN401 - as Prometheus answers
        value = value_of(query)
        result = [] if value is None else [{"metric": {"remote_name": "long-term"}, "value": [0, str(value)]}]
        return {"data": {"result": result}}

    def value_of(query: str) -> float | None:
        if now is None:
            return None
        for begin, name in (("max_over_time", "accepted_at"), ("scalar", "behind"), ("max by", "answered")):
            if query.startswith(begin):
                return now.get(name, 0)
        past = " offset 120s" in query
        for name in ("pending", "failed", "retried"):
            if f"_{name}" in query:
                return (earlier or {}).get(name, 0) if past else now.get(name, 0)
        return (earlier or {}).get("total") if past else now.get("total", 0)

    container = SimpleNamespace(logs=lambda **_: log.encode())
    client = SimpleNamespace(containers=SimpleNamespace(get=lambda _: container))
    return list(operation.targets(config, cast("Any", client), get, lambda condition: condition()))


OK: Final = {"total": 5000, "answered": 1e9, "pending": 12, "behind": 4}


@pytest.mark.parametrize(
    ("now", "earlier", "verdict", "said"),
    [
        (OK, {"total": 4000}, "passed", "12 samples pending, 0 failed in 2 min, last accepted 30 s ago"),
        (OK, None, "passed", "12 samples pending, 0 failed"),
        ({**OK, "failed": 1000}, {"total": 4000}, "failed", "rejects all samples; 12 samples pending, 1000 failed"),
        ({**OK, "failed": 10}, {"total": 4000}, "failed", "rejects 1.00% of the samples"),
        ({**OK, "failed": 10}, {"total": 4000, "failed": 10}, "passed", "0 failed"),
        ({**OK, "failed": 10}, {"total": 9000, "failed": 50}, "failed", "rejects 0.20% of the samples"),
        (
            {**OK, "retried": 400},
            {"total": 4000},
            "warning",
            "only at a repetition; 12 samples pending, 0 failed, 400",
        ),
        ({**OK, "behind": 121, "retried": 900}, {"total": 4000}, "failed", "is 121 s behind"),
        ({**OK, "behind": 121, "pending": 0}, {"total": 4000}, "passed", "0 samples pending"),
        ({**OK, "answered": 0}, None, "failed", "has answered no request yet"),
        ({"pending": 0}, None, "failed", "nothing was sent yet"),
        (None, None, "failed", "Prometheus has no such queue"),
    ],
)
def test_verify_has_a_row_for_a_receiver(
    now: dict[str, float] | None, earlier: dict[str, float] | None, verdict: str, said: str
) -> None:
    values = None if now is None else {"accepted_at": time.time() - 30, **now}
    ((check, found, detail),) = rows(stack_config("dev", one()), values, earlier)
    assert (check, found) == ("remote write long-term", verdict)
    assert said in detail


def test_a_filter_that_leaves_nothing_is_a_warning() -> None:
    ((_, verdict, detail),) = rows(stack_config("dev", one(keep=[{"metrics": ["nothing"]}])), {"pending": 0})
    assert (verdict, detail.partition(";")[0]) == ("warning", "nothing was sent: keep and drop leave no sample")


def test_the_row_has_the_receivers_answer_from_prometheus_log() -> None:
    ((_, _, detail),) = rows(stack_config("dev", one()), {**OK, "failed": 1000}, {"total": 4000}, LOG)
    assert detail.endswith('; server returned HTTP status 401 Unauthorized: no such "token"')
    ((_, _, detail),) = rows(stack_config("dev", one(bearerToken=True)), {**OK, "failed": 1000}, {"total": 4000}, LOG)
    assert detail.endswith(': no such "token"; replace the credential: ./obs secret set longTermRemoteWriteToken dev')


def test_a_receiver_that_rejects_everything_has_its_credential_named_without_a_log() -> None:
    ((_, _, detail),) = rows(stack_config("dev", one(bearerToken=True)), {**OK, "failed": 1000}, {"total": 4000})
    assert detail.endswith("; replace the credential: ./obs secret set longTermRemoteWriteToken dev")
    ((_, _, detail),) = rows(stack_config("dev", one(bearerToken=True)), {**OK, "failed": 10}, {"total": 4000})
    assert "credential" not in detail


def test_a_long_answer_is_cut() -> None:
    said = operation.last_error(f' remote_name=a url=b err="{"x" * 500}"', "a")
    assert (len(said), said[-1]) == (160, "…")
