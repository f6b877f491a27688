"""Mistakes in what the systems expose: unbounded labels, false readiness, timestamps that cannot be parsed."""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final, cast

import httpx
import pytest
from pydantic import ValidationError

from demo.conditions import Conditions
from demo.errors import UnavailableError
from demo.health import Dependency, Health
from demo.log import JsonFormatter
from demo.metrics import Metrics
from demo.server import Server, Service
from observability.check import exposition
from observability.core import http
from observability.core.documents import load_yaml
from observability.logs.formats import FORMATS, Json
from observability.settings.load import ROOT
from observability.systems.model import System

RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

SYSTEMS: Final = sorted((ROOT / "systems").glob("*.yaml"))


@pytest.mark.parametrize("path", SYSTEMS, ids=lambda path: path.stem)
def test_a_counter_with_a_user_id_label_is_refused(path: Any) -> None:  # noqa: ANN401 - a path
    document = {"name": path.stem, **load_yaml(path.read_text())}
    System.model_validate(document)
    name, spec = next((name, spec) for name, spec in document["series"].items() if spec["kind"] != "gauge")
    document["series"][name] = {**spec, "labels": [*spec.get("labels", ()), "user_id"]}
    with pytest.raises(ValidationError, match="user_id"):
        System.model_validate(document)


def routes(text: str) -> set[str]:
    """Values of the label `route`."""
    samples = (sample for family in exposition.read(text).values() for sample in family.samples)
    return {value for sample in samples for label, value in sample.labels if label == "route"}


def test_a_path_that_no_route_matches_is_not_a_route() -> None:
    paths = [f"/wp-admin/{number}" for number in range(20)]
    metrics = Metrics()
    before = routes(metrics.text().decode())
    with served(metrics) as client:
        for path in paths:
            assert client.get(path).status_code == HTTPStatus.NOT_FOUND
    assert len(routes(metrics.text().decode()) - before) <= 1
    assert not routes(metrics.text().decode()) & set(paths)
    original = Metrics()
    for path in paths:
        original.request("GET", path, 404, 1.0)
    assert len(routes(original.text().decode()) - before) == len(paths)


@contextmanager
def served(metrics: Metrics) -> Iterator[httpx.Client]:
    """The demo's HTTP port, without a store."""
    service = Service(store=cast("Any", None), health=Health(()), metrics=metrics, how=Conditions, work=0)
    server = Server(0, service)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        with http.client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as client:
            yield client
    finally:
        server.shutdown()
        server.server_close()


Answer = Callable[[str], tuple[HTTPStatus, Mapping[str, object]] | None]


def says_when_it_is_not_ready(answer: Answer) -> bool:
    """Whether a service that cannot work reports it by its status code."""
    found = answer("/health/ready")
    return found is not None and found[0] == HTTPStatus.SERVICE_UNAVAILABLE


def test_a_service_that_is_not_ready_returns_503() -> None:
    def away() -> None:
        raise UnavailableError("database: connection refused")

    def original(path: str) -> tuple[HTTPStatus, Mapping[str, object]] | None:  # noqa: ARG001 - as ours
        return HTTPStatus.OK, {"status": "not ready"}

    ours = Health((Dependency(name="database", required=True, ping=away),))
    assert says_when_it_is_not_ready(ours.answer)
    assert not says_when_it_is_not_ready(original)
    assert not says_when_it_is_not_ready(Health(()).answer)


def readable(line: str) -> bool:
    """Whether a line's time is as RFC 3339 writes it, so that the collector need not guess its zone."""
    return RFC_3339.fullmatch(json.loads(line)["timestamp"]) is not None


def test_a_line_of_the_log_has_the_time_in_the_form_that_the_collector_reads() -> None:
    record = logging.makeLogRecord({"msg": "hello", "levelname": "INFO", "name": "test"})
    assert readable(JsonFormatter("social-selling").format(record))
    assert not readable(json.dumps({"timestamp": "2026-01-15 10:30:45", "message": "as the original wrote it"}))
    (fields,) = [one.fields for one in FORMATS["json"].extract if isinstance(one, Json)]
    assert fields[FORMATS["json"].time][0] == ("timestamp",)
