"""What changed between two versions of the dashboards, as a list for reviewers."""

import bisect
import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from dashboards.registry import Entry

Document = Mapping[str, Any]

_ON_DASHBOARD: Final = frozenset({"panels", "templating", "title", "uid"})
_ON_PANEL: Final = frozenset({"gridPos", "id", "targets", "title", "type"})
"""Options that have a description of their own."""

_NAMES: Final = {
    "fieldConfig.defaults.decimals": "decimals",
    "fieldConfig.defaults.mappings": "words for values",
    "fieldConfig.defaults.max": "upper end of the axis",
    "fieldConfig.defaults.min": "lower end of the axis",
    "fieldConfig.defaults.noValue": "words without a value",
    "fieldConfig.defaults.thresholds": "thresholds",
    "fieldConfig.defaults.unit": "unit",
    "fieldConfig.overrides": "overrides",
    "legendFormat": "legend",
    "time.from": "time shown from",
}
"""Descriptions of the options that change often; the others are named by their path in the JSON."""

_SHORT: Final = 60
"""Longest value, in characters, that is shown on the line itself."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change, with the text before and after where it is too long for the line."""

    what: str
    old: str = ""
    new: str = ""


@dataclass(frozen=True)
class Changed:
    """Dashboards with the same changes apart from the system's name: title, uids, and the changes of the first."""

    title: str
    uids: tuple[str, ...]
    changes: tuple[Change, ...]


def compare(before: Sequence[Entry], after: Sequence[Entry]) -> list[Changed]:
    """All changes, in the order of uids; empty where there are none."""
    old, new = ({entry.uid: entry for entry in entries} for entries in (before, after))
    alike: dict[str, Changed] = {}
    for uid in sorted(old.keys() | new.keys()):
        entry = new.get(uid) or old[uid]
        document = json.loads(entry.text)
        if uid in old and uid in new:
            found = tuple(_dashboard(old[uid], entry))
        else:
            verb = "added" if uid in new else "removed"
            found = (Change(what=f"dashboard {verb}: folder {entry.folder}, {len(_places(document))} panels"),)
        if found:
            key = repr((uid, found)).replace(entry.folder, "<folder>")
            first = alike.get(key) or Changed(document["title"], (), found)
            alike[key] = replace(first, uids=(*first.uids, uid))
    return list(alike.values())


def markdown(changed: Sequence[Changed]) -> str:
    """The list as Markdown; `no change` where there are none."""
    if not changed:
        return "no change\n"
    parts = [f"Dashboards changed: {sum(len(one.uids) for one in changed)}\n"]
    for one in changed:
        first, *others = (f"`{uid}`" for uid in one.uids)
        lines = [f"### {one.title} ({first})", ""]
        if others:
            lines += [f"Equally {', '.join(others)}.", ""]
        for change in one.changes:
            lines.append(f"- {change.what}")
            if change.old or change.new:
                differing = [f"- {line}" for line in change.old.splitlines()]
                differing += [f"+ {line}" for line in change.new.splitlines()]
                lines += [f"  {line}" for line in ("```diff", *differing, "```")]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _dashboard(before: Entry, after: Entry) -> Iterator[Change]:
    old, new = json.loads(before.text), json.loads(after.text)
    if old["title"] != new["title"]:
        yield Change(what=f"dashboard renamed: {old['title']!r} → {new['title']!r}")
    if before.folder != after.folder:
        yield Change(what=f"dashboard moved: folder {before.folder} → {after.folder}")
    yield from _options("", old, new, _ON_DASHBOARD)
    yield from _variables(old["templating"]["list"], new["templating"]["list"])
    yield from _rows(old["panels"], new["panels"])
    yield from _panels(_places(old), _places(new))


def _variables(old: Sequence[Document], new: Sequence[Document]) -> Iterator[Change]:
    before, after = ({one["name"]: one for one in variables} for variables in (old, new))
    yield from (Change(what=f"variable `{name}` removed") for name in before if name not in after)
    for name, variable in after.items():
        if name in before:
            yield from _options(f"variable `{name}`: ", before[name], variable)
        else:
            yield Change(what=f"variable `{name}` added", new=str(variable.get("query") or ""))
    if _moved(list(before), list(after)):
        yield Change(what=f"variables in another order: {', '.join(after)}")


def _rows(old: Sequence[Document], new: Sequence[Document]) -> Iterator[Change]:
    before, after = ({one["title"]: one for one in panels if one["type"] == "row"} for panels in (old, new))
    yield from (Change(what=f"row {title!r} removed") for title in before if title not in after)
    yield from (Change(what=f"row {title!r} added") for title in after if title not in before)
    for title in (title for title in after if title in before):
        if before[title]["collapsed"] != after[title]["collapsed"]:
            yield Change(what=f"row {title!r} now {'folded' if after[title]['collapsed'] else 'open'} at first")
    if _moved(list(before), list(after)):
        yield Change(what=f"rows in another order: {', '.join(after)}")


@dataclass(frozen=True)
class _Place:
    """A panel and the title of its row."""

    panel: Document
    row: str


