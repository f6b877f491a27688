r"""Where an entry of a log begins: a stack trace, or a statement of several lines, is one entry.

The collector splits a file into entries while it reads it (`multiline`), not afterwards in memory, where a collector
that is killed would lose what waits for its next line. At the end of a file of Docker nothing waits, as the last line
of a container that ends would be lost, and that of a rotated file would come too late for Loki; so a stack trace that
is written when its file is looked at becomes two entries.

An expression matches a whole entry: a line, and the lines that continue it. The collector cuts where a match begins,
so lines that continue another must be part of its match. In a file of Docker, text is a string of JSON, and only lines
of the same output (stdout or stderr) continue one another: a line of the other one ends an entry.
"""

from dataclasses import dataclass
from typing import Any, Final

AT_ONCE: Final = "1ns"
"""How long the end of one of Docker's files waits for more; 0 would be for ever."""

WAIT: Final = "1s"
"""How long that of a text file does: programs write blocks that end within a line."""

LONGEST: Final = 100 * 1024
"""Bytes of Docker's file from which an entry is stored in pieces. Docker writes 16 KiB of text at once, up to 96 KiB
of JSON."""


@dataclass(frozen=True, kw_only=True)
class _Notation:
    """How text is written in a file, as expressions."""

    begin: str
    """What is before the text of a line."""
    char: str
    """One character of the text."""
    space: str
    """One white space."""
    visible: str
    """One character that is no white space, and none of those in place of `%s`."""
    end: str
    """The end of the text."""


_REST: Final = r"[^\n]*"
"""What follows, up to the end of the line."""

_PLAIN: Final = _Notation(begin="", char=r"[^\n]", space=r"[^\S\n]", visible=r"[^\s%s]", end=r"\r?$")
_DOCKER: Final = _Notation(
    begin=r'\{"log": ?"',
    char=r'(?:[^"\\\n]|\\.)',
    space=r"(?:[^\S\n]|\\[tnrf]|\\u000[bc])",
    visible=r'(?:[^\s"\\%s]|\\[^tnrf])',
    end=r'(?:\\[rn])*"',
)


def _continuing(of: _Notation) -> str:
    """The beginning of a line that continues the one before it: part of a stack trace, or indented.

    An object on one line is complete, and continues none even if it is indented.
    """
    text, end = of.char, of.end
    return "|".join(
        (
            rf"{of.space}*{end}",
            rf"{of.space}+{of.visible % '{'}",
            rf"{of.space}+\{{(?:{text}*{of.visible % '}'})?{of.space}*{end}",
            rf"[}})\]]+[,;]?{end}",
            r"(?:Caused by|Suppressed): ",
            r"\.\.\. \d+ (?:more|common frames omitted)",
            # Python: the header, the two ways in which traces are chained, and the exception, which is the last line.
            r"Traceback \(most recent call last\):",
            r"(?:During handling of the above exception|The above exception was the direct cause)",
            # Java and Python name the class of an exception alike; plain `Error: text` is the first line of many
            # programs.
            rf"[A-Za-z_$][\w.$]*[\w$](?:Error|Exception|Exit|Interrupt)(?::|{end})",
            # Go: header, frames with arguments as addresses, and who started the goroutine.
            r"goroutine \d+ \[",
            r"\[signal ",
            rf"(?:created by )?[\w./*()\-]+\.[\w.()*\-]+\((?:0x[0-9a-f]+\??|\.\.\.|[{{}}, ])*\){end}",
            r"created by \S+",
            rf"exit status \d+{end}",
            # PHP, Rust.
            rf"Stack trace:{end}",
            r"#\d+ ",
            rf"stack backtrace:{end}",
            r"note: run with ",
        )
    )


def _object(of: _Notation) -> str:
    """An object on one line."""
    return rf"{of.begin}{of.space}*\{{{of.char}*\}}{of.space}*{of.end}{_REST}"


def _output(of: _Notation, tail: str) -> str:
    """A line and those that continue it, of one output; `tail` is what names the output."""
    return rf"{of.begin}{_REST}{tail}(?:\n{of.begin}(?:{_continuing(of)}){_REST}{tail})*"


PLAIN: Final = rf"^(?:{_object(_PLAIN)}|[^\n]+(?:\n(?:{_continuing(_PLAIN)}){_REST})*)"
"""An entry of a text file."""

_OF_DOCKER: Final = (
    _object(_DOCKER),
    *(_output(_DOCKER, rf', ?"stream": ?"{output}"{_REST}') for output in ("stdout", "stderr")),
    # What Docker did not write, such as the zeros after a loss of power.
    rf"[^\n{{]{_REST}",
    rf"\{{{_REST}\}}$",
)
DOCKER: Final = f"^(?:{'|'.join(_OF_DOCKER)})"
"""An entry of one of Docker's json-file logs."""


def joining() -> list[dict[str, Any]]:
    """Operators that make one object of Docker's from those of an entry, with the time of the first."""
    several = r'body contains "\n"'
    text = rf"{_DOCKER.char}*"
    return [
        # The end of the first object goes to the end of the entry; of the others, the text alone is left.
        {
            "type": "regex_replace",
            "if": several,
            "field": "body",
            "regex": rf'(?s)^({_DOCKER.begin}{text})(", ?"stream":[^\n]*)\n(.+)$',
            "replace_with": "${1}\n${3}\n${2}",
        },
        {
            "type": "regex_replace",
            "if": several,
            "field": "body",
            "regex": rf'\n\{{(?:"log": ?"({text}))?[^\n]*',
            "replace_with": "${1}",
        },
        {"type": "regex_replace", "if": several, "field": "body", "regex": r'\n(", ?")', "replace_with": "${1}"},
        # The rest of a line at which an entry was cut, as it was too long.
        {
            "type": "regex_replace",
            "if": 'not (body startsWith "{")',
            "field": "body",
            "regex": r'^([^\n]*", ?"stream":[^\n]*\})$',
            "replace_with": '{"log":"${1}',
        },
    ]
