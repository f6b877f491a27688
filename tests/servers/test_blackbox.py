"""What the blackbox exporter's own check says of its modules."""

from observability.scrape import blackbox
from tests.tools import run_tool
from tests.unit.conftest import FULL, stack_config


def test_the_blackbox_exporter_accepts_modules_with_keywords_and_certificates() -> None:
    files = blackbox.files(stack_config("staging", FULL))
    command = ["/bin/blackbox_exporter", "--config.check", "--config.file=blackbox.yaml"]
    result = run_tool("blackbox-exporter", command, files)
    assert result.code == 0, result.output
