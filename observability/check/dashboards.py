"""Requirements for every dashboard, modelled on Grafana's own linter: each check yields its findings."""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dashboards.datasources import CLOUDWATCH, LOKI, PROMETHEUS, SENTRY
from dashboards.layout import FOLD, GRID_WIDTH
from dashboards.queries import Query, of_dashboard, panels

Document = Mapping[str, Any]

MOST_PANELS: Final = 32

_UNITS = (
    "none short percent percentunit s ms µs bytes decbytes Bps reqps ops cps cpm currencyUSD dateTimeFromNow "
    "bool_on_off"
)

UNITS: Final = frozenset(_UNITS.split())
"""Those of Grafana's units that are in use here; Grafana shows a misspelt unit as a suffix."""

GRAFANA: Final = "-- Grafana --"
"""uid of Grafana's built-in store of annotations."""

_PAGE: Final = re.compile(r"/d/(?P<uid>[^?\s]+)(?:\?(?P<query>\S*))?")
_FIELD: Final = "${__data.fields.system}"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a dashboard may refer to: the data sources, the other dashboards and systems, and the runbooks."""

    sources: frozenset[str] = frozenset({PROMETHEUS, LOKI, CLOUDWATCH, SENTRY})
    variables: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Names of the variables of each dashboard, by its uid."""
    tags: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()
    runbooks: frozenset[str] = frozenset()


Check = Callable[[Document, Surroundings], Iterator[str]]


def surroundings(documents: list[Document], systems: frozenset[str], runbooks: frozenset[str]) -> Surroundings:
    """The surroundings that all dashboards of a stack share."""
    return Surroundings(
        variables={one["uid"]: frozenset(v["name"] for v in one["templating"]["list"]) for one in documents},
        tags=frozenset(tag for one in documents for tag in one["tags"]),
        systems=systems,
        runbooks=runbooks,
    )


def titled(document: Document, _: Surroundings) -> Iterator[str]:
    """Every panel has a title, and no other panel of the dashboard has it."""
    titles = [panel.get("title", "") for panel in panels(document)]
    yield from (f"{panel['id']}: has no title" for panel in panels(document) if not panel.get("title"))
    yield from (f"{title}: is the title of two panels" for title in {t for t in titles if titles.count(t) > 1})


def described(document: Document, _: Surroundings) -> Iterator[str]:
    """Every panel, and the dashboard, says in a sentence what it shows."""
    for one in (document, *panels(document)):
        words = one.get("description", "")
        if not words.endswith(".") or words.rstrip(".") == one.get("title"):
            yield f"{one.get('title')}: {words!r} does not describe it in a sentence"


def in_a_unit(document: Document, _: Surroundings) -> Iterator[str]:
    """Every panel of values has one of the units in use."""
    for panel in panels(document):
        unit = panel["fieldConfig"]["defaults"].get("unit") if "fieldConfig" in panel else None
        if panel["type"] != "logs" and unit not in UNITS:
            yield f"{panel['title']}: its unit is {unit}"


def asks(document: Document, _: Surroundings) -> Iterator[str]:
    """Every panel asks something, each query under a letter of its own."""
    for panel in panels(document):
        refs = [target["refId"] for target in panel.get("targets", ())]
        if not refs:
            yield f"{panel['title']}: asks nothing"
        if len(set(refs)) < len(refs):
            yield f"{panel['title']}: two of its queries have one refId"


def from_known_sources(document: Document, around: Surroundings) -> Iterator[str]:
    """Every data source is one of the stack's, and the panel's own is that of its queries."""
    for panel in panels(document):
        used = {target["datasource"]["uid"] for target in panel.get("targets", ())}
        if used != {panel["datasource"]["uid"]} or not used <= around.sources:
            yield f"{panel['title']}: asks {sorted(used)}, its own source is {panel['datasource']['uid']}"
    for one in (*document["annotations"]["list"], *document["templating"]["list"]):
        uid = one.get("datasource", {}).get("uid", GRAFANA)
        if uid not in around.sources | {GRAFANA}:
            yield f"{one['name']}: asks {uid}"


def within_limits(document: Document, _: Surroundings) -> Iterator[str]:
    """A dashboard is no longer than can be read, and shows two screens at the most before something is unfolded."""
    count = len(list(panels(document)))
    if count > MOST_PANELS:
        yield f"has {count} panels, more than {MOST_PANELS}"
    shown = (one for one in document["panels"] if not (one["type"] == "row" and one["collapsed"]))
    end = max((one["gridPos"]["y"] + one["gridPos"]["h"] for one in shown), default=0)
    folded = sum(one["type"] == "row" and one["collapsed"] for one in document["panels"])
    if end - folded > FOLD:
        yield f"shows {end} grid units, more than the {FOLD} of two screens"


def numbered(document: Document, _: Surroundings) -> Iterator[str]:
    """Every panel and row has an id of its own."""
    ids = [one["id"] for one in (*document["panels"], *panels(document)) if "id" in one]
    rows = [one["id"] for one in document["panels"] if one["type"] == "row"]
    own = [panel["id"] for panel in panels(document)] + rows
    yield from (f"{one} is the id of two panels" for one in {i for i in own if own.count(i) > 1})
    if any(one <= 0 for one in ids):
        yield "an id is not above 0"


