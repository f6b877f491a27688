"""The message templates, by their path in Alertmanager's configuration folder."""

from pathlib import Path
from typing import Final

from observability.settings.load import StackConfig

FOLDER: Final = Path(__file__).with_name("templates")

GRAFANA: Final = "https://grafana.invalid"
"""Placeholder in the templates for Grafana's address, where a message links to the logs around an alert."""


def files(config: StackConfig) -> dict[str, str]:
    """Every template file of a stack; without Grafana or Loki no message links to logs."""
    grafana = config.link("grafana") if config.runs("loki") else None
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.tmpl"))}
    return {f"templates/{name}": text.replace(GRAFANA, grafana or "") for name, text in texts.items()}
