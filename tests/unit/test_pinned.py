"""What `obs system check` reports where the pinned Prometheus itself was given the page."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from observability.check import pinned
from observability.check.pinned import SilentError, Stored, findings
from observability.cli.app import app
from observability.parts.registry import images
from observability.systems.exposition import read
from tests.unit.metrics_server import serving

PAGE = '# TYPE a counter\na{route="/x"} 3\nb NaN\n'
SYSTEM = """title: Shop
team: shop
scrape: {port: 8080}
series:
  a: {kind: counter, labels: [route], help: Requests.}
"""
SERIES: dict[pinned.Series, float] = {("a", (("route", "/x"),)): 3.0, ("b", ()): float("nan")}


def stored(series: dict[pinned.Series, float], refusal: str | None = None) -> Stored:
    return Stored(version="3.15.0", refusal=refusal, series=series)


def found(page: str, series: dict[pinned.Series, float]) -> list[tuple[str, str]]:
    now = int(time.time() * 1000)
    return [(one.verdict, one.detail) for one in findings(read(page.encode(), "text/plain"), stored(series), now)]


def test_nothing_is_found_where_both_read_the_same() -> None:
    assert found(PAGE, SERIES) == []


def test_a_series_that_prometheus_does_not_store_is_an_error() -> None:
    assert found(PAGE, {("b", ()): float("nan")}) == [("differs", 'Prometheus 3.15.0 does not store a{route="/x"}')]


def test_several_series_that_are_not_stored_are_counted() -> None:
    assert found(PAGE, {}) == [("differs", 'Prometheus 3.15.0 does not store 2 series, like a{route="/x"}')]


def test_a_series_or_a_value_that_was_read_differently_is_doubtful() -> None:
    more = {**SERIES, ("c", ()): 1.0}
    assert found(PAGE, more) == [("doubtful", "Prometheus 3.15.0 stores c, which was not read here")]
    other = {**SERIES, ("a", (("route", "/x"),)): 4.0}
    assert found(PAGE, other) == [("doubtful", 'Prometheus 3.15.0 stores another value of a{route="/x"}')]


def test_of_a_series_sent_twice_the_first_sample_counts() -> None:
    assert found("a 1\na 2\n", {("a", ()): 1.0}) == []


def test_samples_whose_timestamps_prometheus_may_drop_are_not_expected() -> None:
    long_ago = int((time.time() - 3 * 3600) * 1000)
    assert found(f"a 1 {long_ago}\n", {}) == []


def test_a_page_that_the_reader_refuses_and_prometheus_accepts_is_doubtful() -> None:
    (one,) = findings(None, stored(SERIES), None)
    assert one.verdict == "doubtful"
    assert "takes it and stores 2 series" in one.detail


def test_a_program_that_exits_at_once_is_reported_with_its_last_line(tmp_path: Path) -> None:
    program = tmp_path / "prometheus"
    program.write_text("#!/bin/sh\necho starting\necho 'no space left on device' >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(SilentError, match="exited with code 3: no space left on device"):
        pinned.scrape(program, PAGE.encode(), "text/plain")


def test_the_program_is_found_where_it_was_built_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OBS_CACHE_DIR", str(tmp_path))
    assert pinned.find() is None
    recipe = images()["prometheus"].recipe
    assert recipe is not None
    assert recipe.build is not None
    built = recipe.build.folder / "bin" / "prometheus"
    built.parent.mkdir(parents=True)
    built.touch()
    assert pinned.find() == built


# The command


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:  # noqa: ANN401 - a function
    """Check a system against a page, with a Prometheus that returns the given result."""
    file = tmp_path / "systems" / "shop.yaml"
    file.parent.mkdir()
    file.write_text(SYSTEM)

    def run(answer: Stored | Exception | None, page: str = PAGE) -> tuple[int, dict[str, Any]]:
        given: list[tuple[bytes, str | None]] = []

        def scrape(_: Path, body: bytes, content_type: str | None) -> Stored:
            given.append((body, content_type))
            if isinstance(answer, Exception):
                raise answer
            assert answer is not None
            return answer

        monkeypatch.setattr(pinned, "find", lambda: None if answer is None else Path("prometheus"))
        monkeypatch.setattr(pinned, "scrape", scrape)
        with serving(page) as server:
            arguments = ["system", "check", str(file), "--against", f"{server.address}/metrics", "--json"]
            done = CliRunner().invoke(app, arguments)
        assert given in ([], [(page.encode(), "text/plain; version=0.0.4")])
        return done.exit_code, json.loads(done.stdout)

    return run


def test_without_the_program_the_page_is_still_checked(check: Any) -> None:  # noqa: ANN401
    code, said = check(None)
    assert (code, said["agree"], said["prometheus"]) == (0, True, None)


def test_where_prometheus_agrees_the_output_names_it(check: Any) -> None:  # noqa: ANN401
    code, said = check(stored(SERIES))
    assert (code, said["agree"]) == (0, True)
    assert said["prometheus"] == "Prometheus 3.15.0 was given the answer as well, and stores 2 series of it"


def test_a_page_that_prometheus_refuses_is_an_error_and_the_alerts_cannot_fire(check: Any) -> None:  # noqa: ANN401
    code, said = check(stored({}, refusal="invalid metric type"))
    assert (code, said["agree"]) == (1, False)
    first = said["findings"][0]
    assert (first["series"], first["verdict"]) == ("the page", "differs")
    assert "the target is down: Prometheus 3.15.0: invalid metric type" in first["detail"]
    assert {"series": "a", "verdict": "differs", "detail": "nothing of the page is stored"} in said["findings"]


def test_what_both_refuse_is_reported_once_with_the_fix(check: Any) -> None:  # noqa: ANN401
    code, said = check(stored({}, refusal="expected value"), page="# TYPE a wrong\na 1\n")
    assert code == 1
    assert [one["series"] for one in said["findings"]] == ["the page", "a"]
    assert "write one of counter" in said["findings"][0]["detail"]


def test_a_prometheus_that_does_not_start_changes_no_verdict(check: Any) -> None:  # noqa: ANN401
    code, said = check(SilentError("it has not scraped within 60 s"))
    assert (code, said["agree"]) == (0, True)
    assert said["prometheus"] == "Prometheus 3.15.0 could not be asked: it has not scraped within 60 s"
