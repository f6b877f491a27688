"""`obs system new NAME --from otlp`: a system's file from OpenTelemetry's semantic conventions."""

import re
from pathlib import Path
from typing import Any

import pytest

from observability.cli import systems as commands
from observability.core import project
from observability.core.errors import ConfigError
from observability.systems.conventions import RUNTIMES, draft
from observability.systems.load import load_file
from observability.systems.model import System
from observability.systems.resolve import thresholds

SIGNALS = {
    "otlp": set[str](),
    "otlp:jvm": {"process_memory"},
    "otlp:node": {"event_loop_lag", "heap"},
    "otlp:go": {"process_memory", "goroutines"},
    "otlp:python": {"process_memory"},
}
ALWAYS = {"http_requests", "http_latency", "new_routes", "db_latency", "db_queries", "db_pool"}


def loaded(folder: Path, text: str) -> System:
    (folder / "smithy.yaml").write_text(text)
    return load_file(folder / "smithy.yaml")


def test_every_runtime_is_tested() -> None:
    assert SIGNALS.keys() == {"otlp", *(f"otlp:{name}" for name in RUNTIMES)}


@pytest.mark.parametrize("source", SIGNALS)
def test_the_file_maps_the_conventions_to_signals(tmp_path: Path, source: str) -> None:
    system = loaded(tmp_path, draft("smithy", source))
    assert system.otlp
    assert {name for name, value in system.signals if value} == ALWAYS | SIGNALS[source]
    assert not [one for one in thresholds(system) if one.name in ("response_time", "db_query_time") and one.estimated]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_example_of_a_runtime_works_once_it_is_no_comment(tmp_path: Path, runtime: str) -> None:
    def taken(text: str) -> str:
        """The text with the examples of this runtime alone."""
        own = RUNTIMES[runtime]
        names = {*own.series, *own.thresholds, *(f"{name}: {value}"[:40] for name, value in own.signals.items())}
        found, on, used = [], False, set[str]()
        for line in text.splitlines():
            if line.startswith("  #") and not line.startswith(("  # ", "  #  ")):
                name = next((name for name in names if line[3:].startswith(name)), None)
                on = name is not None and name not in used
                used |= {name} if name else set()
            found.append(line.replace("#", "", 1) if on and re.match(r"  #(?! )|  #  ", line) else line)
        return "\n".join(found)

    system = loaded(tmp_path, taken(draft("smithy", "otlp")))
    assert {name for name, value in system.signals if value} == ALWAYS | SIGNALS[f"otlp:{runtime}"]


def test_an_unknown_runtime_is_named_with_those_that_are_known() -> None:
    with pytest.raises(ConfigError) as error:
        draft("smithy", "otlp:nodejs")
    assert "otlp:node" in error.value.fix
    assert "'nodejs'" in error.value.what


def test_the_command_writes_the_file_and_says_what_is_left_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(project, "writable", lambda name: tmp_path / name)
    commands.new_system("smithy", "otlp:go")
    said: Any = capsys.readouterr().out
    assert load_file(tmp_path / "systems" / "smithy.yaml").signals.goroutines
    assert "systems.smithy.traces.services" in said
    assert "--against" not in said