def placed(document: Document, _: Surroundings) -> Iterator[str]:
    """No panel covers another, none leaves the grid, and every line is filled."""
    for level in (document["panels"], *(one["panels"] for one in document["panels"] if one["type"] == "row")):
        taken: dict[tuple[int, int], str] = {}
        for panel in level:
            place = panel["gridPos"]
            if place["w"] <= 0 or place["h"] <= 0 or place["x"] + place["w"] > GRID_WIDTH:
                yield f"{panel['title']}: leaves the grid"
            for cell in itertools.product(
                range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
            ):
                if cell in taken:
                    yield f"{panel['title']}: covers {taken[cell]}"
                    break
                taken[cell] = panel["title"]


def in_rows(document: Document, _: Surroundings) -> Iterator[str]:
    """It begins with a row, every row has panels, and none is open below one that is folded."""
    shown = ["empty" if one.get("collapsed") and not one["panels"] else one["type"] for one in document["panels"]]
    open_rows = ["row" if one["type"] == "row" and not one["collapsed"] else "panel" for one in document["panels"]]
    if shown[:1] != ["row"]:
        yield "does not begin with a row"
    if "empty" in shown or open_rows[-1:] == ["row"] or ("row", "row") in itertools.pairwise(open_rows):
        yield "has a row without panels"
    folded = [one["collapsed"] for one in document["panels"] if one["type"] == "row"]
    if folded != sorted(folded):
        yield "has an open row below a folded one"


def uneditable(document: Document, _: Surroundings) -> Iterator[str]:
    """Dashboards from code are not editable."""
    if document["editable"] is not False:
        yield "may be edited in Grafana"


def addressed(document: Document, _: Surroundings) -> Iterator[str]:
    """Its uid is a word that Grafana takes: 40 letters, digits and hyphens at the most."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", document["uid"]):
        yield f"its uid is {document['uid']!r}"


def marked(document: Document, _: Surroundings) -> Iterator[str]:
    """Alerts and deployments are marked in its graphs."""
    missing = {"Alerts", "Deployments"} - {one["name"] for one in document["annotations"]["list"] if one["enable"]}
    if missing:
        yield f"does not mark {', '.join(sorted(missing))}"


def choosable(document: Document, _: Surroundings) -> Iterator[str]:
    """A variable follows the time shown, begins with all of its values, and is used; what is used is declared."""
    declared = {one["name"] for one in document["templating"]["list"]}
    used = {name for query in of_dashboard(document) for name in query.variables}
    yield from (f"${name} is used and not declared" for name in sorted(used - declared))
    yield from (f"${name} is declared and not used" for name in sorted(declared - used))
    for one in document["templating"]["list"]:
        if one["type"] != "query":
            continue
        if one["refresh"] != 2:
            yield f"${one['name']} does not follow the time shown"
        if not (one["multi"] and one["includeAll"] and one["allValue"] and one["current"]["value"] == "$__all"):
            yield f"${one['name']} does not begin with all values"


def linked(document: Document, around: Surroundings) -> Iterator[str]:
    """Every link leads to a dashboard that exists, with variables that it has; every list has members."""
    for one in document["links"]:
        if one["type"] == "dashboards" and not set(one["tags"]) <= around.tags:
            yield f"{one['title']}: no dashboard has the tags {one['tags']}"
    for url in _urls(document):
        yield from _leads_nowhere(url, around)


def _urls(found: object) -> Iterator[str]:
    if isinstance(found, Mapping):
        yield from (found[key] for key in ("url",) if found.get(key))
        yield from (url for value in found.values() for url in _urls(value))
    elif isinstance(found, list):
        yield from (url for value in found for url in _urls(value))


def _leads_nowhere(url: str, around: Surroundings) -> Iterator[str]:
    page = _PAGE.fullmatch(url)
    if page is None:
        name = url.rpartition("/")[2].removesuffix(".md")
        if not url.endswith(".md") or (name not in around.runbooks and not name.startswith("${__data.fields")):
            yield f"{url}: is neither a dashboard nor a runbook"
        return
    uids = [page["uid"].replace(_FIELD, system) for system in around.systems] if _FIELD in url else [page["uid"]]
    for uid in uids:
        if uid not in around.variables:
            yield f"{url}: there is no dashboard {uid}"
            continue
        given = set(re.findall(r"var-(\w+)=", page["query"] or ""))
        yield from (f"{url}: {uid} has no variable {name}" for name in sorted(given - around.variables[uid]))


def fresh(document: Document, _: Surroundings) -> Iterator[str]:
    """It refreshes, at most twice a minute, in the browser's time zone."""
    if document["refresh"] not in ("30s", "1m", "5m") or document["timezone"] != "browser":
        yield f"refreshes every {document['refresh']!r}, in {document['timezone']!r} time"


def small(document: Document, _: Surroundings) -> Iterator[str]:
    """It is far below what Grafana stores (a megabyte)."""
    if (size := len(json.dumps(document))) > 500_000:
        yield f"takes {size} bytes"


def asked(document: Document, source: str) -> Iterator[Query]:
    """Its queries of one data source."""
    return (query for query in of_dashboard(document) if query.source == source)


STRUCTURE: Final[tuple[Check, ...]] = (
    titled,
    described,
    in_a_unit,
    asks,
    from_known_sources,
    within_limits,
    numbered,
    placed,
    in_rows,
    uneditable,
    addressed,
    marked,
    choosable,
    linked,
    fresh,
    small,
)
"""The checks of all but the queries themselves."""
