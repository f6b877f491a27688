"""Pictures of the panels that alerts link to: which panel is drawn, from which queries, and how it is served."""

import io
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from dashboards.linked_panels import linked
from dashboards.linked_rules import files
from observability.core import http, program
from observability.notifier.__main__ import picture_page
from observability.notifier.client import Client
from observability.notifier.evidence import NoAnswerError
from observability.notifier.panels import KEPT, NAME, Pictures
from observability.notifier.rounds import Rounds
from observability.notifier.updates import Updates
from observability.pictures.panel import picture
from observability.pictures.series import Series, Span
from tests.unit.conftest import stack_config
from tests.unit.servers_double import Doubles, serving
from tests.unit.test_notifier import FACTS, OWN, SENT

URL: Final = "https://obs.example.com/pictures"
PANEL: Final[dict[str, Any]] = {
    "title": "Connections",
    "targets": [
        {"expr": 'connections{instance=~"$instance"}[$__rate_interval]', "refId": "A", "legendFormat": "{{db}}"}
    ],
    "fieldConfig": {"defaults": {"unit": "short"}, "overrides": []},
}
LINK: Final = "http://grafana:3000/d/shop-postgres?var-instance=db:5432&viewPanel=17"


def drawn(folder: Path, panels: Mapping[str, Any] | None = None) -> Pictures:
    """Pictures that record what they would draw."""

    def draw(panel: Mapping[str, Any], found: list[Series], span: Span, since: float) -> bytes:
        return f"{panel['title']} {[one.name for one in found]} {span.shown} {since}".encode()

    known = {"shop-postgres/17": PANEL} if panels is None else panels
    return Pictures(folder=folder, url=URL, panels=known, scrape=15, draw=draw)


class Prometheus:
    """Answers every query with one series."""

    def __init__(self, *series: Mapping[str, Any]) -> None:
        self.series = series or ({"metric": {"db": "orders"}, "values": [[1, "2"], [16, "NaN"]]},)
        self.asked: list[Mapping[str, str]] = []

    def __call__(self, service: str, path: str, params: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
        assert (service, path) == ("prometheus", "/api/v1/query_range")
        self.asked.append(params)
        return {"data": {"result": list(self.series)}}


def test_the_panel_of_the_link_is_drawn_with_the_variables_of_the_link(tmp_path: Path) -> None:
    prometheus = Prometheus()
    address = drawn(tmp_path).of({"dashboard_url": LINK}, 5.0, prometheus)
    assert address is not None
    base, _, name = address.rpartition("/")
    assert base == URL
    assert NAME.fullmatch(name)
    assert (tmp_path / name).read_text() == "Connections ['orders'] 3600.0 5.0"
    (asked,) = prometheus.asked
    assert asked["query"] == 'connections{instance=~"db:5432"}[60s]'
    assert float(asked["end"]) - float(asked["start"]) == pytest.approx(3600, abs=15)


def test_no_two_pictures_have_one_name(tmp_path: Path) -> None:
    pictures = drawn(tmp_path)
    names = {pictures.of({"dashboard_url": LINK}, 5.0, Prometheus()) for _ in range(20)}
    assert len(names) == len(list(tmp_path.iterdir())) == 20


@pytest.mark.parametrize("link", ["", "/d/shop-postgres?viewPanel=18", "/d/other?viewPanel=17", "https://x/", "/d/"])
def test_an_alert_without_a_known_panel_has_no_picture(tmp_path: Path, link: str) -> None:
    assert drawn(tmp_path).of({"dashboard_url": link}, 5.0, Prometheus()) is None


def test_a_panel_without_data_has_no_picture(tmp_path: Path) -> None:
    def nothing(*_: object) -> Any:  # noqa: ANN401 - any JSON
        return {"data": {"result": []}}

    assert drawn(tmp_path).of({"dashboard_url": LINK}, 5.0, nothing) is None
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_could_change_the_query_is_replaced(tmp_path: Path) -> None:
    prometheus = Prometheus()
    link = '/d/shop-postgres?var-instance=x"}%20or%20up{a="&viewPanel=17'
    drawn(tmp_path).of({"dashboard_url": link}, 5.0, prometheus)
    assert prometheus.asked[0]["query"] == 'connections{instance=~".*"}[60s]'


def test_old_pictures_are_removed(tmp_path: Path) -> None:
    for name, age in (("old", KEPT + 60), ("new", KEPT - 60)):
        path = tmp_path / f"{name}.png"
        path.write_bytes(b"")
        os.utime(path, (time.time() - age,) * 2)
    drawn(tmp_path).tidy()
    assert [path.stem for path in tmp_path.iterdir()] == ["new"]


def test_a_picture_is_a_small_png_of_fixed_size() -> None:
    points = tuple((float(second), second % 7 / 10) for second in range(0, 3600, 15))
    series = [Series(name="5xx", ref="A", labels={}, points=points)]
    png = picture(PANEL, series, Span(start=0, end=3600, scrape=15), 3000)
    image = Image.open(io.BytesIO(png))
    assert (image.width, image.height) == (792, 352)
    assert len(png) < 60_000
    assert image.info["Title"] == "Connections"


def test_pictures_are_served_by_their_name_and_nothing_else(tmp_path: Path) -> None:
    name = f"{'a' * 22}.png"
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / name).write_bytes(b"png")
    (tmp_path / "secret.png").write_bytes(b"no")
    nothing = program.Page(content="", status=404)
    server = program.serve(0, lambda path: picture_page(folder, path) or nothing)
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        answer = http.get(f"{url}/pictures/{name}", trust_env=False)
        assert (answer.content, answer.headers["Content-Type"]) == (b"png", "image/png")
        for path in (
            "/pictures/",
            f"/pictures/{'b' * 22}.png",
            "/pictures/..%2fsecret.png",
            "/pictures/../secret.png",
        ):
            assert http.get(url + path, trust_env=False).status_code == 404
    finally:
        server.shutdown()
        server.server_close()


