"""The changes that an update would make, from the engine's preview: each with its differences and reason."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pulumi.automation.events import StepEventMetadata

from dashboards.compare import compare
from dashboards.registry import Entry
from observability.operations.differences import SECRET, UNKNOWN, Difference, differences, masked, uploads

UPLOADS: Final = "uploads"
"""The property of a container that contains its files."""

DASHBOARD: Final = "configJson"
"""The property of a dashboard that contains its whole JSON."""

INTERNAL: Final = frozenset({"__internal", "__defaults"})
"""Keys that bridged providers add to the recorded state."""

HIDDEN: Final = INTERNAL | {"version", "id"}
"""Keys that the SDK and the engine add: no program sets them. A requested replacement has the key `id`."""

LENGTH: Final = 80
"""Maximum characters of a value on a line."""

Uploads = Sequence[Mapping[str, Any]]
"""The files of a container: `file` is the path, `content` the text or, of a secret, `[secret]`."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The engine's record of a resource: its id and inputs, its files in plain text, the names of its dependencies."""

    id: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    uploads: Uploads | None = field(default=None, repr=False)
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Change:
    """One resource that an update would create, change, replace or delete.

    `properties` are the properties that differ, as the engine names them; `differences` the values that differ in
    them; `described` the differences of a dashboard as text. `because` says why the resource is replaced, one reason
    an entry.
    """

    operation: str
    type: str
    name: str
    properties: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    described: tuple[str, ...] = ()
    because: tuple[str, ...] = ()

    @property
    def grouping(self) -> bool:
        """Whether it is a component, which only groups resources."""
        return not self.type.startswith(("docker:", "grafana:", "pulumi:providers:"))


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Data besides a preview's steps that is needed to describe the change of each.

    `again` holds the resources that are created anew whether or not they differ, with the reason; `recorded` the
    engine's record; `declared` the files that containers are declared with; each by the resource's name. No value of
    `secrets` is in what is returned.
    """

    again: Mapping[str, str]
    recorded: Mapping[str, Recorded]
    declared: Mapping[str, Uploads]
    secrets: Sequence[str] = ()

    def of(self, steps: Sequence[StepEventMetadata]) -> list[Change]:
        """The change of each step."""
        replaced = {_name(step) for step in steps if _operation(step) == "replace"}
        return [self._change(step, replaced) for step in steps]

    def _change(self, step: StepEventMetadata, replaced: Collection[str]) -> Change:
        found = Change(operation=_operation(step), type=step.type, name=_name(step))
        if found.operation not in ("update", "replace") or step.old is None or step.new is None:
            return found
        properties = _properties(step)
        described: list[str] = []
        values: list[Difference] = []
        for name in properties:
            words, differing = self._compared(step, name)
            described += words
            values += differing
        return replace(
            found,
            properties=properties,
            described=tuple(_masked_text(text, self.secrets) for text in described),
            differences=tuple(masked(one, self.secrets) for one in values),
            because=tuple(self._reasons(step, replaced)) if found.operation == "replace" else (),
        )

    def _compared(self, step: StepEventMetadata, name: str) -> tuple[list[str], list[Difference]]:
        """The differences of a property: as text for a dashboard, else by value."""
        assert step.new is not None  # noqa: S101 - the caller has checked
        was, now = _before(step, name), (step.new.inputs or {}).get(name)
        if name == UPLOADS:
            return [], [*self._files(_name(step), was, now)]
        if name == DASHBOARD and isinstance(was, str) and isinstance(now, str):
            return [*dashboard(was, now)], []
        # One value differs and is hidden on both sides, or was read back in another form.
        return [], [*differences(name, was, now)] or [Difference(path=name, old=SECRET, new=SECRET)]

    def _files(self, name: str, was: object, now: object) -> Iterator[Difference]:
        """The differences in the files of a container. With a secret among them the engine shows none."""
        if not (isinstance(was, list) and isinstance(now, list)):
            record = self.recorded.get(name, Recorded()).uploads
            was, now = record, self.declared.get(name)
        if was is None or now is None:
            yield Difference(path=UPLOADS, old=SECRET, new=SECRET)
            return
        secret = {one["file"] for one in now if one.get("content") == SECRET}
        stored = [{**one, "content": SECRET} if one["file"] in secret else one for one in was]
        found = [*uploads(stored, now)]
        yield from found
        # A secret that is no longer stored was replaced by another.
        changed = [one["file"] for one in was if one["file"] in secret and one.get("content") not in self.secrets]
        for file in changed:
            yield Difference(path="", file=file, old=SECRET, new=SECRET)
        if not found and not changed:
            yield Difference(path=UPLOADS, old=SECRET, new=SECRET)

    def _reasons(self, step: StepEventMetadata, replaced: Collection[str]) -> Iterator[str]:
        """Why a resource is replaced."""
        kinds = {path: str(one.diff_kind.value) for path, one in (step.detailed_diff or {}).items()}
        paths = [*(step.keys or ()), *(path for path, kind in kinds.items() if kind.endswith("replace"))]
        # The engine names them in any order.
        keys = sorted({name for name in map(_top, paths) if name not in HIDDEN})
        if keys:
            yield f"{', '.join(keys)} cannot change on an existing {_kind(step.type)}"
        if _name(step) in self.again:
            yield self.again[_name(step)]
        needed = sorted(self.recorded.get(_name(step), Recorded()).needs & set(replaced))
        if needed and not keys:
            yield f"it needs {', '.join(needed)}, which {'is' if len(needed) == 1 else 'are'} replaced"


def records(resources: Iterable[Mapping[str, Any]]) -> dict[str, Recorded]:
    """The recorded state of each resource of an exported deployment, by name."""
    return {
        one["urn"].rpartition("::")[2]: Recorded(
            id=str(one.get("id") or ""),
            inputs=_bare({key: _in_the_clear(value) for key, value in (one.get("inputs") or {}).items()}),
            uploads=_bare(_in_the_clear((one.get("inputs") or {}).get(UPLOADS))),
            needs=frozenset(urn.rpartition("::")[2] for urn in one.get("dependencies") or ()),
        )
        for one in resources
    }


def _in_the_clear(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A recorded value; of a secret its plain text, which the export stores as JSON."""
    return json.loads(value["plaintext"]) if isinstance(value, dict) and "plaintext" in value else value


