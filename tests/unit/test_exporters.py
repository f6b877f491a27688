"""Exporters: how each is told whom it watches and how to sign in there, by files and not by what Docker shows."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from components.exporters import elasticsearch, mongodb, passwords, postgres
from observability.core.errors import ConfigError
from observability.core.naming import LABEL_SERVICE
from observability.scrape.jobs import jobs
from observability.settings.exporters import ElasticsearchTarget, MongodbTarget
from observability.settings.load import validate
from observability.settings.secrets import SECRETS
from observability.synth.record import CONTAINER, HIDDEN, record
from tests.unit.conftest import FULL, stack_config

EXPORTERS: dict[str, Any] = {
    section: {**FULL[section], "enabled": True}
    for section in ("mongodbExporter", "elasticsearchExporter", "postgresExporter")
}
"""Settings of what is looked at here."""


def inputs_of(service: str, values: dict[str, Any] | None = None, *, secrets: bool = True) -> Mapping[str, Any]:
    """What Docker is told of a service's container; of a stack that has every secret, or none."""
    known = frozenset(SECRETS if secrets else ())
    config = validate("staging", {"profile": "minimal", **EXPORTERS, **(values or {})}, known)
    label = {"label": LABEL_SERVICE, "value": service}
    (found,) = (
        resource.inputs
        for resource in record(config, {})
        if resource.type == CONTAINER and label in resource.inputs["labels"]
    )
    return found


def uploads(service: str, values: dict[str, Any] | None = None, *, secrets: bool = True) -> dict[str, str]:
    found = inputs_of(f"{service}-config", values, secrets=secrets)["uploads"]
    return {upload["file"]: upload["content"] for upload in found}


def mongo(**values: Any) -> MongodbTarget:  # noqa: ANN401 - any field
    return MongodbTarget(**{"address": "db:27017", "system": "alawael", **values})


def test_a_password_may_hold_whatever_its_line_can() -> None:
    assert passwords.read("# comment\n\na:1:me:p:w d\nb:2:you:\nshort:3\n") == {
        ("a:1", "me"): "p:w d",
        ("b:2", "you"): "",
    }


def test_a_mongodb_without_a_user_is_reached_by_its_address_alone() -> None:
    assert mongodb.uris([mongo()], "db:27017:monitoring:secret", None) == "mongodb://db:27017/"


def test_a_mongodbs_password_is_written_so_that_a_connection_string_can_hold_it() -> None:
    found = mongodb.uris([mongo(user="monitoring")], "db:27017:monitoring:p@ss,w/rd %:\n", None)
    assert found == "mongodb://monitoring:p%40ss%2Cw%2Frd%20%25%3A@db:27017/?authSource=admin"


def test_each_mongodb_has_the_password_of_its_own_address_and_user() -> None:
    known = "a:1:monitoring:first\nb:2:other:second\n"
    servers = [mongo(address=address, user="monitoring") for address in ("a:1", "b:2")]
    assert mongodb.uris(servers, known, None) == "mongodb://monitoring:first@a:1/?authSource=admin,mongodb://b:2/"


def test_a_mongodb_is_reached_by_tls_with_the_authority_that_was_named() -> None:
    assert mongodb.uris([mongo(tls=True)], "", None) == "mongodb://db:27017/?tls=true"
    assert mongodb.uris([mongo(tls=True)], "", "/a/ca.pem") == "mongodb://db:27017/?tls=true&tlsCAFile=/a/ca.pem"
    assert mongodb.uris([mongo()], "", "/a/ca.pem") == "mongodb://db:27017/"


def test_an_elasticsearch_is_signed_in_to_as_the_exporter_reads_it() -> None:
    clusters = [
        ElasticsearchTarget(address="a:9200", user="me", system="erpgo"),
        ElasticsearchTarget(address="b:9200", user="you", system="erpgo"),
        ElasticsearchTarget(address="c:9200", system="erpgo"),
    ]
    found = yaml.safe_load(elasticsearch.modules(clusters, "a:9200:me:p:w\nc:9200:me:unused\n"))
    assert found == {
        "auth_modules": {"a:9200": {"type": "userpass", "userpass": {"username": "me", "password": "p:w"}}}
    }