def test_an_alert_is_sent_with_the_address_of_its_picture(tmp_path: Path) -> None:
    doubles = Doubles(results={"connections": [{"metric": {"db": "orders"}, "values": [[1, "2"]]}]})
    with serving(doubles) as servers:
        rounds = Rounds(
            facts=FACTS,
            client=Client(servers),
            updates=Updates(levels={}, settle=0, pause=0),
            pictures=drawn(tmp_path),
        )
        doubles.evaluate(OWN)
        doubles.fire(SENT, annotations={"dashboard_url": LINK})
        end = time.monotonic() + 60
        while not doubles.sent and time.monotonic() < end:
            rounds.run()
    assert doubles.sent[-1]["annotations"]["picture"].startswith(f"{URL}/")
    assert rounds.counts.pictures == len(list(tmp_path.iterdir())) == 1


def test_a_panel_that_cannot_be_drawn_costs_the_picture_only(tmp_path: Path) -> None:
    class Broken(Pictures):
        def of(self, *_: object) -> str | None:
            raise NoAnswerError("no")

    doubles = Doubles(streams=[{"stream": {"service": "api"}, "values": [["1", "it failed"]]}])
    with serving(doubles) as servers:
        broken = Broken(folder=tmp_path, url=URL, panels={}, scrape=15, draw=picture)
        rounds = Rounds(
            facts=FACTS, client=Client(servers), updates=Updates(levels={}, settle=0, pause=0), pictures=broken
        )
        doubles.evaluate(OWN)
        doubles.fire(SENT)
        rounds.run()
    assert doubles.sent[0]["annotations"] == {"line_1": "api: it failed"}
    assert rounds.counts.failures["prometheus"] == 1


def test_the_panels_of_a_stack_are_those_that_its_alerts_link_to() -> None:
    values = {"notifier": {"pictures": {"url": URL}}}
    config = stack_config("dev", values)
    found = linked(config, files(config))
    assert {"Error Rate", "Disk Usage"} <= {panel["title"] for panel in found.values()}
    assert all(panel["targets"] for panel in found.values())
    without = stack_config("dev")
    assert linked(without, files(without)) == {}
