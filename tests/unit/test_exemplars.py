"""Exemplars: kept by Prometheus, shown on panels of latency; without them no trace of either."""

import json
from typing import Any

from dashboards.queries import panels
from dashboards.registry import dashboards
from observability.core.documents import load_yaml
from observability.scrape import prometheus
from observability.settings.load import StackConfig
from tests.unit.conftest import declared_by, stack_config

OFF = stack_config("dev", {"prometheus": {"exemplars": 0}})


def shown(config: StackConfig) -> dict[tuple[str, str], dict[str, Any]]:
    """The panels with exemplars, by dashboard and title."""
    found = {}
    for entry in dashboards(config):
        document = json.loads(entry.text)
        for panel in panels(document):
            if any(target.get("exemplar") for target in panel["targets"]):
                found[document["uid"], panel["title"]] = panel
    return found


def flags(config: StackConfig) -> list[str]:
    (server,) = [one for one in declared_by(config) if one.name == "prometheus-server-container"]
    return [word for word in server.inputs["command"] if word.startswith("--enable-feature")]


def storage(config: StackConfig) -> dict[str, Any]:
    found: dict[str, Any] = load_yaml(prometheus.files(config, {})["prometheus.yaml"]).get("storage", {})
    return found


def test_panels_of_latency_show_exemplars_of_the_systems_own_buckets() -> None:
    config = stack_config("dev")
    found = shown(config)
    for name, system in config.systems.items():
        latency = system.signals.http_latency
        if latency is None or latency.series not in system.series:
            assert (f"{name}-application", "Response Time Percentiles") not in found
            continue
        panel = found[f"{name}-application", "Response Time Percentiles"]
        (target,) = [one for one in panel["targets"] if one.get("exemplar")]
        # Recorded series have no exemplars: these are the selectors that Grafana asks for them.
        assert f"{latency.series}_bucket{{" in target["expr"]
        unit = system.series[latency.series].unit
        assert panel["fieldConfig"]["defaults"]["unit"] == ("ms" if unit == "ms" else "s")
    assert len({dashboard for dashboard, _ in found}) > 1


def test_prometheus_keeps_as_many_exemplars_as_the_settings_say() -> None:
    config = stack_config("dev", {"prometheus": {"exemplars": 5000}})
    assert storage(config)["exemplars"] == {"max_exemplars": 5000}
    assert flags(config) == ["--enable-feature=exemplar-storage"]


def test_without_exemplars_neither_panel_nor_flag_nor_storage_remains() -> None:
    assert shown(OFF) == {}
    texts = "".join(entry.text for entry in dashboards(OFF))
    assert "links to it" not in texts
    assert "Response Time Percentiles" in texts
    assert "exemplars" not in storage(OFF)
    assert flags(OFF) == []