def test_a_cluster_without_a_user_is_asked_without_signing_in() -> None:
    values = {"elasticsearchExporter": {"targets": [{"address": "a:9200", "tls": False, "system": "erpgo"}]}}
    (job,) = (job for job in jobs(stack_config("dev", values)) if job.name == "elasticsearch")
    assert job.targets[0].labels == {"system": "erpgo", "instance": "a:9200", "__param_target": "http://a:9200"}


@pytest.mark.parametrize(
    ("service", "file"), [("mongodb-exporter", "uris"), ("elasticsearch-exporter", "sign-in.yaml")]
)
def test_passwords_arrive_as_a_file_and_nothing_else(service: str, file: str) -> None:
    assert uploads(service)[f"/staging/{file}"] == HIDDEN
    assert HIDDEN not in json.dumps(inputs_of(service))


@pytest.mark.parametrize("service", ["mongodb-exporter", "elasticsearch-exporter"])
def test_an_exporter_that_reads_its_files_as_it_starts_is_made_anew_with_them(service: str) -> None:
    assert any(env.startswith("OBS_FILES_INSTALLED_BY=") for env in inputs_of(service)["envs"])


def test_the_shell_of_the_mongodb_exporter_comes_from_an_image_that_has_one() -> None:
    loader, exporter = inputs_of("mongodb-exporter-config"), inputs_of("mongodb-exporter")
    assert loader["image"] == stack_config().settings.image("busybox")
    assert "cp /bin/busybox ." in loader["entrypoints"]
    assert exporter["entrypoints"][0] == exporter["healthcheck"]["tests"][1] == f"{mongodb.FILES}/busybox"


@pytest.mark.parametrize("section", ["mongodbExporter", "elasticsearchExporter"])
def test_an_authoritys_certificate_lies_where_the_exporter_is_told(section: str) -> None:
    service = section.replace("E", "-e")
    values = {section: {**EXPORTERS[section], "ca": "tests/unit/files/ca.pem"}}
    found = uploads(service, values, secrets=False)
    assert found["/staging/ca.pem"].startswith("-----BEGIN CERTIFICATE-----")
    told = json.dumps([found, inputs_of(service, values).get("command")])
    assert f"=/etc/{service}/current/ca.pem" in told
    without = json.dumps([uploads(service, secrets=False), inputs_of(service).get("command")])
    assert "ca.pem" not in without


@pytest.mark.parametrize("ca", ["tests/unit/files/none.pem", "tests/unit/files/targets.yaml", "/etc/ca.pem"])
def test_an_authority_that_is_no_certificate_of_the_repository_is_refused_by_path(ca: str) -> None:
    with pytest.raises(ConfigError, match=r"mongodbExporter\.ca"):
        stack_config("dev", {"mongodbExporter": {**FULL["mongodbExporter"], "ca": ca}})


def test_postgres_exporter_is_given_the_collectors_and_the_query_that_the_rules_need() -> None:
    command = inputs_of("postgres-exporter")["command"]
    assert set(postgres.COLLECTORS) <= set(command)
    (path,) = (word.partition("=")[2] for word in command if word.startswith("--extend.query-path="))
    assert path == f"{postgres.FOLDER}/current/postgres-queries.yaml"
    (query,) = yaml.safe_load(uploads("postgres-exporter")["/staging/postgres-queries.yaml"])
    assert query == "pg_index_usage"


@pytest.mark.parametrize("address", ["db", "mongodb://db:27017", "user@db:27017"])
def test_an_address_that_is_more_or_less_than_one_is_refused_by_path(address: str) -> None:
    with pytest.raises(ConfigError, match=r"mongodbExporter\.targets\[0\]\.address"):
        stack_config("dev", {"mongodbExporter": {"targets": [{"address": address, "system": "alawael"}]}})
