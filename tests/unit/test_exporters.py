"""Exporters: which servers each reads, and how it signs in: with files, and not with values that Docker shows."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.core.naming import LABEL_SERVICE
from observability.parts import elasticsearch, mongodb, postgres, redis
from observability.parts.images import PINS
from observability.parts.model import Here, Placed
from observability.scrape.jobs import jobs
from observability.settings.load import secret_specs, validate
from observability.synth.declared import CONTAINER
from observability.synth.record import HIDDEN, record
from tests.unit.conftest import FULL, REFERENCE, stack_config, stack_values

STORES: dict[str, Any] = {
    "academy": {"mongodb": FULL["systems"]["academy"]["mongodb"]},
    "depot": {key: FULL["systems"]["depot"][key] for key in ("postgres", "redis", "elasticsearch")},
}
"""Addresses of the data stores in these tests."""

SECTIONS: dict[str, Any] = {
    f"{name}Exporter": {"enabled": True} for name in ("mongodb", "elasticsearch", "postgres", "redis")
}


def inputs_of(service: str, values: dict[str, Any] | None = None) -> Mapping[str, Any]:
    """The inputs of a service's container, in a stack that has every secret."""
    given = stack_values("staging", {"profile": "minimal", "systems": STORES, **SECTIONS, **(values or {})})
    config = validate("staging", given, frozenset(secret_specs(given, REFERENCE)), REFERENCE)
    label = {"label": LABEL_SERVICE, "value": service}
    (found,) = (
        resource.inputs
        for resource in record(config, {})
        if resource.type == CONTAINER and label in resource.inputs["labels"]
    )
    return found


def uploads(service: str, values: dict[str, Any] | None = None) -> dict[str, str]:
    found = inputs_of(f"{service}-config", values)["uploads"]
    return {upload["file"]: upload["content"] for upload in found}


def placed(server: Any, secret: str | None = None) -> Placed[Any]:  # noqa: ANN401 - a server of any kind
    return Placed(system="academy", server=server, secret=secret)


def mongo(**values: Any) -> mongodb.MongodbServer:  # noqa: ANN401 - any field
    return mongodb.MongodbServer(**{"address": "db:27017", **values})


def secret_text(part: Any, file: str, servers: list[Placed[Any]], values: dict[str, str]) -> str:  # noqa: ANN401
    """The text of a file with secrets, as the part's descriptor makes it."""
    here = Here(settings=part.settings(), servers=tuple(servers), files={}, gateway="172.30.90.1", source="x")
    (run,) = part.runs(here)
    text = run.files.secrets[file]
    assert set(text.names) == {server.secret for server in servers if server.secret}
    found: str = text.text(values)
    return found


def test_a_mongodb_without_a_user_is_reached_by_its_address_only() -> None:
    assert mongodb.uris([placed(mongo())], {}, None) == "mongodb://db:27017/"


def test_a_mongodb_password_is_quoted_for_a_connection_string() -> None:
    server = placed(mongo(user="monitoring"), "key")
    found = mongodb.uris([server], {"key": "p@ss,w/rd %:"}, None)
    assert found == "mongodb://monitoring:p%40ss%2Cw%2Frd%20%25%3A@db:27017/?authSource=admin"


def test_each_mongodb_has_the_password_of_its_own_secret() -> None:
    servers = [placed(mongo(address="a:1", user="monitoring"), "one"), placed(mongo(address="b:2", user="me"), "two")]
    assert mongodb.uris(servers, {"one": "first", "two": "second"}, None) == (
        "mongodb://monitoring:first@a:1/?authSource=admin,mongodb://me:second@b:2/?authSource=admin"
    )


def test_a_mongodb_is_reached_by_tls_with_the_configured_ca() -> None:
    tls = [placed(mongo(tls=True))]
    assert mongodb.uris(tls, {}, None) == "mongodb://db:27017/?tls=true"
    assert mongodb.uris(tls, {}, "/a/ca.pem") == "mongodb://db:27017/?tls=true&tlsCAFile=/a/ca.pem"
    assert mongodb.uris([placed(mongo())], {}, "/a/ca.pem") == "mongodb://db:27017/"


