"""How Prometheus reads a scrape's response: the samples that it would store, or why it refuses the page.

Follows `model/textparse` and `scrape` of Prometheus 3.15: the text format 0.0.4 (and 1.0.0, with quoted names) and
OpenMetrics 1.0, exactly where it decides whether a target is up. A carriage return is part of a line, a comment
is no part of OpenMetrics, the bounds of a classic histogram are normalised (`le="1"` is stored as `le="1.0"`).
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from email.message import Message
from typing import Final, Literal

Format = Literal["text", "openmetrics"]

FALLBACK: Final = "PrometheusText0.0.4"
"""The `fallback_scrape_protocol` of the systems' scrape jobs."""

TARGET_LABELS: Final = ("instance", "job", "system")
"""Labels of the target; a series' own label of that name is stored as `exported_<label>`."""

_TYPES: Final[dict[Format, frozenset[str]]] = {
    "text": frozenset({"counter", "gauge", "histogram", "summary", "untyped"}),
    "openmetrics": frozenset(
        {"counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset", "unknown"}
    ),
}
_NAME: Final = rb"[a-zA-Z_:][a-zA-Z0-9_:]*"
_QUOTED: Final = rb'"(?:\\[^\n]|[^\\"])*"'
_LABEL: Final = rb"[a-zA-Z_][a-zA-Z0-9_]*"
_FLOAT: Final = re.compile(r"nan|[+-]?(?:inf(?:inity)?|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)", re.IGNORECASE)
_NAMES: Final = "names may hold letters, digits and _ alone; any other stands in quotes, within the braces"
_ESCAPES: Final = {r"\"": '"', r"\\": "\\", r"\n": "\n"}


class RefusedError(ValueError):
    """Prometheus refuses the whole page: the target is down, and nothing of it is stored."""

    def __init__(self, reason: str, line: int | None = None, fix: str = "") -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line
        self.fix = fix
        self.looks_like_another_page = False
        """Whether this is not a page of metrics at all: HTML, JSON, any text with an error in its first line."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample as it is stored; `time` in milliseconds since 1970, None: that of the scrape."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float
    line: int
    time: int | None = None

    @property
    def series(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Identifies this series among all others of the target."""
        return self.name, self.labels


@dataclass(kw_only=True)
class Page:
    """The content of one response."""

    form: Format
    samples: list[Sample] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    """Type by the name of the metric family, as in its TYPE line; `untyped` is `unknown`."""
    helps: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    """Problems of the response although this stack reads it."""


def read(body: bytes, content_type: str | None, fallback: str | None = FALLBACK) -> Page:
    """The page as Prometheus stores it; RefusedError where it stores none of it.

    `fallback` is the job's `fallback_scrape_protocol`, None: the job has none.
    """
    form, doubt = _format(content_type, fallback)
    page = Page(form=form, doubts=[doubt] if doubt else [])
    if body:
        _Parser(body, page).run()
    return page


def saved(body: bytes) -> Page:
    """Like `read`, for a saved response whose Content-Type is unknown."""
    return read(body, type_of(body))


def type_of(body: bytes) -> str:
    """The Content-Type that a saved response must have had: OpenMetrics where it ends in `# EOF`, else text."""
    return "application/openmetrics-text" if body.rstrip().endswith(b"# EOF") else "text/plain"


def _format(content_type: str | None, fallback: str | None) -> tuple[Format, str]:
    """The format by which a response is read, and any warning about its Content-Type."""
    if not content_type:
        said = "has no Content-Type"
    else:
        message = Message()
        message["Content-Type"] = content_type
        kind = message.get_content_type() if "/" in content_type else content_type.strip().lower()
        if kind == "application/vnd.google.protobuf":
            raise RefusedError(
                "the answer is in protobuf although text was asked for",
                fix="answer in the text format, or OpenMetrics",
            )
        if kind == "text/plain":
            return "text", ""
        if kind == "application/openmetrics-text" and message.get_param("version") != "2.0.0":
            return "openmetrics", ""
        said = f"has the Content-Type {content_type!r}"
    fix = "answer with Content-Type: text/plain; version=0.0.4"
    if fallback is None:
        raise RefusedError(f"the answer {said}, and the job has no fallback_scrape_protocol", fix=fix)
    return "text", (
        f"the answer {said}: Prometheus 3 refuses that unless the job has a fallback_scrape_protocol. "
        f"The jobs of this stack have {fallback}; for any other Prometheus, {fix}"
    )


