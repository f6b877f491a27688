"""Go templates of annotations: the labels that they use, and their queries to Prometheus."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from observability.check.promql import ANY_VALUE

_ACTION: Final = re.compile(r"\{\{(?:-\s)?\s*(.*?)\s*(?:\s-)?\}\}", re.DOTALL)
_WORD: Final = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|\$?[A-Za-z_]\w*(?:\.\w+)*|\$|\.[A-Za-z_][\w.]*|:=|[^\s]')
_LABEL: Final = re.compile(r"(?:\$labels|\$?\.Labels)\.(\w+)")
_VERB: Final = re.compile(r"%[-+ 0-9.]*([a-zA-Z%])")

FORMATS: Final = frozenset(
    {
        "humanize",
        "humanize1024",
        "humanizeDuration",
        "humanizePercentage",
        "humanizeTimestamp",
        "printf",
        "toTime",
        "parseDuration",
    }
)
"""Functions that format a value."""

VARIABLES: Final = frozenset({"$labels", "$value", "$externalLabels", "$externalURL", "$"})
"""Variables that Prometheus sets."""


@dataclass
class Template:
    """What one annotation or label reads."""

    labels: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)
    """Labels whose presence an `if` or `with` tests first."""
    queries: list[str] = field(default_factory=list)
    of_results: set[str] = field(default_factory=set)
    """Labels of the queries' results."""
    reads_value: bool = False
    faults: list[str] = field(default_factory=list)


def read(text: str) -> Template:
    """What the template reads. promtool checks whether Go accepts it."""
    found = Template()
    known = set(VARIABLES)
    blocks: list[bool] = []
    for match in _ACTION.finditer(text):
        words = _WORD.findall(match[1])
        known |= _declared(words)
        _action(words, known, any(blocks), found)
        if words[:1] in (["if"], ["with"], ["range"]):
            # Within `with` and `range` the dot is their argument.
            blocks.append(words[0] != "if" and "query" in words)
        elif words == ["end"] and blocks:
            blocks.pop()
    return found


def _action(words: list[str], known: set[str], of_result: bool, found: Template) -> None:
    if of_result:
        found.of_results |= {hit[1] for word in words if (hit := re.fullmatch(r"\.Labels\.(\w+)", word))}
        words = [word for word in words if word != ".Value" and not word.startswith(".Labels.")]
    labels = {hit[1] for word in words if (hit := _LABEL.fullmatch(word))}
    labels |= {
        _text(third)
        for first, second, third in zip(words, words[1:], words[2:], strict=False)
        if first == "index" and second in ("$labels", ".Labels", "$.Labels")
    }
    conditional = bool(words) and (words[0] in ("if", "with") or words[:2] == ["else", "if"])
    if conditional and "query" not in words:
        found.optional |= labels
    found.labels |= labels
    for word in words:
        variable = word.split(".")[0]
        if variable.startswith("$") and variable not in known:
            found.faults.append(f"there is no variable {variable}")
    stages = _stages(words)
    for before, stage in zip([[], *stages], stages, strict=False):
        if stage[:1] == ["query"]:
            found.queries.append(_query(stage[1:] or before))
        if stage[:1] == ["label"] and len(stage) > 1:
            found.of_results.add(_text(stage[1]))
    found.reads_value |= "$value" in words or ".Value" in words
    if any(word in ("$value", ".Value") for word in words) and not conditional and not FORMATS & set(words):
        found.faults.append("the value has no unit: write it with humanize… or printf")


def _declared(words: list[str]) -> set[str]:
    """Variables that an action sets."""
    return {word for word in words if word.startswith("$")} if ":=" in words else set()


def _stages(words: list[str]) -> list[list[str]]:
    """The parts of a pipeline, without the keyword before it."""
    plain = [word for word in words if word not in ("with", "if", "else", "range", "(", ")")]
    stages: list[list[str]] = [[]]
    for word in plain:
        if word == "|":
            stages.append([])
        else:
            stages[-1].append(word)
    return stages


def _query(words: list[str]) -> str:
    """The query of these words; a placeholder matches any condition."""
    literal = next((_text(word) for word in words if word[:1] in '"`'), "")
    if words[:1] != ["printf"]:
        return literal

    def fill(match: re.Match[str]) -> str:
        return {"q": f'"{ANY_VALUE}"', "s": ANY_VALUE, "v": ANY_VALUE, "%": "%"}.get(match[1], "1")

    return _VERB.sub(fill, literal)


def _text(word: str) -> str:
    """The value of a quoted string."""
    body = word[1:-1]
    return body if word.startswith("`") else re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), body)


def templates(texts: dict[str, str]) -> Iterator[tuple[str, Template]]:
    """Each text that contains a template, parsed."""
    for name, text in texts.items():
        if "{{" in text:
            yield name, read(text)
