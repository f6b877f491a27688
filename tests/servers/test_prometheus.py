"""promtool's results for the scrape configuration and for the history that the demo writes."""

from demo import history
from observability.scrape import prometheus
from tests.tools import run_tool
from tests.unit.conftest import FULL, stack_config

END = 1_763_733_600
"""The last moment of the history, in Unix seconds; a full hour."""


def test_promtool_accepts_every_way_to_reach_a_target() -> None:
    config = stack_config("staging", FULL)
    files = prometheus.files(config, {}) | dict.fromkeys(prometheus.secret_files(config), "secret")
    command = ["promtool", "check", "config", "prometheus.yaml"]
    result = run_tool("prometheus", command, files)
    assert result.code == 0, result.output
    without = {path: text for path, text in files.items() if path != "secrets/depot-token"}
    assert "secrets/depot-token" in run_tool("prometheus", command, without).output


def test_promtool_creates_blocks_from_the_history_of_three_hours() -> None:
    text = "\n".join(history.lines(END - 3 * 3600, END, 4.0)) + "\n"
    command = "promtool tsdb create-blocks-from openmetrics past.txt /tmp/blocks && promtool tsdb list /tmp/blocks"
    done = run_tool("prometheus", ["sh", "-c", command], {"past.txt": text})
    assert done.code == 0, done.output
    assert "BLOCK ULID" in done.output
