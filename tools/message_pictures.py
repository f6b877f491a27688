"""Draw the messages of docs/messages.md: `.venv/bin/python -m tools.message_pictures`.

The texts are rendered from the templates by Alertmanager's own code. The frames around them are drawn here, roughly as
each client shows a message.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Final, Literal, NamedTuple

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from observability.channels.text import facts
from observability.settings.load import validate
from tests.receivers.rendering import Alert, call, group, render

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "messages"

WIDTH: Final = 720
MARGIN: Final = 16
SIZE: Final = 14
LINE: Final = 21
INK: Final = "#1f2933"
LINK: Final = "#1264a3"
GREY: Final = "#616e7c"

Style = Literal["", "bold", "link", "grey"]


class Run(NamedTuple):
    """Text in one style."""

    text: str
    style: Style = ""


Line = list[Run]


@dataclass(frozen=True, kw_only=True)
class Block:
    """Lines on one background, optionally with a coloured bar on the left."""

    lines: list[Line]
    bar: str | None = None
    background: str = "#ffffff"
    ink: str = INK


@dataclass
class Canvas:
    """A picture whose height grows with its blocks."""

    blocks: list[Block] = field(default_factory=list)

    def save(self, name: str) -> None:
        """Draw all blocks one below another."""
        wrapped = [(block, list(_wrapped(block))) for block in self.blocks]
        height = MARGIN + sum(len(lines) * LINE + MARGIN for _, lines in wrapped)
        image = Image.new("RGB", (WIDTH, height), "#ffffff")
        draw = ImageDraw.Draw(image)
        y = MARGIN // 2
        for block, lines in wrapped:
            bottom = y + len(lines) * LINE + MARGIN
            draw.rectangle((0, y, WIDTH, bottom), fill=block.background)
            if block.bar is not None:
                draw.rectangle((MARGIN, y + 4, MARGIN + 4, bottom - 4), fill=block.bar)
            for number, line in enumerate(lines):
                self._write(draw, line, block, y + MARGIN // 2 + number * LINE)
            y = bottom
        image.quantize(256).save(FOLDER / f"{name}.png", optimize=True)

    def _write(self, draw: ImageDraw.ImageDraw, line: Line, block: Block, y: int) -> None:
        x = float(MARGIN * 2 if block.bar is not None else MARGIN)
        for text, style in line:
            colour = {"link": LINK, "grey": GREY}.get(style, block.ink)
            draw.text((x, y), text, font=_font(style), fill=colour)
            x += _font(style).getlength(text)


@cache
def _font(style: Style) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if style == "bold" else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), SIZE)


def _wrapped(block: Block) -> Iterator[Line]:
    """The lines, wrapped at the margin; a very long word is wrapped at any character."""
    room = WIDTH - MARGIN * (3 if block.bar is not None else 2)
    for line in block.lines:
        current: Line = []
        used = 0.0
        for run in line:
            for word in re.findall(r"\S{1,70}\s?|\s", run.text):
                width = _font(run.style).getlength(word)
                if current and used + _font(run.style).getlength(word.rstrip()) > room:
                    yield current
                    current, used = [], 0.0
                current.append(Run(word, run.style))
                used += width
        yield current


def plain(text: str) -> list[Line]:
    """Text without markup."""
    return [[Run(line)] for line in text.strip().split("\n")]


def slack(text: str) -> list[Line]:
    """Slack's mrkdwn, as far as the messages use it."""
    pattern = re.compile(r"<(?P<url>[^|>]+)\|(?P<link>[^>]+)>|\*(?P<bold>[^*]+)\*")
    return [[Run(html.unescape(run.text), run.style) for run in _runs(pattern, line)] for line in text.split("\n")]


