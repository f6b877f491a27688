"""How a panel's values are shown: by its defaults, and by its overrides for one name."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from observability.pictures import units
from observability.pictures.axes import Ends
from observability.pictures.theme import COLOURS

NO_DATA: Final = "No data"


@dataclass(frozen=True, kw_only=True)
class Field:
    """The options of one series or column."""

    options: Mapping[str, Any]
    changed: Mapping[str, Any]
    """Properties that an override sets, by their ids."""

    @property
    def unit(self) -> str:
        """Grafana's id of the unit."""
        return str(self._value("unit") or "short")

    @property
    def decimals(self) -> int | None:
        """Number of decimals, None for as many as are significant."""
        found = self._value("decimals")
        return None if found is None else int(found)

    @property
    def fixed_colour(self) -> str | None:
        """The fixed colour, whatever the value."""
        colour = self._value("color") or {}
        return COLOURS.get(colour["fixedColor"], colour["fixedColor"]) if colour.get("mode") == "fixed" else None

    @property
    def dash(self) -> Sequence[float] | None:
        """Lengths of dashes and gaps of its line, None for a solid line."""
        style = self._value("custom.lineStyle") or {}
        return style.get("dash") if style.get("fill") == "dash" else None

    @property
    def filled(self) -> float:
        """Opacity of the area below its line, 0 to 1."""
        return float(self._value("custom.fillOpacity") or 0) / 100

    @property
    def ends(self) -> Ends:
        """The ends of its axis."""
        return Ends(
            least=self._value("min"),
            most=self._value("max"),
            soft_least=self._value("custom.axisSoftMin"),
            soft_most=self._value("custom.axisSoftMax"),
        )

    @property
    def limits(self) -> list[tuple[float, str]]:
        """The thresholds that are drawn as lines, with their colours."""
        if (self._value("custom.thresholdsStyle.mode") or "off") == "off":
            return []
        return [step for step in self.steps if math.isfinite(step[0])]

    @property
    def wide(self) -> float | None:
        """Width of its column in pixels, None if not set."""
        found = self._value("custom.width")
        return None if found is None else float(found)

    @property
    def steps(self) -> list[tuple[float, str]]:
        """Lower limit and colour of each threshold."""
        steps = (self._value("thresholds") or {}).get("steps", ())
        return [
            (-math.inf if step.get("value") is None else step["value"], COLOURS.get(step["color"], step["color"]))
            for step in steps
        ]

    def text(self, value: float, now: float) -> str:
        """The value as text."""
        mapped = self._mapped(value)
        if mapped and mapped.get("text"):
            return str(mapped["text"])
        if self.unit == units.FROM_NOW:
            return units.ago(value / 1000, now)
        return units.text(value, self.unit, self.decimals)

    def word(self, value: str) -> str:
        """A text as its first value mapping shows it."""
        mapped = self._worded(value)
        return mapped[0] if mapped else value

    def paint(self, value: float | str) -> str | None:
        """Colour of the background of a table's cell; None where the column has none."""
        if (self._value("custom.cellOptions") or {}).get("type") != "color-background":
            return None
        if isinstance(value, float):
            return self.colour(value)
        mapped = self._worded(value)
        return COLOURS.get(mapped[1], mapped[1]) if mapped and mapped[1] else None

    def colour(self, value: float | None) -> str:
        """The colour of a value; for None, that of the lowest values."""
        mapped = self._unmeasured() if value is None else self._mapped(value)
        if mapped and mapped.get("color"):
            return COLOURS.get(mapped["color"], mapped["color"])
        reached = [colour for limit, colour in self.steps if limit <= (-math.inf if value is None else value)]
        return reached[-1] if reached else COLOURS["green"]

    @property
    def words(self) -> list[tuple[float, str, str]]:
        """Value, text and colour of each value mapping."""
        found = [
            (float(value), str(result["text"]), COLOURS.get(result.get("color", ""), result.get("color", "")))
            for mapping in self._value("mappings") or ()
            if mapping["type"] == "value"
            for value, result in mapping["options"].items()
        ]
        return sorted(found)

    def _unmeasured(self) -> Mapping[str, Any] | None:
        """The mapping of a missing value."""
        found = (one["options"] for one in self._value("mappings") or () if one["type"] == "special")
        return next((dict(one["result"]) for one in found if "null" in one["match"]), None)

    def _worded(self, value: str) -> tuple[str, str] | None:
        """Text and colour of the first mapping of a text."""
        for mapping in self._value("mappings") or ():
            options = mapping["options"]
            if mapping["type"] == "value" and value in options:
                return str(options[value].get("text") or value), str(options[value].get("color") or "")
            if mapping["type"] == "regex" and (found := re.search(options["pattern"].strip("/"), value)):
                text = re.sub(r"\$(\d+)", lambda place: found.group(int(place[1])), options["result"]["text"])
                return text, str(options["result"].get("color") or "")
        return None

    def _mapped(self, value: float) -> Mapping[str, Any] | None:
        for mapping in self._value("mappings") or ():
            options = mapping["options"]
            if mapping["type"] == "value" and f"{value:g}" in options:
                return dict(options[f"{value:g}"])
            if mapping["type"] == "range" and options["from"] <= value <= options["to"]:
                return dict(options["result"])
        return None

    def _value(self, key: str) -> Any:  # noqa: ANN401 - whatever the option holds
        if key in self.changed:
            return self.changed[key]
        found: Any = self.options
        for part in key.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found


def field(panel: Mapping[str, Any], *names: str) -> Field:
    """The options of a panel's values, or of the series or column of these names: a renamed column has two."""
    config = panel.get("fieldConfig") or {}
    changed = {
        prop["id"]: prop.get("value")
        for override in config.get("overrides") or ()
        if any(_meant(override["matcher"], name) for name in names)
        for prop in override["properties"]
    }
    return Field(options=config.get("defaults") or {}, changed=changed)


def no_value(panel: Mapping[str, Any]) -> str:
    """The text that a panel shows if it has no data."""
    return str(field(panel).options.get("noValue") or NO_DATA)


def _meant(matcher: Mapping[str, Any], name: str) -> bool:
    kind, options = matcher["id"], matcher["options"]
    if kind == "byName":
        return bool(options == name)
    if kind == "byRegexp":
        return re.search(options.strip("/"), name) is not None
    raise ValueError(f"an override {kind} is not known here")