class _Parser:
    """One pass over a body, filling the page."""

    def __init__(self, body: bytes, page: Page) -> None:
        self.page = page
        self.open_metrics = page.form == "openmetrics"
        self.body = body if self.open_metrics else body + b"\n"
        self.at = 0
        self._counted = (0, 1)
        self.kind = ""
        """From the last TYPE line; decides the form of bounds."""

    def run(self) -> None:
        """The whole body."""
        entries = self._open_metrics if self.open_metrics else self._text
        try:
            for name, labels, value, time, start in entries():
                self._store(name, labels, value, time, start)
        except RefusedError as error:
            strange = self.body.lstrip()[:1] in (b"<", b"[", b"") or self.body.lstrip()[:2] in (b'{"', b"{}", b"{\n")
            error.looks_like_another_page = strange and not (self.page.samples or self.page.kinds)
            raise

    # Common to both formats

    def _line(self, at: int) -> int:
        """Number of the line; counted from the previous position, as pages are read once from the top."""
        before, lines = self._counted if self._counted[0] <= at else (0, 1)
        self._counted = (at, lines + self.body.count(b"\n", before, at))
        return self._counted[1]

    def _fail(self, reason: str, at: int | None = None, fix: str = "") -> RefusedError:
        at = self.at if at is None else at
        end = self.body.find(b"\n", at)
        line = self.body[self.body.rfind(b"\n", 0, at) + 1 : None if end < 0 else end]
        if line.endswith(b"\r"):
            reason, fix = "the lines end in CRLF; a carriage return is part of the value", "end every line in LF alone"
        elif not fix:
            text = line.decode("utf-8", "replace")
            reason += f": {text[:120]!r}" if text else ""
        return RefusedError(reason, self._line(at), fix)

    def _take(self, pattern: bytes) -> bytes | None:
        match = re.compile(pattern).match(self.body, self.at)
        if match is None:
            return None
        self.at = match.end()
        return match[0]

    def _utf8(self, text: bytes, what: str) -> str:
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError:
            raise self._fail(f"{what} is not UTF-8", fix="write label values and help texts in UTF-8") from None

    def _float(self, text: bytes) -> float:
        written = text.decode("utf-8", "replace")
        found = _number(written)
        if found is None:
            fix = _NAMES if re.match(r"[.\-/]\w", written) else ""
            raise self._fail(f"{written!r} is not a number", self.at - len(text), fix)
        return found

    def _metadata(self, keyword: str, name: str, text: bytes) -> None:
        if keyword == "TYPE":
            kind = text.decode("utf-8", "replace")
            if kind not in _TYPES[self.page.form]:
                known = ", ".join(sorted(_TYPES[self.page.form]))
                fix = _NAMES if kind.rpartition(" ")[2] in _TYPES[self.page.form] else f"write one of {known}"
                raise self._fail(f"{kind!r} is no type of this format", self.at - 1, fix)
            self.kind = kind
            self.page.kinds[name] = "unknown" if kind == "untyped" else kind
        elif keyword == "HELP":
            self.page.helps[name] = _unescape(self._utf8(text, "the help text"))

    def _store(self, name: str, labels: list[tuple[str, str]], value: float, time: int | None, start: int) -> None:
        """The sample with its labels as they are stored; RefusedError where the storage refuses the page for it."""
        if not name:
            raise self._fail("a sample without a name", start)
        names = [label for label, _ in labels]
        twice = {label for label in names if names.count(label) > 1}
        if twice:
            raise self._fail(f"the label {min(twice)!r} is there twice", start)
        if any(not label for label in names):
            raise self._fail("a label without a name", start)
        found = {}
        for label, written in labels:
            if written:
                found[f"exported_{label}" if label in TARGET_LABELS else label] = self._bound(label, written)
        self.page.samples.append(
            Sample(name=name, labels=tuple(sorted(found.items())), value=value, time=time, line=self._line(start))
        )

    def _bound(self, label: str, value: str) -> str:
        """Bounds of buckets and quantiles in one form, so that `le="1"` and `le="1.0"` are one series."""
        found = _number(value) if (self.kind, label) in (("histogram", "le"), ("summary", "quantile")) else None
        return value if found is None else bound(found)

    def _labels(
        self, name: str | None, space: bytes, comma: bool, quoted: bytes
    ) -> tuple[str | None, list[tuple[str, str]]]:
        """The content of braces after the opening one; a quoted name without a value is the series' name."""
        found: list[tuple[str, str]] = []
        while True:
            self._take(space)
            if self._take(rb"\}"):
                return name, found
            written = self._take(_QUOTED) or self._take(_LABEL)
            if written is None:
                raise self._fail("expected a label's name or a closing brace")
            self._take(space)
            in_quotes = written.startswith(b'"')
            if in_quotes and (self._take(rb",") or self.body[self.at : self.at + 1] == b"}"):
                if name is not None:
                    raise self._fail("the name of the series is given twice")
                name = _unescape(self._utf8(written[1:-1], "a name"))
                continue
            label = _unescape(self._utf8(written[1:-1] if in_quotes else written, "a label's name"))
            if not self._take(rb"=" + space):
                raise self._fail(f"expected = after the label {label!r}")
            value = self._take(quoted)
            if value is None:
                raise self._fail(f"expected a value in quotes for the label {label!r}")
            found.append((label, _unescape(self._utf8(value[1:-1], f"the value of {label!r}"))))
            self._take(space)
            if not self._take(rb",") and comma and self.body[self.at : self.at + 1] != b"}":
                raise self._fail("expected a comma or a closing brace")

    # The text format

    def _text(self) -> Iterator[tuple[str, list[tuple[str, str]], float, int | None, int]]:
        space = rb"[ \t]*"
        while self.at < len(self.body):
            blanks = (self._take(space) or b"").decode()
            start = self.at
            if self._take(rb"\n"):
                continue
            if self._take(rb"\x00"):
                return
            if self._take(rb"#"):
                self._comment()
                continue
            written = self._take(_NAME)
            # Prometheus reads blanks before a name as part of it.
            name = blanks + written.decode() if written else None
            self._take(space)
            labels: list[tuple[str, str]] = []
            if self._take(rb"\{"):
                name, labels = self._labels(name, space, comma=False, quoted=_QUOTED)
            elif written is None:
                raise self._fail("expected the name of a series, or a comment")
            self._take(space)
            number = self._take(rb"[^{ \t\n]+")
            if number is None:
                raise self._fail("expected a value")
            value = self._float(number)
            self._take(space)
            time = self._take(rb"[0-9]+")
            if time and int(time) >= 2**63:
                raise self._fail(f"{time.decode()} is no time in milliseconds")
            self._take(space)
            if not self._take(rb"\n"):
                raise self._fail("expected a time in whole milliseconds, or the end of the line")
            yield name or "", labels, value, int(time) if time else None, start

    def _comment(self) -> None:
        keyword = self._take(rb"[ \t]+(?:HELP|TYPE)[ \t]+")
        if keyword:
            name = self._take(_QUOTED) or self._take(_NAME)
            if name is None:
                raise self._fail(f"expected the name of a series after {keyword.decode().strip()}")
            text = self._take(rb"[^\n]*") or b""
            text = text[1:] if text.strip(b" \t") else b""
            self._metadata(keyword.decode().strip(), _unescape(name.strip(b'"').decode("utf-8", "replace")), text)
        else:
            self._take(rb"[^\n]*")
        self.at += 1

    # OpenMetrics

    def _open_metrics(self) -> Iterator[tuple[str, list[tuple[str, str]], float, int | None, int]]:
        while True:
            start = self.at
            if self.at >= len(self.body):
                raise self._fail("the page does not end in # EOF", fix="end an OpenMetrics page with a line # EOF")
            if self._take(rb"# EOF\n?"):
                if self.at < len(self.body):
                    raise self._fail("there is more after # EOF")
                return
            keyword = self._take(rb"# (?:HELP|TYPE|UNIT) ")
            if keyword:
                self._described(keyword.decode()[2:-1])
                continue
            if self._take(rb"#"):
                raise self._fail("OpenMetrics has no comments", start, "leave out comments, or answer as text/plain")
            if self._take(rb"\n"):
                raise self._fail("OpenMetrics has no empty lines", start, "leave out empty lines")
            written = self._take(_NAME)
            name = written.decode() if written else None
            labels: list[tuple[str, str]] = []
            quoted = rb'"(?:\\[^\n]|[^\\"\n])*"'
            if self._take(rb"\{"):
                name, labels = self._labels(name, b"", comma=True, quoted=quoted)
            elif written is None:
                raise self._fail("expected the name of a series")
            number = self._take(rb" [^ \n]+")
            if number is None:
                raise self._fail("expected one blank and a value")
            value = self._float(number[1:])
            time = None
            if not self._at(rb" # \{") and (stamp := self._take(rb" [^ \n]+")):
                time = self._seconds(stamp)
            if self._take(rb" # \{"):
                self._exemplar(quoted)
            if not self._take(rb"\n"):
                raise self._fail("expected the end of the line")
            yield name or "", labels, value, time, start

    def _at(self, pattern: bytes) -> bool:
        return re.compile(pattern).match(self.body, self.at) is not None

    def _described(self, keyword: str) -> None:
        name = self._take(_QUOTED) or self._take(_NAME)
        if name is None:
            raise self._fail(f"expected the name of a metric after {keyword}")
        text = self._take(rb" [^\n]*\n")
        if text is None:
            raise self._fail(f"expected one blank and a text after {keyword} and the name")
        plain = _unescape(name.strip(b'"').decode("utf-8", "replace"))
        unit = text[1:-1].decode("utf-8", "replace")
        if keyword == "UNIT" and unit and not plain.endswith(f"_{unit}"):
            raise self._fail(f"the unit {unit!r} is not what the name {plain!r} ends in", self.at - 1)
        self._metadata(keyword, plain, text[1:-1])

    def _seconds(self, text: bytes) -> int:
        found = self._float(text[1:])
        if not math.isfinite(found):
            raise self._fail(f"{found} is no time")
        return int(found * 1000)

    def _exemplar(self, quoted: bytes) -> None:
        name, _ = self._labels("", b"", comma=False, quoted=quoted)
        number = self._take(rb" [^ \n]+")
        if name or number is None:
            raise self._fail("an exemplar has labels in braces, one blank and a value")
        self._float(number[1:])
        if stamp := self._take(rb" [^ \n]+"):
            self._seconds(stamp)


def _unescape(text: str) -> str:
    return re.sub(r'\\["\\n]', lambda match: _ESCAPES[match[0]], text) if "\\" in text else text


def _number(written: str) -> float | None:
    """The number; None where Go's ParseFloat refuses the text."""
    found = float(written) if _FLOAT.fullmatch(written) else None
    return None if found is not None and math.isinf(found) and "inf" not in written.lower() else found


def bound(value: float) -> str:
    """A bound as Prometheus stores it in `le` and `quantile`: 1.0, 0.25, 1e+06, +Inf."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    text = repr(value)
    exponent = Decimal(text).adjusted()
    if value == 0 or -4 <= exponent < 6:
        return text
    digits = "".join(map(str, Decimal(text).normalize().as_tuple().digits))
    mantissa = f"{digits[0]}.{digits[1:]}" if digits[1:] else digits
    return f"{'-' if value < 0 else ''}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
