"""The public status page from the command line: what is declared for it, and the page of a folder."""

import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import docker
from docker.errors import DockerException, NotFound

from observability.core import naming
from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.operations.home import Home
from observability.operations.incidents import incidents, utc
from observability.operations.journal import Journal
from observability.parts import status_page as part
from observability.settings.load import StackConfig
from observability.status_page.client import asker
from observability.status_page.facts import page
from observability.status_page.model import Declared, Incident, Maintenance, Update
from observability.status_page.writer import DECLARED, Writer, filled
from rules import alerts

OPENED: Final = "We are looking into it."
"""The first public statement about an incident, where none is given."""

RESOLVED: Final = "Resolved."


@dataclass(frozen=True, kw_only=True)
class Plans:
    """The maintenance that is declared for the page of a stack."""

    journal: Journal
    stack: str
    by: str
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def all(self) -> list[Maintenance]:
        """What is declared and was not cancelled before it began, by its start."""
        return sorted(plans(self.journal), key=lambda one: one.start)

    def add(self, title: str, start: datetime, end: datetime, systems: Sequence[str]) -> Maintenance:
        """Declare maintenance. Its id is the day and a number, after an m."""
        if end <= max(start, self.now):
            raise ConfigError(f"the maintenance would end {utc(end)}, before it begins or in the past", "correct it")
        with self.journal.locked() as file:
            day = f"m-{self.now:%Y-%m-%d}"
            taken = {record["id"] for record in self.journal.records()}
            number = next(number for number in range(1, len(taken) + 2) if f"{day}-{number}" not in taken)
            name = f"{day}-{number}"
            record = {
                "id": name,
                "kind": "plan",
                "at": self.now.isoformat(),
                "by": self.by,
                "title": title,
                "start": start.isoformat(),
                "end": end.isoformat(),
                "systems": list(systems),
            }
            self.journal.write(file, record)
        return self._find(name)

    def cancel(self, name: str) -> Maintenance:
        """End maintenance now, or take it from the page where it has not begun; the maintenance as it was declared."""
        found = self._find(name)
        if found.end <= self.now:
            raise ConfigError(f"maintenance {name} has ended {utc(found.end)}", "there is nothing to cancel")
        self.journal.append({"id": name, "kind": "cancel", "at": self.now.isoformat(), "by": self.by})
        return found

    def _find(self, name: str) -> Maintenance:
        every = {one.id: one for one in plans(self.journal)}
        if name not in every:
            raise ConfigError(
                f"{self.stack} has no maintenance {name!r}",
                f"{nearest(name, every)}./obs status-page plans {self.stack} shows them",
            )
        return every[name]


def plans(journal: Journal) -> list[Maintenance]:
    """All declared maintenance, without what was cancelled before it began."""
    found: dict[str, Maintenance] = {}
    for record in journal.records():
        name, at = record["id"], datetime.fromisoformat(record["at"])
        if record["kind"] == "plan":
            found[name] = Maintenance(
                id=name,
                title=record["title"],
                start=datetime.fromisoformat(record["start"]),
                end=datetime.fromisoformat(record["end"]),
                systems=tuple(record["systems"]),
                declared=at,
            )
        elif name in found and at <= found[name].start:
            del found[name]
        elif name in found:
            found[name] = replace(found[name], end=min(at, found[name].end))
    return list(found.values())


def declared(home: Home, stack: str) -> Declared:
    """The incidents that are marked public, and the maintenance, with nothing that is not meant for the public."""
    return Declared(
        incidents=tuple(
            Incident(
                id=one.id,
                title=one.title,
                began=one.since,
                ended=one.end,
                systems=one.systems,
                updates=tuple(Update(at=said.at, text=said.text) for said in one.updates),
            )
            for one in incidents(home.incidents(stack))
            if one.public
        ),
        maintenance=tuple(plans(home.maintenance(stack))),
    )


def send(config: StackConfig, home: Home) -> str:
    """Give what is declared to the container that writes the page; what is wrong, empty where nothing is."""
    if not config.runs(part.NAME):
        return ""
    text = json.dumps(declared(home, config.stack).document(), indent=1, ensure_ascii=False) + "\n"
    name = naming.container(config.stack, part.NAME)
    try:
        container = docker.from_env().containers.get(name)
        container.put_archive(part.DATA, _archive(DECLARED, text))
    except NotFound:
        return f"there is no container {name}"
    except DockerException as error:
        return f"Docker refuses: {str(error).partition(chr(10))[0]}"
    return ""


def writer(config: StackConfig, home: Home, to: Path, command: Sequence[str] = ()) -> Writer:
    """Writes the page of a stack to a folder of this machine, with its history in the data folder."""
    if not config.settings.part(part.NAME).components:
        raise ConfigError(
            f"Pulumi.{config.stack}.yaml: observability:statusPage has no components",
            "say what the page shows: statusPage: {url: …, components: {shop: {title: Web shop, system: shop}}}",
        )
    return Writer(
        settings=page(config, alerts(config)),
        ask=asker(config.addresses["prometheus"]),
        folder=home.folder / part.NAME / config.stack,
        pages=to,
        command=filled(command, {"folder": str(to)}),
        declared=lambda: declared(home, config.stack),
    )


def _archive(name: str, text: str) -> bytes:
    data, buffer = text.encode(), io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = len(data), 0o644, int(datetime.now(UTC).timestamp())
        info.uid, info.gid = map(int, part.RECIPE.user.split(":"))
        archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