def test_elasticsearch_credentials_are_written_as_the_exporter_reads_them() -> None:
    servers = [
        placed(elasticsearch.ElasticsearchServer(address="a:9200", user="me"), "key"),
        placed(elasticsearch.ElasticsearchServer(address="c:9200")),
    ]
    found = load_yaml(elasticsearch.modules(servers, {"key": "p:w"}))
    assert found == {
        "auth_modules": {"a:9200": {"type": "userpass", "userpass": {"username": "me", "password": "p:w"}}}
    }


def test_a_postgres_password_is_escaped_for_the_password_file() -> None:
    server = placed(postgres.PostgresServer(address="db:5432", database="shop"), "key")
    text = secret_text(postgres.PART, "passwords", [server], {"key": r"a:b\c"})
    assert text.splitlines()[1:] == [r"db:5432:shop:monitoring:a\:b\\c"]


def test_a_postgres_role_without_a_password_has_no_line() -> None:
    server = placed(postgres.PostgresServer(address="db:5432", password=False))
    assert len(secret_text(postgres.PART, "passwords", [server], {}).splitlines()) == 1


def test_redis_passwords_are_keyed_by_the_target_address() -> None:
    server = redis.RedisServer(address="cache:6379", tls=True, user="exporter", password=True)
    text = secret_text(redis.PART, "passwords.json", [placed(server, "key")], {"key": "s"})
    assert json.loads(text) == {"rediss://exporter@cache:6379": "s"}


def test_a_cluster_without_a_user_is_queried_without_signing_in() -> None:
    values = {"systems": {"depot": {"elasticsearch": [{"address": "a:9200", "tls": False}]}}}
    (job,) = (job for job in jobs(stack_config("staging", values)) if job.name == "elasticsearch")
    assert job.targets[0].labels == {"system": "depot", "instance": "a:9200", "__param_target": "http://a:9200"}


@pytest.mark.parametrize(
    ("service", "file"),
    [
        ("mongodb-exporter", "uris"),
        ("elasticsearch-exporter", "sign-in.yaml"),
        ("postgres-exporter", "passwords"),
        ("redis-exporter", "passwords.json"),
    ],
)
def test_passwords_are_passed_only_as_a_file(service: str, file: str) -> None:
    assert uploads(service)[f"/staging/{file}"] == HIDDEN
    assert HIDDEN not in json.dumps(inputs_of(service))


@pytest.mark.parametrize("service", ["mongodb-exporter", "elasticsearch-exporter"])
def test_an_exporter_that_reads_its_files_at_start_is_replaced_with_them(service: str) -> None:
    assert any(env.startswith("OBS_FILES_INSTALLED_BY=") for env in inputs_of(service)["envs"])


def test_the_shell_of_the_mongodb_exporter_comes_from_an_image_that_has_one() -> None:
    loader, exporter = inputs_of("mongodb-exporter-config"), inputs_of("mongodb-exporter")
    assert loader["image"] == stack_config().settings.image("busybox")
    assert "cp /bin/busybox ." in loader["entrypoints"]
    assert exporter["entrypoints"][0] == exporter["healthcheck"]["tests"][1] == f"{mongodb.FILES}/busybox"


def test_a_ca_certificate_is_stored_where_the_exporter_expects_it() -> None:
    for service in ("mongodb-exporter", "elasticsearch-exporter"):
        section = f"{service.partition('-')[0]}Exporter"
        found = uploads(service, {section: {"enabled": True, "ca": "files/ca.pem"}})
        assert found["/staging/ca.pem"].startswith("-----BEGIN CERTIFICATE-----")
        assert "/staging/ca.pem" not in uploads(service)


@pytest.mark.parametrize("ca", ["files/none.pem", "files/targets.yaml", "/etc/ca.pem"])
def test_a_ca_that_is_not_an_existing_certificate_is_refused_by_path(ca: str) -> None:
    with pytest.raises(ConfigError, match=r"mongodbExporter\.ca"):
        stack_config("dev", {"mongodbExporter": {"ca": ca}})


