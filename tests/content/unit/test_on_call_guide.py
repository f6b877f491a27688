"""docs/on-call.md shows settings that are accepted, for a team of this repository."""

import re

from observability.core.documents import load_yaml
from observability.settings.load import ROOT, validate
from observability.settings.on_call import OnCallSettings
from tests.unit.on_call_rota import rota


def test_the_settings_in_the_guide_are_accepted() -> None:
    guide = (ROOT / "docs" / "on-call.md").read_text(encoding="utf-8")
    examples = [load_yaml(text) for text in re.findall(r"^```yaml\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)]
    values = {key.removeprefix("observability:"): value for example in examples for key, value in example.items()}
    config = validate("dev", values, frozenset())
    assert config.settings.on_call == OnCallSettings.model_validate(rota(team="erpgo"))
    assert config.runs("goalert")
    assert config.link("goalert") == "https://calls.example.com"
