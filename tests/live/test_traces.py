"""One request through the demo's front end, followed by the links that a person would click.

Each link is read from the data source or the dashboard that has it, and its query is asked as Grafana would ask it.
"""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from dashboards.datasources import data_sources
from dashboards.queries import panels
from dashboards.registry import dashboards
from observability.core import http
from observability.pictures.series import fill
from observability.settings.load import StackConfig, validate
from tests.live.conftest import DEMO, SETTINGS, STACK, Project, until
from tests.live.test_logs import lines

FAULT: Final = "critical-error-rate"
JAEGER: Final = f"http://127.0.0.1:{SETTINGS['observability:jaeger']['port']}"


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A request that the shop answered with 500; no other request has its method."""

    correlation: str
    trace: str
    group: str
    """Value of `error_kind`."""


@pytest.fixture(scope="module")
def config() -> StackConfig:
    values = {key.partition(":")[2]: value for key, value in SETTINGS.items() if key.startswith("observability:")}
    return validate(STACK, values, frozenset(), complete=False)


@pytest.fixture(scope="module")
def options(config: StackConfig) -> dict[str, Any]:
    """The options of each data source, with its links."""
    return {source.uid: source.options for source in data_sources(config)}


def link(options: dict[str, Any], title: str, value: str) -> str:
    """The query of a link of a log line, for the value of its field."""
    (found,) = [one for one in options["loki"]["derivedFields"] if one["name"] == title]
    return str(found["url"]).replace("${__value.raw}", value)


@pytest.fixture(scope="module")
def failed(stack: Project, options: dict[str, Any]) -> Iterator[Failed]:
    """The request, found by the id that it was sent with."""
    assert stack.obs("fault", "social-selling", FAULT, "--for", "30m", STACK).returncode == 0
    try:
        yield until(lambda: _failed(options), pause=1)
    finally:
        assert stack.obs("fault", "social-selling", FAULT, "--off", STACK).returncode == 0


def _failed(options: dict[str, Any]) -> Failed | None:
    mine = uuid.uuid4().hex
    address = f"{DEMO.shop_address}/api/products/1"
    answer = http.request("PATCH", address, headers={"X-Correlation-ID": mine}, timeout=60)
    if answer.status_code != 500:
        return None
    query = link(options, "All lines of this request", mine)
    labels, _, text = until(lambda: [one for one in lines(query) if one[0].get("fingerprint")])[0]
    assert json.loads(text)["correlation_id"] == mine
    return Failed(correlation=mine, trace=labels["trace_id"], group=labels["error_kind"])


def stored(trace: str) -> list[dict[str, Any]]:
    """The spans of a trace, as the data source Jaeger gets them; empty while there is none."""
    answer = http.get(f"{JAEGER}/api/traces/{trace}", timeout=60)
    if answer.status_code == 404:
        return []
    answer.raise_for_status()
    return [span for found in answer.json()["data"] for span in found["spans"]]


def tags(span: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in span["tags"]}


def test_from_a_line_of_the_request_to_its_trace(failed: Failed, options: dict[str, Any]) -> None:
    spans = until(lambda: stored(link(options, "Trace", failed.trace)), pause=1)
    (server,) = [span for span in spans if tags(span).get("span.kind") == "server"]
    assert tags(server)["correlation_id"] == failed.correlation
    assert tags(server)["http.response.status_code"] == 500
    assert tags(server)["error"] is True


def test_from_the_trace_to_the_lines_of_the_request(failed: Failed, options: dict[str, Any]) -> None:
    query = str(options["jaeger"]["tracesToLogsV2"]["query"]).replace("${__trace.traceId}", failed.trace)
    found = until(lambda: lines(query))
    assert {labels["correlation_id"] for labels, _, _ in found} == {failed.correlation}
    assert {labels["system"] for labels, _, _ in found} == {"social-selling"}


def exemplars(stack: Project, query: str) -> list[dict[str, Any]]:
    """The exemplars that Grafana gets for a query of the last hour."""
    now = time.time()
    answer = stack.prometheus("query_exemplars", query=query, start=f"{now - 3600:.0f}", end=f"{now:.0f}")
    return [{**one["labels"], "of": series["seriesLabels"]} for series in answer for one in series["exemplars"]]


def test_from_the_exemplar_of_the_panel_of_latency_to_the_trace(
    stack: Project, config: StackConfig, failed: Failed, options: dict[str, Any]
) -> None:
    (page,) = [entry for entry in dashboards(config) if entry.uid == "social-selling-application"]
    (panel,) = [one for one in panels(json.loads(page.text)) if one["title"] == "Response Time Percentiles"]
    (asked,) = [target["expr"] for target in panel["targets"] if target.get("exemplar")]
    query = fill(asked, {"$__rate_interval": "1m"}, lambda _: ".*")
    ((destination,), mine) = options["prometheus"]["exemplarTraceIdDestinations"], {"method": "PATCH"}
    found = until(
        lambda: [
            one
            for one in exemplars(stack, query)
            if one["of"].items() >= mine.items() and one[destination["name"]] == failed.trace
        ]
    )
    assert found[0]["of"]["status_code"] == "500"
    assert destination["datasourceUid"] == "jaeger"
    assert until(lambda: stored(found[0][destination["name"]]), pause=1)


def test_from_the_trace_to_response_times_with_exemplars_that_are_traces(
    stack: Project, failed: Failed, options: dict[str, Any]
) -> None:
    linked = options["jaeger"]["tracesToMetrics"]
    (tag,) = linked["tags"]
    (span, *_) = until(lambda: stored(failed.trace), pause=1)
    answer = http.get(f"{JAEGER}/api/traces/{failed.trace}", timeout=60).json()["data"][0]
    process = answer["processes"][span["processID"]]
    known = {one["key"]: one["value"] for one in (*process["tags"], *span["tags"])}
    (asked,) = [one["query"] for one in linked["queries"] if "exemplars" in one["name"]]
    query = asked.replace("$__tags", f'{tag["value"]}="{known[tag["key"]]}"').replace("$__rate_interval", "1m")
    found = until(lambda: exemplars(stack, query))
    assert until(lambda: any(stored(one["trace_id"]) for one in exemplars(stack, query)[-3:]), pause=1)
    assert {one["of"]["system"] for one in found} == {"social-selling"}


def test_from_a_line_of_the_error_to_its_group_and_back_to_the_trace(
    stack: Project, config: StackConfig, failed: Failed, options: dict[str, Any]
) -> None:
    traces = {
        one[0]["trace_id"] for one in until(lambda: lines(link(options, "All errors of this group", failed.group)))
    }
    assert failed.trace in traces
    # The table of groups counts it, and its link shows example lines of that group alone, each with its trace.
    found = f'app:errors_by_fingerprint:count1m{{system="social-selling",error_kind="{failed.group}"}}'
    until(lambda: stack.prometheus("query", query=f"sum_over_time({found}[1h])")["result"])
    (page,) = [entry for entry in dashboards(config) if entry.uid == "obs-errors"]
    (panel,) = [one for one in panels(json.loads(page.text)) if one["title"] == "Example Lines"]
    chosen = {"system": ".*", "group": failed.group}
    query = fill(panel["targets"][0]["expr"], {}, lambda name: chosen[name])
    shown = until(lambda: lines(query))
    assert {labels["error_kind"] for labels, _, _ in shown} == {failed.group}
    assert failed.trace in {labels["trace_id"] for labels, _, _ in shown}


@pytest.mark.parametrize(
    ("client", "server", "kind"),
    [
        ("social-selling-pages", "social-selling", "service"),
        ("social-selling", "postgresql postgres:5432", "database"),
        ("social-selling", "redis redis:6379", "database"),
    ],
)
def test_the_service_graph_has_the_calls_of_the_shop(stack: Project, client: str, server: str, kind: str) -> None:
    edge = f'system="social-selling",client="{client}",server="{server}",kind="{kind}"'
    until(lambda: stack.prometheus("query", query=f"app:service_graph_requests:rate5m{{{edge}}} > 0")["result"])
    seconds = f'app:service_graph_latency_seconds:quantile5m{{{edge},quantile="0.95"}} > 0'
    until(lambda: stack.prometheus("query", query=seconds)["result"])