def test_postgres_exporter_gets_the_collectors_and_the_query_that_rules_need() -> None:
    command = inputs_of("postgres-exporter")["command"]
    assert set(postgres.COLLECTORS) <= set(command)
    (path,) = (word.partition("=")[2] for word in command if word.startswith("--extend.query-path="))
    assert path == f"{postgres.FOLDER}/current/postgres-queries.yaml"
    (query,) = load_yaml(uploads("postgres-exporter")["/staging/postgres-queries.yaml"])
    assert query == "pg_index_usage"


@pytest.mark.parametrize("address", ["db", "mongodb://db:27017", "user@db:27017"])
def test_an_address_that_is_not_host_and_port_is_refused_by_path(address: str) -> None:
    with pytest.raises(ConfigError, match=r"systems\.academy\.mongodb\[0\]\.address"):
        stack_config("dev", {"systems": {"academy": {"mongodb": [{"address": address}]}}})


def test_named_servers_of_one_system_have_separate_passwords() -> None:
    values = {
        "systems": {
            "depot": {"postgres": [{"address": "a:5432", "name": "main"}, {"address": "b:5432", "name": "reports"}]}
        }
    }
    config = stack_config("staging", values)
    assert [one.secret for one in config.servers("postgres-exporter")] == [
        "depotPostgresMainPassword",
        "depotPostgresReportsPassword",
    ]


def test_an_own_exporter_gets_its_secrets_as_files_and_variables_from_files() -> None:
    found = {
        service: inputs_of(service, {"exporters": FULL["exporters"]})
        for service in ("shop-exporter", "shop-exporter-config")
    }
    exporter, loader = found["shop-exporter"], found["shop-exporter-config"]
    texts = {upload["file"]: upload["content"] for upload in loader["uploads"]}
    assert texts["/staging/password"] == texts["/staging/token"] == HIDDEN
    assert texts["/staging/etc-shop-shop.yaml"] == "interval: 1m\n"
    script = exporter["entrypoints"][3]
    assert 'export SHOP_PASSWORD="$(/run/obs/current/busybox cat /run/obs/current/password)"' in script
    assert exporter["entrypoints"][-2:] == ["/bin/shop_exporter", "--config=/run/obs/current/etc-shop-shop.yaml"]
    assert "SHOP_TOKEN_FILE" in json.dumps(exporter["envs"])
    assert "LEVEL" in json.dumps(exporter["envs"])
    assert exporter["capabilities"]["adds"] == ["NET_RAW"]
    assert HIDDEN not in json.dumps(exporter)


def test_an_own_exporter_may_belong_to_a_system() -> None:
    found = {job.name: job.targets for job in jobs(stack_config("staging", FULL))}
    assert found["shop-exporter"][0].labels["system"] == "depot"
    assert found["rabbitmq"][0].labels["system"] == "platform"


def test_an_own_exporter_whose_variables_need_a_shell_states_its_program() -> None:
    exporter = {"name": "shop", "image": "a/b:1", "port": 1, "secrets": {"key": {"env": "KEY"}}}
    with pytest.raises(ConfigError, match=r"exporters\[0\].*secrets\.key\.env") as caught:
        stack_config("staging", {"exporters": [exporter]})
    assert "entrypoint" in caught.value.fix


def test_an_own_exporter_with_the_name_of_another_job_is_refused() -> None:
    others = {**FULL, "exporters": []}
    names = {job.job_name or job.name for job in jobs(stack_config("staging", others))}
    assert {"node", "containers", "postgres"} <= names
    for name in names - set(PINS):
        exporters = [{"name": one, "image": "a/b:1", "port": 1} for one in ("fine", name)]
        with pytest.raises(ConfigError, match=r"exporters\[1\]\.name: .* is the name of another scrape job"):
            jobs(stack_config("staging", {**others, "exporters": exporters}))