def markdown(text: str) -> list[Line]:
    """Markdown, as far as the messages use it; an empty line ends a paragraph."""
    pattern = re.compile(r"\[(?P<link>[^\]]+)\]\((?P<url>[^)]+)\)|\*\*(?P<bold>[^*]+)\*\*")
    lines = [_runs(pattern, line) for line in text.split("\n")]
    return [[Run(re.sub(r"\\(.)", r"\1", run.text), run.style) for run in line] for line in lines]


def _runs(pattern: re.Pattern[str], line: str) -> Line:
    found: Line = []
    end = 0
    for match in pattern.finditer(line):
        found += [
            Run(line[end : match.start()]),
            Run(match["link"], "link") if match["link"] else Run(match["bold"], "bold"),
        ]
        end = match.end()
    return [*found, Run(line[end:])]


class Markup(HTMLParser):
    """HTML as blocks: each table cell is one, with the colours of its style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.blocks = [Block(lines=[[]])]
        self.styles: list[Style] = [""]
        self.hidden = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a cell, a line or a style."""
        if tag == "td":
            style = dict(attrs).get("style") or ""
            colours = dict(re.findall(r"(background|color):(#\w+)", style))
            self.styles.append("bold" if "font-weight:bold" in style else "")
            self.blocks.append(
                Block(lines=[[]], background=colours.get("background", "#ffffff"), ink=colours.get("color", INK))
            )
        elif tag == "br":
            self.blocks[-1].lines.append([])
        elif tag in ("b", "a"):
            self.styles.append("bold" if tag == "b" else "link")
        elif tag == "title":
            self.hidden = True

    def handle_endtag(self, tag: str) -> None:
        """End a style."""
        if tag in ("b", "a", "td"):
            self.styles.pop()
        self.hidden = False

    def handle_data(self, data: str) -> None:
        """Text, with white space collapsed as in a browser."""
        if not self.hidden:
            text = re.sub(r"\s+", " ", data)
            self.blocks[-1].lines[-1].append(
                Run(text if self.blocks[-1].lines[-1] else text.lstrip(), self.styles[-1])
            )


def telegram(text: str) -> list[Line]:
    """Telegram's HTML: line breaks of the text are kept."""
    return [line for part in text.split("\n") for line in Markup(part).blocks[0].lines]


COMMON: Final = {
    "severity": "critical",
    "system": "erpgo",
    "team": "erpgo",
    "environment": "prod",
    "cluster": "obs-prod",
}

ERRORS: Final = Alert(
    labels={**COMMON, "alertname": "CriticalErrorRate", "component": "application", "condition": "error_rate"},
    annotations={
        "summary": "erpgo: 23.1% of requests fail",
        "description": "erpgo answered 23.1% of its requests with 5xx in the last 5 minutes; above 10% it is "
        "critical. Most errors come from /api/orders (2.41 a second).",
        "first": "Read the newest error lines of the route with the most errors (link Logs).",
        "also_seen": "Down: postgres erpgo-postgres.example.com:5432. Also firing: EndpointDown. ",
        "since": "2026-11-21 12:20:25",
        "runbook_url": "https://git.example.com/runbooks/CriticalErrorRate.md",
        "dashboard_url": "https://grafana.example.com/d/erpgo-application?viewPanel=1226487193",
    },
)


def slow(route: str, took: str, *, resolved: bool = False) -> Alert:
    """An alert on a slow route."""
    return Alert(
        labels={**COMMON, "alertname": "CriticalResponseTime", "component": "application", "route": route},
        annotations={
            "summary": f"erpgo: {route} takes {took}",
            "description": f"95% of the requests to {route} of erpgo must be answered within 2s.",
            "runbook_url": "https://git.example.com/runbooks/CriticalResponseTime.md",
            "dashboard_url": "https://grafana.example.com/d/erpgo-application?viewPanel=731286409",
        },
        resolved=resolved,
    )


