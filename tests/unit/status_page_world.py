"""A page with three components, and a Prometheus that answers for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

from observability.status_page.client import STEP, NoAnswerError
from observability.status_page.model import Component, Declared, Incident, Maintenance, Settings, Update
from observability.status_page.writer import Writer

NOW: Final = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)

SHOP: Final = Component(id="shop", title="Web shop", query="SHOP", system="depot-internal", description="Orders")
PAY: Final = Component(id="pay", title="Payments <b>&", query="PAY", system="ledger-internal")
MAIL: Final = Component(id="mail", title="Mail", query="MAIL", system="post-internal")

SETTINGS: Final = Settings(
    title="Example & Co", url="https://status.example.com", components=(SHOP, PAY, MAIL), back=3
)


@dataclass
class Prometheus:
    """Values by query. `course` gives those of a range, by time; without it a query has its present value always."""

    values: dict[str, float] = field(default_factory=lambda: {"SHOP": 0.0, "PAY": 0.0})
    course: dict[str, Mapping[float, float]] = field(default_factory=dict)
    dead: bool = False
    ranges: list[tuple[str, float, float]] = field(default_factory=list)

    def ask(self, path: str, params: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
        if self.dead:
            raise NoAnswerError("connection to 10.0.0.7:9090 refused")
        query = params["query"]
        if path == "/api/v1/query":
            found = self.values.get(query)
            return result([] if found is None else [{"metric": {}, "value": [0, str(found)]}])
        assert path == "/api/v1/query_range"
        start, end = float(params["start"]), float(params["end"])
        self.ranges.append((query, start, end))
        times = [start + STEP * number for number in range(int((end - start) // STEP) + 1)]
        present = self.values.get(query)
        known = self.course.get(query, {} if present is None else dict.fromkeys(times, present))
        values = [[at, str(known[at])] for at in times if at in known]
        return result([{"metric": {}, "values": values}] if values else [])


def result(found: list[Any]) -> dict[str, Any]:
    return {"status": "success", "data": {"result": found}}


def writer(folder: Path, prometheus: Prometheus, declared: Declared | None = None, **more: Any) -> Writer:  # noqa: ANN401
    """A writer to `folder/pages` that says nothing."""
    found = Writer(settings=SETTINGS, ask=prometheus.ask, folder=folder, pages=folder / "pages", **more)
    found.say = lambda _: None
    if declared is not None:
        found.declared = lambda: declared
    return found


def incident(
    *texts: str, ended: datetime | None = None, title: str = "Orders fail", systems: tuple[str, ...] = ()
) -> Incident:
    began = NOW - timedelta(hours=1)
    updates = tuple(Update(at=began + timedelta(minutes=number), text=text) for number, text in enumerate(texts, 1))
    return Incident(id="2026-03-10-1", title=title, began=began, ended=ended, systems=systems, updates=updates)


def maintenance(start: datetime, end: datetime, systems: tuple[str, ...] = ()) -> Maintenance:
    return Maintenance(
        id="m-2026-03-09-1",
        title="New servers",
        start=start,
        end=end,
        systems=systems,
        declared=start - timedelta(days=1),
    )


def published(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in (folder / "pages").iterdir()}


class Text(HTMLParser):
    """What a page says: texts, tags, and the attributes of each element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]
