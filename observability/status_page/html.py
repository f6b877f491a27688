"""The page as HTML: one file without external resources."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from observability.status_page import history, words
from observability.status_page.documents import FEED, STATUS
from observability.status_page.model import DAYS, STALE, Day, Incident, Maintenance, Page, Row, State

_HERE: Final = Path(__file__).parent

_MINUTES: Final = int(STALE.total_seconds() // 60)

_BAD: Final[tuple[State, ...]] = ("down", "degraded", "maintenance")


def page(found: Page) -> str:
    """The page. Every text of the settings and of people is escaped."""
    settings = found.settings
    title, now = escape(settings.title), found.written
    declared = found.declared.now(now)
    state = found.state
    whole = words.UNKNOWN if found.stale else words.WHOLE[state]
    checked = found.checked.isoformat() if found.checked else ""
    style, script = _style(), _file("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<title>{title}: {escape(whole)}</title>
<link rel="alternate" type="application/rss+xml" title="{title}" href="{FEED}">
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body data-checked="{checked}" data-after="{STALE.total_seconds():.0f}" data-unknown="{escape(words.UNKNOWN)}"\
 data-word="{escape(words.WORDS["unknown"])}"{' class="stale"' if found.stale else ""}>
<header>
<h1>{title}</h1>
<p class="card stale-note" id="stale" role="status"{"" if found.stale else " hidden"}>\
<strong>This page is stale.</strong> Nothing was checked for more than {_MINUTES} minutes. \
What it shows may be out of date.</p>
<p class="card whole {state}" id="whole" role="status">{escape(whole)}</p>
<p class="quiet">{_checked(found)}</p>
</header>
<main>
{"".join(_part("Open incidents", map(_incident, [one for one in declared.incidents if one.ended is None])))}\
{"".join(_part("Maintenance", (_maintenance(one, found) for one in declared.maintenance if one.end > now)))}\
<h2>Components</h2>
{"".join(_row(row, stale=found.stale) for row in found.rows)}\
{"".join(_part("Past incidents and maintenance", _past(found, declared.incidents, declared.maintenance)))}\
</main>
<footer class="quiet">
<p>Times are UTC. Unknown means that nothing was measured.
<a href="{FEED}">RSS feed</a> · <a href="{STATUS}">JSON</a></p>
</footer>
<script>{script}</script>
</body>
</html>
"""


def _checked(found: Page) -> str:
    if found.checked is None:
        return "Not checked yet."
    moment = f'<time datetime="{found.checked.isoformat()}">{words.utc(found.checked)}</time>'
    return f"Checked {moment}. A page that is older than {_MINUTES} minutes is stale."


def _part(title: str, cards: Iterator[str]) -> Iterator[str]:
    """Cards under a heading; nothing where there are none."""
    found = list(cards)
    if found:
        yield f"<h2>{title}</h2>\n"
        yield from found


def _row(row: Row, *, stale: bool) -> str:
    state: State = "unknown" if stale else row.state
    begun = row.since if state in _BAD and not stale else None
    since = f' <span class="quiet since">since {words.utc(begun)}</span>' if begun else ""
    description = f'<p class="quiet">{escape(row.component.description)}</p>\n' if row.component.description else ""
    days = [day for _, day in row.days]
    known = sum(history.shown(day) is not None for day in days)
    share = history.available(days)
    available = f"{words.percent(share)} available" if share is not None else words.NO_DATA
    of = f"over {known} days with data" if known != 1 else "over 1 day with data"
    return f"""\
<section class="card" id="component-{escape(row.component.id)}">
<div class="head"><h3>{escape(row.component.title)}</h3>
<span><span class="state now {state}">{words.WORDS[state]}</span>{since}</span></div>
{description}<div class="days" role="img" aria-label="{_summary(days)}">
{"".join(_day(name, day) for name, day in row.days)}</div>
<p class="scale quiet"><span>{DAYS} days ago</span><span>{available}{f" {of}" if share is not None else ""}</span>\
<span>today</span></p>
{_table(row.days)}</section>
"""


def _summary(days: Sequence[Day]) -> str:
    """What the bars show, in words."""
    shown = [history.shown(day) for day in days]
    counts = [(words.WORDS[state].lower(), shown.count(state)) for state in ("operational", *_BAD)]
    counts.append((words.NO_DATA, shown.count(None)))
    said = ", ".join(f"{word} {count}" for word, count in counts if count)
    return f"The last {len(days)} days by their worst state: {said}"


def _day(name: str, day: Day) -> str:
    state = history.shown(day)
    return f'<span class="{state or "none"}" title="{name}: {_told(day)}"></span>\n'


def _told(day: Day) -> str:
    """A day in words."""
    if history.shown(day) is None:
        return words.NO_DATA
    bad = [f"{words.WORDS[state].lower()} for {words.length(day[state])}" for state in _BAD if day.get(state, 0) > 0]
    return ", ".join(bad) or words.WORDS["operational"].lower()


def _table(days: Sequence[tuple[str, Day]]) -> str:
    """The days with anything but work, for those who do not see the bars."""
    rows = [(name, day) for name, day in reversed(days) if history.shown(day) not in (None, "operational")]
    if not rows:
        return ""
    body = "".join(f'<tr><th scope="row">{name}</th><td>{_told(day)}</td></tr>\n' for name, day in rows)
    return f"<details><summary>Days with disruption ({len(rows)})</summary>\n<table>\n{body}</table>\n</details>\n"


def _incident(one: Incident) -> str:
    updates = "".join(
        f'<li><span class="quiet">{words.utc(update.at)}</span>\n{escape(update.text)}</li>\n'
        for update in sorted(one.updates, key=lambda update: update.at, reverse=True)
    )
    listed = f'<ol class="updates">\n{updates}</ol>\n' if updates else ""
    return f"""\
<article class="card" id="{escape(one.id)}">
<h3>{escape(one.title)}</h3>
<p class="quiet">{words.course(one)}</p>
{listed}</article>
"""


def _maintenance(one: Maintenance, found: Page) -> str:
    titles = [row.component.title for row in found.rows if row.component.system in one.systems]
    of = f" · {escape(', '.join(titles))}" if titles else ""
    return f"""\
<article class="card" id="{escape(one.id)}">
<h3>{escape(one.title)}</h3>
<p class="quiet">{words.planned(one, found.written)}{of}</p>
</article>
"""


def _past(found: Page, incidents: Sequence[Incident], maintenance: Sequence[Maintenance]) -> Iterator[str]:
    """What has ended, the newest first."""
    ended = [(one.ended, _incident(one)) for one in incidents if one.ended]
    ended += [(one.end, _maintenance(one, found)) for one in maintenance if one.end <= found.written]
    yield from (card for _, card in sorted(ended, key=lambda pair: pair[0], reverse=True))


@cache
def _style() -> str:
    def variables(colours: words.Colours) -> str:
        own = {name: str(getattr(colours, name)) for name in ("ground", "card", "text", "quiet", "line")}
        own.update({str(state): colour for state, colour in colours.states.items()})
        return " ".join(f"--{name}: {value};" for name, value in own.items())

    light, dark = variables(words.LIGHT), variables(words.DARK)
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{_file('page.css')}"


@cache
def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """A text as a Content-Security-Policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
