"""Which containers a changed secret restarts, and how the others read it while they run."""

import hashlib
import json
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, Final

import pytest

from components.grafana import resources
from observability.logs import inputs
from observability.operations.rotation import Effects, effects
from observability.synth import record as recording
from observability.synth.declared import CONTAINER, Declared
from observability.synth.record import record
from tests.unit.conftest import FULL, stack_config

_SOURCES: Final = {name: one for name, one in FULL["grafana"]["dataSources"].items() if name != "elasticsearch"}

ALL: Final[dict[str, Any]] = {
    **FULL,
    "goalert": {"enabled": True},
    "elk": {"collector": True},
    # Of its kind there is one data source.
    "grafana": {**FULL["grafana"], "dataSources": _SOURCES},
}

_OF_ELASTICSEARCH: Final = ("elkAdminPassword", "elkGrafanaPassword", "elkSetupPassword")

RESTARTED: Final[dict[str, set[str]]] = {
    "lokiS3Credentials": {"loki"},
    "grafanaAdminPassword": {"grafana"},
    "grafanaOidcSecret": {"grafana"},
    "smtpPassword": {"grafana"},
    "academyMongodbPassword": {"mongodb-exporter"},
    "depotElasticsearchPassword": {"elasticsearch-exporter"},
    "shopExporterPassword": {"shop-exporter"},
    "shopExporterToken": {"shop-exporter"},
    "goalertDatabasePassword": {"goalert", "goalert-postgres"},
    "goalertEncryptionKey": {"goalert"},
    "datadogApiKey": {"datadog-agent"},
    # The salt of its users' passwords is made of it.
    "elkAuthority": {"elasticsearch", "logstash", "kibana", "elasticsearch-exporter", "collector"},
    "elkElasticsearchCertificate": {"elasticsearch"},
    "elkElasticsearchKey": {"elasticsearch"},
    "elkLogstashCertificate": {"logstash"},
    "elkLogstashKey": {"logstash"},
    "elkKibanaCertificate": {"kibana"},
    "elkKibanaKey": {"kibana"},
    "elkKibanaEncryptionKey": {"kibana"},
    **{name: {"elasticsearch"} for name in _OF_ELASTICSEARCH},
    "elkKibanaPassword": {"elasticsearch", "kibana"},
    "elkLogstashPassword": {"elasticsearch", "logstash"},
    "elkCollectorPassword": {"logstash", "collector"},
    "platformElasticsearchElkPassword": {"elasticsearch", "elasticsearch-exporter"},
    # The agent reads what Prometheus does, whose configuration has it.
    "depotScrapeToken": {"datadog-agent"},
    "hospitalScrapePassword": {"datadog-agent"},
    "studioScrapeKey": {"datadog-agent"},
    "edgeAuthorityCertificate": {"edge", "db-1/collector", "web-2/collector"},
    "edgeAuthorityCertificateNext": {"db-1/collector", "web-2/collector"},
    "edgeAuthorityCertificatePrevious": {"db-1/collector", "web-2/collector"},
    "edgeAuthorityKey": {"edge"},
    "hostDb1EdgeToken": {"edge", "db-1/collector"},
    "hostDb1EdgeTokenPrevious": {"edge"},
    "hostWeb2EdgeToken": {"edge", "web-2/collector"},
    "hostWeb2EdgeTokenPrevious": {"edge"},
}
"""The services that read a secret at their start alone, by the secret."""

RELOADED: Final = {"alertmanager", "prometheus", "redis-exporter"}
"""Services that are told of new files by a request, which the loader sends."""

PER_CONNECTION: Final = {"postgres-exporter", "blackbox-exporter"}
"""libpq's password file is read at every connection, a probe's secret at every probe.

tests/servers/test_secret_readers.py and test_probes.py prove it, and a reload.
"""

PER_RUN: Final = {"backup"}
"""restic is started for each backup with the file of its password; tests/servers/test_backup.py proves it."""

BY_THE_CLOCK: Final = {"collector"}
"""The key of the syslog listeners is read again at an interval."""


@lru_cache(maxsize=1)
def values() -> dict[str, str]:
    return {name: f"value of {name}" for name in stack_config("dev", ALL).secrets}


@cache
def declared(*changed: str) -> list[Declared]:
    """Everything the stack declares, with other values of these secrets.

    As for the engine, the id of a container that is made anew is another one. What is in Grafana takes most of the
    time and is no container: it is left out.
    """
    plain = recording._Outputs.new_resource

    def numbered(self: Any, args: Any) -> Any:  # noqa: ANN401 - the SDK's own types
        _, state = plain(self, args)
        digest = hashlib.sha256(json.dumps(args.inputs, sort_keys=True, default=str).encode()).hexdigest()
        return f"{args.name}-{digest[:12]}-id", state

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(resources, "GrafanaContent", lambda *_: None)
        patched.setattr(recording._Outputs, "new_resource", numbered)
        return record(stack_config("dev", ALL), {}, {**values(), **{name: f"another {name}" for name in changed}})


@pytest.fixture(scope="module")
def before() -> list[Declared]:
    return declared()


@pytest.mark.parametrize("name", sorted(RESTARTED))
def test_a_service_that_reads_a_secret_at_its_start_is_restarted(name: str, before: list[Declared]) -> None:
    found = effects(before, declared(name))
    assert set(found.restarted) == RESTARTED[name]
    assert {service.rpartition("/")[2] for service in found.running} <= {"prometheus", "alertmanager"}


def test_no_other_secret_restarts_anything(before: list[Declared]) -> None:
    found = effects(before, declared(*(values().keys() - RESTARTED)))
    assert found.restarted == ()
    assert set(found.running) == RELOADED | PER_CONNECTION | PER_RUN | BY_THE_CLOCK


def test_what_reads_a_secret_while_it_runs_is_told_or_reads_it_again(before: list[Declared]) -> None:
    loaders = {one.inputs["name"]: one for one in before if one.type == CONTAINER and one.inputs.get("attach")}
    for service in RELOADED:
        (reload,) = [
            word
            for word in loaders[f"obs-dev-{service}-config"].inputs["entrypoints"]
            if word.startswith(f"http://{service}:")
        ]
        assert reload.endswith("/-/reload")
    (exporter,) = (one for one in before if one.inputs.get("name") == "obs-dev-postgres-exporter")
    assert any(word.startswith("PGPASSFILE=") for word in exporter.inputs["envs"])
    listeners = inputs.receivers(stack_config("dev", ALL), None)
    (tls,) = [one["tcp"]["tls"] for one in listeners.values() if "tls" in one.get("tcp", {})]
    assert tls["reload_interval"] == inputs.RENEWED


@pytest.mark.parametrize("name", sorted(RESTARTED))
def test_the_inputs_of_a_restarted_container_differ(name: str, before: list[Declared]) -> None:
    first, second = running(before), running(declared(name))
    assert {key.replace("None/", "").replace("obs-dev-", "") for key in first if first[key] != second[key]} == (
        RESTARTED[name]
    )


def running(declared: Iterable[Declared]) -> dict[str, str]:
    """The inputs of every container that stays."""
    return {
        f"{one.host}/{one.inputs['name']}": json.dumps(one.inputs, sort_keys=True)
        for one in declared
        if one.type == CONTAINER and not one.inputs.get("attach")
    }


def test_a_declaration_that_is_the_same_restarts_nothing(before: list[Declared]) -> None:
    again = declared.__wrapped__()
    assert again is not before
    assert effects(before, again) == Effects(restarted=(), running=())
