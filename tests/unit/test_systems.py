"""The systems' files: the five are complete, and invalid content is refused by path, with the fix."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic.alias_generators import to_snake

from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.settings.load import ROOT, validate
from observability.systems import schema
from observability.systems.infrastructure import INFRASTRUCTURE
from observability.systems.load import load, load_file, names
from observability.systems.model import System
from observability.systems.resolve import amount, selectors, thresholds
from observability.systems.thresholds import THRESHOLDS
from tests.unit.conftest import REFERENCE

SYSTEMS = load(REFERENCE)

REFUSALS = load_yaml((Path(__file__).parent / "files/refusals.yaml").read_text())
"""Invalid content of a file, and its error."""

SHOP: dict[str, Any] = {
    "title": "Shop",
    "team": "shop",
    "scrape": {"port": 3000},
    "exporters": ["redis"],
    "series": {
        "requests_total": {"kind": "counter", "labels": ["route", "status"], "help": "Requests."},
        "request_duration_seconds": {"kind": "histogram", "labels": ["route"], "buckets": "http", "help": "Time."},
        "query_duration_ms": {"kind": "histogram", "labels": ["operation"], "buckets": "database", "help": "Time."},
        "pool_size": {"kind": "gauge", "help": "Connections."},
        "pool_used": {"kind": "gauge", "help": "Connections in use."},
        "memory_bytes": {"kind": "gauge", "help": "Memory."},
    },
    "signals": {
        "httpRequests": {"series": "requests_total", "route": "route", "status": "status"},
        "httpLatency": {"series": "request_duration_seconds", "route": "route"},
        "dbLatency": {"series": "query_duration_ms", "operation": "operation"},
        "dbPool": {"size": {"series": "pool_size"}, "used": {"series": "pool_used"}},
        "processMemory": {"used": {"series": "memory_bytes"}},
    },
    "thresholds": {
        "errorRatio": {"warning": "1%", "critical": 0.05},
        "responseTime": {"quantile": "p95", "warning": "500ms", "critical": "1s"},
        "dbPoolRatio": {"warning": "80%", "critical": "95%"},
    },
    "slos": {"availability": {"objective": "99.9%"}, "latency": {"objective": "99%", "target": "1s"}},
    "figures": [{"title": "Requests", "series": "requests_total", "by": ["status"]}],
}
"""A minimal valid system."""


def shop(path: str = "", value: Any = None) -> dict[str, Any]:  # noqa: ANN401 - whatever a file may say
    """The small system with one field set, or (None) removed."""
    document = copy.deepcopy(SHOP)
    if path:
        *above, last = path.split(".")
        section = document
        for key in above:
            section = section.setdefault(key, {})
        if value is None:
            del section[last]
        else:
            section[last] = value
    return document


def loaded(folder: Path, document: object, name: str = "shop") -> System:
    path = folder / "systems" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return load_file(path)


def refused(folder: Path, document: object, name: str = "shop") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, document, name)
    assert "\n" not in caught.value.what
    assert "\n" not in caught.value.fix
    return caught.value


def values_of(system: System) -> dict[tuple[str, str], tuple[float, str | None]]:
    return {(one.name, one.severity): (one.value, one.quantile) for one in thresholds(system)}


def test_the_five_systems_are_loaded_in_order_under_the_names_of_their_files() -> None:
    assert list(SYSTEMS) == ["academy", "depot", "hospital", "print-shop", "studio"]
    assert all(system.name == name for name, system in SYSTEMS.items())


UNREAD = {"studio": {"error_rate"}}
"""Series that a system exposes and nothing may read: the share of errors is computed from the counters."""


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_declared_series_is_read_by_a_signal_or_a_figure(name: str) -> None:
    system = SYSTEMS[name]
    read = {one.series for _, one in selectors(system.signals) if one.job is None}
    read |= {figure.series for figure in system.figures}
    assert set(system.series) - read == UNREAD.get(name, set())
    assert read <= set(system.series)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_has_both_objectives_of_the_requirements(name: str) -> None:
    slos = SYSTEMS[name].slos
    assert slos.availability is not None
    assert slos.latency is not None
    assert (slos.availability.objective, slos.latency.objective) == (0.999, 0.99)


def test_a_minimal_valid_system_is_loaded(tmp_path: Path) -> None:
    assert loaded(tmp_path, SHOP).series["query_duration_ms"].unit == "ms"


def test_a_unit_is_the_suffix_of_the_name_unless_the_file_states_another(tmp_path: Path) -> None:
    document = shop("series.sales_usd_total", {"kind": "counter", "help": "Sales."})
    document["series"]["wait"] = {"kind": "histogram", "unit": "ms", "buckets": [1, 10], "help": "Time."}
    series = loaded(tmp_path, document).series
    assert {name: series[name].unit for name in ("request_duration_seconds", "memory_bytes", "pool_size")} == {
        "request_duration_seconds": "seconds",
        "memory_bytes": "bytes",
        "pool_size": "count",
    }
    assert (series["sales_usd_total"].unit, series["wait"].unit) == ("usd", "ms")


def test_named_buckets_are_in_the_unit_of_the_series(tmp_path: Path) -> None:
    series = loaded(tmp_path, SHOP).series
    assert series["request_duration_seconds"].bounds[-1] == 30
    assert series["query_duration_ms"].bounds[0] == 5
    assert series["query_duration_ms"].bounds[-1] == 10_000


def test_a_histogram_without_buckets_is_native_and_accepts_any_target(tmp_path: Path) -> None:
    document = shop("series.request_duration_seconds.buckets")
    document["slos"]["latency"]["target"] = "700ms"
    assert loaded(tmp_path, document).series["request_duration_seconds"].bounds == ()


def test_thresholds_are_in_base_units_with_defaults_where_the_signal_exists(tmp_path: Path) -> None:
    found = values_of(loaded(tmp_path, SHOP))
    assert found["error_ratio", "warning"] == (0.01, None)
    assert found["error_ratio", "critical"] == (0.05, None)
    assert found["response_time", "warning"] == (0.5, "0.95")
    assert found["traffic_deviations", "info"] == (3, None)
    assert found["certificate_validity", "critical"] == (3 * 86_400, None)
    assert not any(name in ("cache_hit_ratio", "orders_week_ratio", "process_memory_ratio") for name, _ in found)


def test_every_default_of_the_infrastructure_has_a_reason() -> None:
    assert [name for name, spec in INFRASTRUCTURE.items() if spec.default and not spec.reason] == []


def test_a_threshold_of_the_stacks_own_parts_is_refused_in_a_systems_file(tmp_path: Path) -> None:
    error = refused(tmp_path, shop("thresholds.ruleFailures", {"critical": 1}))
    assert error.what.startswith("systems/shop.yaml: thresholds.ruleFailures: it is about the stack's own parts")
    assert "observability:systems.platform.thresholds.ruleFailures" in error.fix


def test_a_system_without_requests_has_no_default_threshold_for_them(tmp_path: Path) -> None:
    document = {**SHOP, "signals": {}, "thresholds": {}, "slos": {}}
    assert not {"traffic_deviations", "latency_growth"} & {name for name, _ in values_of(loaded(tmp_path, document))}


def test_the_hosts_of_academy_have_their_own_thresholds() -> None:
    found = values_of(SYSTEMS["academy"])
    assert [
        found[name, severity][0] for name in ("cpu_ratio", "memory_ratio") for severity in ("warning", "critical")
    ] == [
        0.7,
        0.9,
        0.9,
        0.95,
    ]
    assert values_of(SYSTEMS["depot"])["cpu_ratio", "warning"][0] == 0.8


def test_the_cache_of_academy_is_read_from_its_exporter() -> None:
    cache = SYSTEMS["academy"].signals.cache
    assert cache is not None
    assert (cache.hits.job, cache.hits.series) == ("redis", "redis_keyspace_hits_total")


@pytest.mark.parametrize(
    ("written", "unit", "expected"),
    [
        ("5%", "ratio", 0.05),
        ("99.9 %", "ratio", 0.999),
        (0.05, "ratio", 0.05),
        (0, "count", 0),
        ("150%", "factor", 1.5),
        ("1m30s", "seconds", 90),
        (10_000, "count", 10_000),
        ("200GiB", "bytes", 200 * 1024**3),
        ("10 MB", "bytes", 10_000_000),
        (512, "bytes", 512),
    ],
)
def test_a_value_is_read_in_the_unit_of_its_threshold(written: Any, unit: Any, expected: float) -> None:  # noqa: ANN401
    assert amount(written, unit) == expected


@pytest.mark.parametrize("case", REFUSALS, ids=[case["what"] for case in REFUSALS])
def test_an_invalid_system_is_refused_by_path_with_the_fix(tmp_path: Path, case: dict[str, Any]) -> None:
    error = refused(tmp_path, shop(case["field"], case["value"]))
    assert error.what.startswith(f"systems/shop.yaml: {case['what']}")
    assert case["fix"] in error.fix


@pytest.mark.parametrize("slo", ["availability", "latency"])
def test_an_objective_without_its_signal_is_refused(tmp_path: Path, slo: str) -> None:
    document = {**SHOP, "signals": {}, "thresholds": {}, "slos": {slo: SHOP["slos"][slo]}}
    assert f"slos.{slo}: there is no signals.http" in refused(tmp_path, document).what


@pytest.mark.parametrize("name", ["platform", "Shop", "shop_1", "1shop", "s" * 64])
def test_an_invalid_system_name_is_refused(tmp_path: Path, name: str) -> None:
    assert f"{name!r} cannot be the name of a system" in refused(tmp_path, SHOP, name).what


def test_a_duplicate_series_is_refused_with_its_line(tmp_path: Path) -> None:
    text = "title: A\nseries:\n  a: {kind: gauge, help: A.}\n  a: {kind: counter, help: A.}\n"
    assert "systems/shop.yaml:4:3: not valid YAML: the key 'a' is there twice" in refused(tmp_path, text).what


@pytest.mark.parametrize("text", ["", "- a\n", "text\n"])
def test_a_file_that_is_not_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert re.search(r"systems/shop.yaml: is (empty|a list|plain text), no mapping", refused(tmp_path, text).what)


def test_a_sixth_system_is_watched_because_of_its_file_only(tmp_path: Path) -> None:
    loaded(tmp_path, SHOP, "sixth")
    config = validate("dev", {"systems": {"sixth": {}}}, frozenset(), tmp_path)
    assert list(config.systems) == ["sixth"]
    assert {one.system for one in config.thresholds} == {"sixth", "platform", "unassigned"}


def test_names_are_listed_without_reading_a_file(tmp_path: Path) -> None:
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "b.yaml").write_text("not: [yaml\n")
    (tmp_path / "systems" / "a.yml").write_text("")
    assert names(tmp_path) == ("a", "b")


def test_the_committed_schema_is_current_and_every_file_names_it() -> None:
    assert schema.PATH.read_text(encoding="utf-8") == schema.text(), "run: make schema"
    for path in (ROOT / "systems").glob("*.yaml"):
        assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n")


def test_the_schema_has_every_threshold_and_no_system_name() -> None:
    properties = json.loads(schema.text())["properties"]
    assert "name" not in properties
    assert len(properties["thresholds"]["properties"]) == len(THRESHOLDS)
    assert properties["thresholds"]["additionalProperties"] is False


def test_every_field_is_described_in_the_schema() -> None:
    document = json.loads(schema.text())
    definitions = document["$defs"]
    bare = [
        f"{title}.{name}"
        for title, section in [*definitions.items(), ("System", document)]
        for name, field in section["properties"].items()
        if "description" not in {**definitions.get(field.get("$ref", "").rpartition("/")[2], {}), **field}
    ]
    assert bare == []


def test_the_registry_names_signals_that_exist_and_defaults_in_its_own_severities() -> None:
    aliases = {info.alias for info in type(SYSTEMS["depot"].signals).model_fields.values()}
    for name, spec in THRESHOLDS.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*(_\d[hd])?", name)
        assert spec.signal is None or spec.signal.split(".")[0] in aliases
        assert set(spec.default) <= set(spec.severities)


@pytest.mark.parametrize(("field", "value"), [("responseTime", "30s"), ("dbQueryTime", "10s")])
def test_a_threshold_at_the_highest_bucket_bound_is_accepted(tmp_path: Path, field: str, value: str) -> None:
    """A share of requests is evaluated, so the highest upper bound itself is a threshold that can be measured."""
    document = shop(f"thresholds.{field}", {"quantile": "p95", "warning": value})
    assert (to_snake(field), "warning") in values_of(loaded(tmp_path, document))
