"""The recorded samples: of the pinned versions, of every job, small, and without data of a particular machine."""

from pathlib import Path

import pytest

from observability.check.catalogue import SAMPLES
from observability.check.exposition import Family, Sample, head, read, write
from observability.parts import otlp_metrics
from observability.parts.images import PINS
from observability.scrape import labelled
from observability.scrape.jobs import jobs
from tests.metrics.conftest import Judged
from tests.samples.recipes import BY_HAND, RECIPES
from tests.samples.trim import BUCKETS, VALUES, trim

FILES = sorted(SAMPLES.glob("*.prom"))
UNVERIFIED = {"cadvisor-blkio", "grafana", "node-options", "postgres-17", "tempo"}
"""Samples of programs that do not run on the machine that recorded the samples."""

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@every_file
def test_it_states_the_exporter_and_its_version(path: Path) -> None:
    said = head(path.read_text())
    repository = said["exporter"].rpartition(":")[0]
    pinned = {image.rpartition(":")[0]: image for image in PINS.values()}
    # Tempo is not yet part of a stack.
    assert said["exporter"] == pinned.get(repository, "grafana/tempo:3.0.3")


@every_file
def test_it_states_whether_it_was_recorded(path: Path) -> None:
    said = head(path.read_text())
    assert ("unverified" in said) is (path.stem in UNVERIFIED)
    assert ("recorded" in said) is (path.stem in RECIPES.keys() | BY_HAND.keys())


@every_file
def test_it_is_as_the_recorder_writes_it(path: Path) -> None:
    text = path.read_text()
    families = read(text)
    assert write(head(text), families.values()) == text
    assert all(family.samples or family.kind for family in families.values())


@every_file
def test_it_contains_nothing_about_the_machine_it_was_recorded_on(path: Path) -> None:
    families = read(path.read_text()).values()
    values = {label: set[str]() for label in ("mountpoint", "nodename", "instance", "server", "host")}
    for family in families:
        for sample in family.samples:
            for label, value in sample.labels:
                values.get(label, set()).add(value)
    assert values["mountpoint"] <= {"/"}
    assert values["nodename"] <= {"host"}
    assert values["server"] <= {"engine", "primary:5432", "srv0", "srv1"}
    assert values["host"] <= {"127.0.0.1", "loki:3100", "example"}


def test_every_job_of_a_stack_but_the_systems_own_has_a_sample(everything: Judged) -> None:
    systems = {system.job for system in everything.config.systems.values()}
    # What a container or a service of no system exposes or sends is its own; rules read none of it.
    added = {exporter.name for exporter in everything.config.settings.exporters} | {labelled.JOB, otlp_metrics.JOB}
    recorded = {head(path.read_text())["job"] for path in FILES}
    assert {job.name for job in jobs(everything.config)} - systems - added <= recorded


def test_of_similar_series_a_few_are_kept_for_each_set_of_labels() -> None:
    many = [Sample("x", (("code", str(number)), ("zone", "a"))) for number in range(50)]
    other = [Sample("x", (("code", "1"),))]
    (kept,) = trim({"x": Family("x", "counter", [*many, *other])}, {})
    assert len(kept.samples) == VALUES + 1
    assert other[0] in kept.samples


def test_few_bounds_of_a_histogram_are_kept_and_always_infinity() -> None:
    bounds = [Sample("x_bucket", (("le", bound),)) for bound in ("0.1", "0.5", "1", "+Inf")]
    (kept,) = trim({"x": Family("x", "histogram", bounds)}, {})
    assert len(kept.samples) == BUCKETS
    assert Sample("x_bucket", (("le", "+Inf"),)) in kept.samples


def test_values_specific_to_one_machine_are_replaced_or_omitted() -> None:
    samples = [Sample("x", (("device", device),)) for device in ("/dev/nvme0n1p1", "/dev/vdb", "veth1234")]
    (kept,) = trim({"x": Family("x", "gauge", samples)}, {"device": {"/dev/.*": "/dev/sda1"}})
    assert kept.samples == [Sample("x", (("device", "/dev/sda1"),))]


def test_an_exposition_is_read_with_escapes_types_and_timestamps() -> None:
    text = (
        "# HELP a Some help.\n# TYPE a counter\n"
        'a{path="C:\\\\x",quote="\\"",line="\\n"} 1 1700000000000\n'
        "# TYPE b histogram\n"
        'b_bucket{le="+Inf"} 2\nb_sum 1\nb_count 2\n'
        "c 3\n"
    )
    families = read(text)
    assert {name: family.kind for name, family in families.items()} == {
        "a": "counter",
        "b": "histogram",
        "c": "untyped",
    }
    assert dict(families["a"].samples[0].labels) == {"path": "C:\\x", "quote": '"', "line": "\n"}
    assert [sample.name for sample in families["b"].samples] == ["b_bucket", "b_sum", "b_count"]
    assert str(families["a"].samples[0]) == r'a{line="\n",path="C:\\x",quote="\""}'


@pytest.mark.parametrize("line", ["a{b} 1", "a{b=1} 1", "{} 1", "a"])
def test_a_line_that_is_not_a_sample_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not"):
        read(line)
