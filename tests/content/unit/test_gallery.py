"""The gallery shows the dashboards of this repository's dev stack."""

from dashboards.registry import dashboards, folders
from observability.pictures.theme import facts
from observability.settings.load import ROOT
from tests.content.stacks import stack_config
from tools.gallery.index import index

DEV = stack_config("dev")
PICTURES = ROOT / "docs" / "gallery"


def test_the_gallery_has_a_picture_of_every_dashboard_of_dev_and_no_other() -> None:
    assert {path.stem for path in PICTURES.glob("*.png")} == {entry.uid for entry in dashboards(DEV)}


def test_the_index_of_the_gallery_is_up_to_date() -> None:
    said = {path.stem: facts(path) for path in PICTURES.glob("*.png")}
    written = (PICTURES / "README.md").read_text(encoding="utf-8")
    assert written == index(dashboards(DEV), folders(DEV), said), "run: make gallery"
