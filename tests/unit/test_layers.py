"""Imports go in one direction: a package imports only from packages below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from observability.settings.load import ROOT

LAYERS = (
    ("observability.core",),
    ("toolchain", "observability.pictures"),
    ("observability.parts", "observability.channels"),
    ("observability.systems",),
    ("observability.settings",),
    ("observability.logs",),
    ("observability.elk",),
    ("observability.alerting", "observability.apm"),
    ("observability.traces",),
    ("observability.collector",),
    ("observability.scrape", "observability.notifier", "observability.status_page"),
    ("rules",),
    ("dashboards",),
    ("components",),
    ("observability.synth",),
    ("observability.operations", "observability.check", "demo"),
    ("observability.cli", "observability.template"),
    ("tools",),
)
"""The packages from the bottom up; those of one line do not import each other."""

APART = {
    "demo": {"observability.cli", "tools"},
    "toolchain": {
        *("observability.parts", "observability.check", "observability.operations", "observability.cli"),
        *("demo", "tools"),
    },
}
"""Packages that only these import."""

RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
PACKAGES = tuple(RANK)


def package(module: str) -> str | None:
    """The package of LAYERS to which a module belongs; None for a foreign module, and for `observability` itself."""
    return next((name for name in PACKAGES if module == name or module.startswith(f"{name}.")), None)


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, with the line; `from a import b` may mean the module a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute here"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def arrows(root: Path) -> Iterator[tuple[str, str, str]]:
    """Every import from one package to another: importer, imported, location."""
    for top in {name.partition(".")[0] for name in PACKAGES}:
        for path in sorted((root / top).rglob("*.py")):
            module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            importer = package(module)
            for name, line in imported(ast.parse(path.read_text())):
                found = package(name)
                if found and found != importer:
                    yield importer or module, found, f"{path.relative_to(root)}:{line}"


def refused(importer: str, found: str) -> bool:
    """Whether an import goes in the wrong direction."""
    if found in APART and importer not in APART[found]:
        return True
    return RANK.get(importer, -1) <= RANK[found]


def test_every_package_has_its_layer() -> None:
    own = {f"observability.{path.parent.name}" for path in (ROOT / "observability").glob("*/__init__.py")}
    own |= {path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"}
    own -= {"observability"}
    assert own == set(PACKAGES)


def test_imports_go_in_one_direction() -> None:
    wrong = [
        f"{place}: {importer} imports {found}" for importer, found, place in arrows(ROOT) if refused(importer, found)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("rules/made.py", "from dashboards.links import shown"),
        ("observability/settings/made.py", "import observability.scrape.job"),
        ("observability/alerting/made.py", "def late():\n    from observability import cli"),
        ("observability/logs/made.py", "from observability.alerting.routes import tree"),
        ("dashboards/made.py", "import toolchain"),
        ("components/made.py", "from demo.engine import Engine"),
        ("demo/made.py", "from observability.operations.engine import Engine"),
    ],
)
def test_an_import_in_the_wrong_direction_is_found(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text)
    (arrow,) = arrows(tmp_path)
    assert refused(*arrow[:2])
