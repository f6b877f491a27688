"""Read YAML files, and report errors by the path to the field, with the fix."""

import difflib
import re
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import yaml

from observability.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Ambiguous:
    """A value without quotes whose number differs from its text, or that is text: 1_000, 017, 0x1F, 22:22, +49.

    Its type depends on the reader, as YAML 1.1 and 1.2 differ. No model accepts it.
    """

    text: str
    value: float

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


SafeLoader: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
"""YAML's safe loader, in C where that is available: ten times as fast."""


def load_yaml(text: str | bytes) -> Any:  # noqa: ANN401 - any YAML
    """A YAML text as data, for texts that are known to be right; yaml.YAMLError where one is not."""
    return yaml.load(text, SafeLoader)  # noqa: S506 - a safe loader


class _Loader(SafeLoader):  # type: ignore[misc,valid-type]  # a class, chosen above
    """The safe loader, which also refuses duplicate keys; YAML's own uses the last one."""

    TEXTS: ClassVar[frozenset[str]] = frozenset()
    """Keys of mappings in which every scalar is text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping; MarkedYAMLError where a key is duplicate."""
        seen: dict[object, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None,
                        None,
                        f"{_TWICE}{key.value!r} is there twice, first on line {seen[key.value]}",
                        key.start_mark,
                    )
                seen[key.value] = key.start_mark.line + 1
        for key, value in node.value:
            named = isinstance(key, yaml.ScalarNode) and key.value in self.TEXTS
            if named and isinstance(value, yaml.MappingNode):
                for _, one in value.value:
                    if isinstance(one, yaml.ScalarNode) and one.tag in _SCALARS:
                        one.tag = "tag:yaml.org,2002:str"
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found


class RuleLoader(_Loader):
    """Reads a rule file as Prometheus does: values of labels and annotations are text, exactly as written.

    `page: yes` is the text yes, `version: 1.10` the text 1.10.
    """

    TEXTS = frozenset({"labels", "annotations"})


_SCALARS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "timestamp"))

_PLAIN = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
"""A number that every YAML reader reads alike."""

_OCTAL = re.compile(r"[-+]?0o[0-7_]+")
"""An octal number of YAML 1.2, which is text in YAML 1.1."""


def _number(loader: _Loader, node: yaml.ScalarNode) -> object:
    """A number, or an Ambiguous value."""
    text = str(node.value)
    if _OCTAL.fullmatch(text):
        return Ambiguous(text=text, value=int(text.replace("_", ""), 8))
    kind = "int" if node.tag.endswith(":int") else "float"
    value = getattr(loader, f"construct_yaml_{kind}")(node)
    return value if node.style or _PLAIN.fullmatch(text) else Ambiguous(text=text, value=value)


_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _OCTAL, list("-+0"))
_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
yaml.SafeDumper.add_representer(
    Ambiguous, lambda dumper, found: dumper.represent_scalar("tag:yaml.org,2002:str", found.text)
)

_TWICE = "the key "


def parse_yaml(path: Path, name: str | None = None, *, rules: bool = False) -> Any:  # noqa: ANN401 - any YAML
    """The content of a YAML file; ConfigError with file (by this name), line and column where it does not parse.

    `rules`: it is a rule file, see `RuleLoader`.
    """
    name = name or path.name
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError(f"{name}:{line}: is not UTF-8 text", "save the file as UTF-8") from error
    try:
        return yaml.load(text, RuleLoader if rules else _Loader)  # noqa: S506 - both are safe
    except yaml.MarkedYAMLError as error:
        what, fix, mark = _explained(error, text.splitlines())
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise ConfigError(f"{where}: not valid YAML: {what}", fix) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1 if isinstance(error.position, int) else 1
        raise ConfigError(
            f"{name}:{line}: not valid YAML: it holds the control character {_shown(error.character)}",
            "take the character out, or write it in double quotes with an escape",
        ) from error


def _shown(character: object) -> str:
    return repr(chr(character) if isinstance(character, int) else character)