def _places(document: Document) -> dict[int, _Place]:
    """The panels by their ids, in order, including those in folded rows."""
    found: dict[int, _Place] = {}
    row = ""
    for panel in document["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
        for inner in panel["panels"] if panel["type"] == "row" else (panel,):
            found[inner["id"]] = _Place(inner, row)
    return found


def _panels(old: Mapping[int, _Place], new: Mapping[int, _Place]) -> Iterator[Change]:
    for key, place in old.items():
        if key not in new:
            yield Change(what=f"panel {place.panel['title']!r} removed from row {place.row!r}")
    moved: set[int] = set()
    for row in {place.row for place in new.values()}:
        moved |= _moved(*([key for key, place in places.items() if place.row == row] for places in (old, new)))
    resized = []
    for key, place in new.items():
        panel, title = place.panel, place.panel["title"]
        if key not in old:
            asked = "\n".join(target["expr"] for target in panel.get("targets", ()))
            yield Change(what=f"panel {title!r} added to row {place.row!r}", new=asked)
            continue
        before = old[key].panel
        if before["title"] != title:
            yield Change(what=f"panel {before['title']!r} renamed: {title!r}")
        if old[key].row != place.row:
            yield Change(what=f"panel {title!r} moved: row {old[key].row!r} → {place.row!r}")
        elif key in moved:
            yield Change(what=f"panel {title!r} moved within row {place.row!r}")
        if any(before["gridPos"][side] != panel["gridPos"][side] for side in ("w", "h")):
            resized.append(repr(title))
        yield from _panel(before, panel)
    if resized:
        yield Change(what=f"wider, narrower, higher or lower: {', '.join(resized)}")


def _panel(old: Document, new: Document) -> Iterator[Change]:
    """The changes of one panel other than its title and position."""
    about = f"panel {new['title']!r}: "
    if old["type"] != new["type"]:
        yield Change(what=f"{about}drawn as {new['type']}, no longer as {old['type']}")
    before, after = ({one["refId"]: one for one in panel.get("targets", ())} for panel in (old, new))
    for ref in sorted(before.keys() | after.keys()):
        was, now = before.get(ref, {}), after.get(ref, {})
        if was.get("expr") != now.get("expr"):
            verb = "added" if not was else "removed" if not now else "changed"
            yield Change(what=f"{about}query {ref} {verb}", old=was.get("expr", ""), new=now.get("expr", ""))
        if was and now:
            yield from _options(f"{about}query {ref}, ", was, now, frozenset({"expr"}))
    yield from _options(about, old, new, _ON_PANEL)


def _options(about: str, old: Document, new: Document, told: frozenset[str] = frozenset()) -> Iterator[Change]:
    """The changed options of an object, without those in `told`, which are described elsewhere."""
    for path, was, now in _differences(old, new, told):
        name = _NAMES.get(path, path)
        before, after = _words(name, was), _words(name, now)
        if before == after:
            before, after = _json(was), _json(now)
        if "\n" in before + after or len(before) > _SHORT or len(after) > _SHORT:
            yield Change(what=f"{about}{name} changed", **_changed_lines(before, after))
        else:
            yield Change(what=f"{about}{name}: {before} → {after}")


def _differences(
    old: Document, new: Document, told: frozenset[str], above: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Path, old and new value of each difference; None: absent. Lists and named objects are compared as a whole."""
    for key in sorted((old.keys() | new.keys()) - told):
        path, was, now = f"{above}{key}", old.get(key), new.get(key)
        if was == now:
            continue
        if isinstance(was, dict) and isinstance(now, dict) and path not in _NAMES:
            yield from _differences(was, now, frozenset(), f"{path}.")
        else:
            yield path, was, now


def _words(name: str, value: Any) -> str:  # noqa: ANN401 - any option value
    """An option's value as text: thresholds as `green, red from 1`, value texts as `0: down (red)`, else its JSON."""
    if name == "thresholds" and value is not None:
        steps = [(step.get("value"), step["color"]) for step in value["steps"]]
        return ", ".join(color if limit is None else f"{color} from {limit}" for limit, color in steps)
    if name == "words for values" and value and all(mapping["type"] == "value" for mapping in value):
        words = [(key, result) for mapping in value for key, result in mapping["options"].items()]
        return ", ".join(f"{key}: {result.get('text')} ({result.get('color')})" for key, result in words)
    return _json(value)


def _json(value: Any) -> str:  # noqa: ANN401 - as above
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    short = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return short if len(short) <= _SHORT else json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)


def _changed_lines(old: str, new: str) -> dict[str, str]:
    """The lines that only one of the two texts has."""
    compared = list(difflib.ndiff(old.splitlines(), new.splitlines()))
    return {
        side: "\n".join(line[2:] for line in compared if line.startswith(mark))
        for side, mark in (("old", "- "), ("new", "+ "))
    }


def _moved(old: Sequence[Any], new: Sequence[Any]) -> set[Any]:
    """The items that moved: all except the longest subsequence whose order is unchanged."""
    places = {key: place for place, key in enumerate(old)}
    common = [key for key in new if key in places]
    # For each length, the subsequence that ends earliest; each key stores its predecessor.
    ends: list[int] = []
    runs: list[list[Any]] = []
    for key in common:
        length = bisect.bisect_left(ends, places[key])
        run = [*(runs[length - 1] if length else []), key]
        ends[length:] = [places[key], *ends[length + 1 :]]
        runs[length:] = [run, *runs[length + 1 :]]
    return set(common) - set(runs[-1] if runs else [])