SEVERAL: Final = group(
    slow("/api/orders", "3.42s"),
    slow("/api/orders/{id}", "2.96s"),
    slow("/api/products", "2.31s"),
    slow("/api/invoices", "2.08s", resolved=True),
)
ONE: Final = group(ERRORS)
OVER: Final = group(Alert(labels=ERRORS.labels, annotations=ERRORS.annotations, resolved=True))

FACTS: Final = ("severity", "system", "environment", "component")


def text(name: str) -> str:
    """The template text that calls the template of this name, or prints a fact."""
    return facts("text")[name.capitalize()] if name in FACTS else call(f"obs.{name}")


def words() -> dict[str, dict[str, str]]:
    """The output of each template for each sample."""
    links = {"grafana": "https://grafana.example.com"}
    config = validate("docs", {"environment": "dev", "links": links}, frozenset())
    samples = {"one": ONE, "over": OVER, "several": SEVERAL}
    names = ["title", "slack", "markdown", "telegram", "text", "brief", "mail", "firing", "source", "colour", *FACTS]
    names += ["pagerduty.severity", "opsgenie.priority"]
    wanted = [(sample, name) for sample in samples for name in names]
    texts = render(config, [(text(name), samples[sample]) for sample, name in wanted])
    found: dict[str, dict[str, str]] = {sample: {} for sample in samples}
    for (sample, name), said in zip(wanted, texts, strict=True):
        found[sample][name] = said
    return found


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    said = words()
    one, over, several = said["one"], said["over"], said["several"]
    app: Line = [Run("Alertmanager ", "bold"), Run("APP  12:22", "grey")]
    links: Line = [Run("Runbook", "link"), Run("   "), Run("Panel", "link"), Run("   "), Run("Logs", "link")]
    links += [Run("   "), Run("Silence", "link")]

    for name, sample in (("slack", one), ("slack-several", several), ("slack-over", over)):
        fields: Line = []
        for fact in FACTS:
            fields += [Run(f"{fact.capitalize()} ", "bold"), Run(f"{sample[fact]}    ")]
        lines = [[Run(sample["title"], "link")], *slack(sample["slack"]), fields]
        Canvas([Block(lines=[app]), Block(lines=lines, bar=sample["colour"])]).save(name)

    for name, red in (("teams", "#c4314b"), ("discord", "#992d22")):
        body = [[Run(one["title"], "bold")], [], *markdown(one["markdown"])]
        Canvas([Block(lines=[app]), Block(lines=body, bar=red, background="#f5f5f5")]).save(name)

    Canvas([Block(lines=telegram(one["telegram"]), background="#eef6ff")]).save("telegram")

    subject = [[Run("Subject: ", "grey"), Run(several["title"], "bold")], [Run("To: ops@example.com", "grey")]]
    Canvas([Block(lines=subject), *Markup(several["mail"]).blocks[1:]]).save("mail")

    rows = [[Run(f"{fact}: ", "grey"), Run(one[fact])] for fact in FACTS]
    head = [[Run(one["title"], "bold")], [Run("Source: ", "grey"), Run(one["source"])]]
    head[-1] += [Run("   Severity: ", "grey"), Run(one["pagerduty.severity"])]
    firing = [[Run("firing: ", "grey")], *plain(one["firing"])]
    Canvas([Block(lines=head, bar=one["colour"]), Block(lines=[*rows, *firing, links])]).save("pagerduty")

    head = [[Run(f"{one['opsgenie.priority']}  ", "bold"), Run(one["title"], "bold")]]
    tags = [[Run("Tags: ", "grey"), Run(", ".join(one[fact] for fact in ("severity", "system", "component")))]]
    Canvas([Block(lines=[*head, *tags], bar=one["colour"]), Block(lines=plain(one["text"]))]).save("opsgenie")

    phone = [[Run(one["title"], "bold")], *plain(one["brief"]), [Run("Panel", "link")]]
    Canvas([Block(lines=phone, background="#f3f4f6")]).save("pushover")


if __name__ == "__main__":
    main()