def _bare(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A recorded value without the keys that a provider adds to every object."""
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items() if key not in INTERNAL}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _properties(step: StepEventMetadata) -> tuple[str, ...]:
    """The differing properties, by the engine; where a step names none, those whose values differ."""
    paths = [*(step.detailed_diff or ()), *(step.diffs or ()), *(step.keys or ())]
    named = sorted({name for name in map(_top, paths) if name not in HIDDEN})
    if named or step.old is None or step.new is None:
        return tuple(named)
    old, new = step.old.inputs or {}, step.new.inputs or {}
    differing = (name for name in dict.fromkeys([*new, *old]) if old.get(name) != new.get(name))
    return tuple(name for name in differing if name not in HIDDEN)


def _before(step: StepEventMetadata, name: str) -> Any:  # noqa: ANN401 - any JSON
    """The old value of a property: as declared or, where that does not differ, as the provider has read it."""
    assert step.old is not None  # noqa: S101 - the caller has checked
    inputs, outputs = step.old.inputs or {}, step.old.outputs or {}
    now = (step.new.inputs or {}).get(name) if step.new else None
    return inputs[name] if name in inputs and inputs[name] != now else outputs.get(name, inputs.get(name))


def dashboard(old: str, new: str) -> Iterator[str]:
    """The differences between two texts of a dashboard, panel by panel, as text."""
    try:
        found = compare(*([Entry(folder="", uid="", text=text)] for text in (old, new)))
    except (LookupError, TypeError, ValueError, AttributeError):
        # A dashboard that was saved in another form is compared by path.
        yield from map(line, differences("", _parsed(old), _parsed(new)))
        return
    for one in (one for changed in found for one in changed.changes):
        yield f"{one.what}: {_short(one.old)} → {_short(one.new)}" if one.old or one.new else one.what


def line(found: Difference) -> str:
    """A difference on one line: `file: path: old → new`, with long values shortened."""
    where = ": ".join(filter(None, (found.file, found.path)))
    whole = found.file is not None and not found.path
    if found.old is None:
        return f"{where}: added" + ("" if whole else f" {_short(found.new)}")
    if found.new is None:
        return f"{where}: removed" + ("" if whole else f" {_short(found.old)}")
    if found.old == found.new:
        return f"{where}: differs, value not shown"
    return f"{where}: {_short(found.old)} → {_short(found.new)}"


def _masked_text(text: str, secrets: Sequence[str]) -> str:
    return str(masked(Difference(path="", old=None, new=text), secrets).new)


def _parsed(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except ValueError:
        return text


def _short(value: object) -> str:
    if value == UNKNOWN:
        return "(known after the update)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = " ".join(text.split())
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…"


def _operation(step: StepEventMetadata) -> str:
    return str(getattr(step.op, "value", step.op))


def _name(step: StepEventMetadata) -> str:
    return step.urn.rpartition("::")[2]


def _top(path: str) -> str:
    """The property with which a path of the engine begins."""
    return path.partition(".")[0].partition("[")[0]


def _kind(resource_type: str) -> str:
    """Short name of a type: `container`."""
    last = resource_type.rpartition(":")[2]
    return f"{last[:1].lower()}{last[1:]}"