def _explained(error: yaml.MarkedYAMLError, lines: list[str]) -> tuple[str, str, yaml.Mark | None]:
    """The problem, its fix, and the position where to apply it."""
    problem, context, mark, opened = error.problem or "", error.context or "", error.problem_mark, error.context_mark
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    at = line[mark.column : mark.column + 1] if mark else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or at == "\t":
        return "a tab indents the line", "indent with blanks: YAML takes no tabs", mark
    if problem.startswith(_TWICE):
        return problem, "keep one of the two, and move what both hold below it", mark
    if "quoted scalar" in context and "end of stream" in problem:
        return "a quote is opened here and not closed", "close the quote at the end of the value", opened
    if "escape character" in problem:
        return "a backslash in double quotes begins an escape", "use single quotes, or write two backslashes", mark
    above = lines[mark.line - 1] if mark and 0 < mark.line <= len(lines) else ""
    if ("flow" in context or "node content" in problem) and mark and re.search(r"\s#", f"{above}\n{line}"):
        return "a # begins a comment, which hides the end of the bracket", "quote the value that holds the #", mark
    if "node content" in problem and mark and (found := _open_bracket(lines[: mark.line + 1])):
        sign, row, column = found
        where = yaml.Mark(mark.name, 0, row, column, None, 0)
        return f"a bracket is opened here and not closed by {sign}", f"close it with {sign}", where
    if "flow sequence" in context or "flow mapping" in context:
        bracket = "]" if "sequence" in context else "}"
        return f"a bracket is opened here and not closed by {bracket}", f"close it with {bracket}", opened
    if "unhashable key" in problem:
        return "braces within braces", 'quote the value: "{{ … }}"', opened or mark
    reference = "alias" in context or "anchor" in context or "alias" in problem
    if "cannot start any token" in problem or reference:
        start = opened if reference and opened else mark
        sign = lines[start.line][start.column : start.column + 1] if start and start.line < len(lines) else at
        return f"a value cannot begin with {sign}", f"quote the value, from {sign} to its end", start
    if "constructor for the tag" in problem:
        return (
            f"{problem.rpartition(' ')[2]} is a tag, which is not known here",
            "quote the value, or take the tag out",
            mark,
        )
    if "single document" in context:
        return (
            "a second document begins here",
            "take the line --- out, or move what follows to a file of its own",
            mark,
        )
    if "mapping values are not allowed" in problem and mark:
        return _stray_colon(lines, mark)
    if "expected '-' indicator" in problem:
        return "a key stands among the items of a list", "indent it below its item, or as the list's own key", mark
    if "could not find expected ':'" in problem or "did not find expected key" in problem:
        return _stray_line(lines, mark)
    return problem, "correct the line, or quote its value", mark


def _open_bracket(lines: list[str]) -> tuple[str, int, int] | None:
    """The closing character of the innermost bracket still open at the end of the lines, and where it was opened."""
    open_ones: list[tuple[str, int, int]] = []
    quote = ""
    for row, line in enumerate(lines):
        for column, sign in enumerate(line):
            if quote:
                quote = "" if sign == quote else quote
            elif sign in "\"'":
                quote = sign
            elif sign in "[{":
                open_ones.append(("]" if sign == "[" else "}", row, column))
            elif sign in "]}" and open_ones:
                open_ones.pop()
    return open_ones[-1] if open_ones else None


def _stray_colon(lines: list[str], mark: yaml.Mark) -> tuple[str, str, yaml.Mark]:
    """A colon where no key can be: two on a line, below a line without one, or on a line that is indented too far."""
    line = lines[mark.line] if mark.line < len(lines) else ""
    before = line[: mark.column]
    if ": " in before or re.match(r"\s*- [^:]*: ", before):
        return "a second colon in one line", "quote the value that holds the colon", mark
    above = next((one for one in reversed(lines[: mark.line]) if one.strip() and not one.lstrip().startswith("#")), "")
    joined = re.fullmatch(r"\s*(?:- )?([\w-]+):(\S.*)", above)
    if joined and ": " not in joined[2]:
        return (
            f"the line above, {above.strip()!r}, has no blank after its colon",
            f"write it {joined[1]}: {joined[2]}",
            mark,
        )
    if ":" not in above:
        return f"the line above, {above.strip()!r}, is no `key: value`", "write it with a colon and a blank", mark
    return (
        "the line is indented further than the one above, which has a value already",
        ("give it the same indentation as its siblings"),
        mark,
    )


def _stray_line(lines: list[str], mark: yaml.Mark | None) -> tuple[str, str, yaml.Mark | None]:
    line = lines[mark.line].strip() if mark and mark.line < len(lines) else ""
    if mark and line and mark.column > len(lines[mark.line]) - len(lines[mark.line].lstrip()):
        return "something follows a value that is complete", "quote the whole value, or take the rest out", mark
    return (
        f"the line {line!r} has an indentation that none of the lines above it has",
        ("indent it as the keys it belongs to; a list and a mapping cannot stand side by side"),
        mark,
    )


def nearest(name: str, known: Collection[str]) -> str:
    """`did you mean …?` with the nearest of the known names, or an empty text where none is near."""
    near = difflib.get_close_matches(name, known, n=1)
    if not near and len(name) > 2:
        # A word and its prefix, in either direction: production and prod.
        near = [one for one in known if len(one) > 2 and (name.startswith(one) or one.startswith(name))]
    return f"did you mean {near[0]!r}? " if near else ""
